"""What was found in a workspace, as values."""

from dataclasses import dataclass
from uuid import UUID

from server.llm import ContextFile, Part, Skill


@dataclass(frozen=True, slots=True)
class FoundSkill:
    """A skill: a directory with a ``SKILL.md``."""

    name: str
    description: str
    directory: str
    body: str
    """Without its front matter."""


@dataclass(frozen=True, slots=True)
class Found:
    """The instruction files and skills of one workspace, as its agent showed them."""

    agent_id: UUID
    os: str
    directory: str
    """Where its agent works."""
    home: str
    files: tuple[ContextFile, ...] = ()
    skills: tuple[FoundSkill, ...] = ()

    def parts(self) -> tuple[Part, ...]:
        """Return what a user message of the chat keeps of it, model-visible only.

        Where nothing was found a file without a path says so: nobody looks again for this agent.
        """
        nothing = ContextFile("", agent_id=self.agent_id, os=self.os, directory=self.directory)
        skills = tuple(
            Skill(
                each.name,
                each.description,
                dir=each.directory,
                meta_file=f"{each.directory}/SKILL.md",
                agent_id=self.agent_id,
            )
            for each in self.skills
        )
        return (*(self.files or (nothing,)), *skills)
