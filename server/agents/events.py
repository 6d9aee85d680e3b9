"""What happened to agents, told at commit. Ids only: listeners read again.

That an agent connected, disconnected or moved on in its life is ``workspaces.WorkspaceChanged``:
whoever shows the workspace shows it too.
"""

from uuid import UUID

from typing_extensions import override

from server.kit.facts import Fact


class LogsWritten(Fact):
    """An agent said something, or may say no more."""

    agent_id: UUID

    @override
    def topics(self) -> tuple[str, ...]:
        return (logs_topic(self.agent_id),)


class MetadataChanged(Fact):
    """An agent has collected new values."""

    agent_id: UUID

    @override
    def topics(self) -> tuple[str, ...]:
        return (metadata_topic(self.agent_id),)


def logs_topic(agent_id: UUID) -> str:
    """Return the topic of one agent's logs."""
    return f"agent-logs:{agent_id}"


def metadata_topic(agent_id: UUID) -> str:
    """Return the topic of one agent's metadata."""
    return f"agent-metadata:{agent_id}"
