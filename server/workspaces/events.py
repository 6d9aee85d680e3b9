"""What happened to workspaces. Ids only: whoever listens re-reads."""

from uuid import UUID

from typing_extensions import override

from server.kit.facts import Fact


def topic(workspace_id: UUID) -> str:
    """Return the topic of everything that changes how one workspace looks."""
    return f"workspace:{workspace_id}"


EVERY_WORKSPACE = "workspaces"


class WorkspaceChanged(Fact):
    """Something that a page about the workspace shows is different now.

    Rooms above announce it too, when an agent's line, lifecycle or app health changes.
    """

    workspace_id: UUID
    owner_id: UUID

    @override
    def topics(self) -> tuple[str, ...]:
        return (topic(self.workspace_id), EVERY_WORKSPACE)


class BuildFinished(Fact):
    """A build ended, well or badly. A fact of its own beside ``WorkspaceChanged``."""

    workspace_id: UUID
    owner_id: UUID
    build_id: UUID

    @override
    def topics(self) -> tuple[str, ...]:
        return (f"build:{self.build_id}", "builds", topic(self.workspace_id), EVERY_WORKSPACE)


def claim_topic(workspace_id: UUID) -> str:
    """Return the topic on which the agents of a workspace made in advance wait for its owner."""
    return f"prebuild_claimed_{workspace_id}"


class PrebuildClaimed(Fact):
    """A workspace that was made in advance is somebody's now: its agents begin anew.

    Whoever claims one announces this in the transaction in which the claim's build succeeds, so
    that the agents find their new owner when they ask.
    """

    workspace_id: UUID

    @override
    def topics(self) -> tuple[str, ...]:
        return (claim_topic(self.workspace_id),)
