"""Who an agent is: the one line from its token to its workspace and owner."""

from dataclasses import dataclass
from uuid import UUID

from server.kit.authz import Kind, Object, Shares


@dataclass(frozen=True, slots=True)
class AgentIdentity:
    """An agent, and where it belongs."""

    agent_id: UUID
    agent_name: str
    parent_id: UUID | None
    workspace_id: UUID
    workspace_name: str
    owner_id: UUID
    owner_name: str
    organization_id: UUID
    template_id: UUID
    build_id: UUID
    build_number: int
    transition: str
    dormant: bool
    deleted: bool
    user_acl: Shares
    group_acl: Shares
    latest: bool
    """Of the workspace's latest build, or of the start that an unfinished stop or delete is about
    to end: such an agent still runs its stop scripts and says its last words."""

    @property
    def object(self) -> Object:
        """Return what a right to connect is asked for."""
        kind = Kind.WORKSPACE_DORMANT if self.dormant else Kind.WORKSPACE
        return Object(
            kind,
            self.workspace_id,
            self.owner_id,
            self.organization_id,
            self.user_acl,
            self.group_acl,
        )
