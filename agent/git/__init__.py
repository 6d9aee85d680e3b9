"""What changed in the git repositories that a chat works on. See README.md."""

from agent.git.command import Git
from agent.git.paths import Paths
from agent.git.watch import GitWatch

__all__ = ["Git", "GitWatch", "Paths"]
