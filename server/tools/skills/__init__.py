"""Skills of the workspace: read on demand."""

from server.tools.skills.reading import read_skill, read_skill_file

__all__ = ["read_skill", "read_skill_file"]
