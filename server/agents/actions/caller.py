"""Who is at the other end of a line."""

from dataclasses import dataclass

from server.agents.actions.switchboard import Switchboard
from server.kit.db import Tx
from server.workspaces import AgentIdentity, WorkspaceChanged


@dataclass(frozen=True, slots=True)
class Caller:
    """The agent at the other end of a line, and the switchboard it hangs on."""

    board: Switchboard
    identity: AgentIdentity

    async def tell(self, tx: Tx) -> None:
        """Say that the agent's workspace looks different now."""
        workspace, owner = self.identity.workspace_id, self.identity.owner_id
        await tx.announce(WorkspaceChanged(workspace_id=workspace, owner_id=owner))
