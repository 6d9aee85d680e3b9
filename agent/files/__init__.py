"""Files: read, listed, written and edited through the agent's API. See README.md."""

from agent.files.routes import FileRoutes

__all__ = ["FileRoutes"]
