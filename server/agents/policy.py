"""May this actor reach an agent?"""

from server.agents.model import action_for
from server.kit.authz import Actor
from server.workspaces import AgentIdentity


def require_connect(actor: Actor, agent: AgentIdentity, port: int) -> None:
    """Refuse a stream to ``port`` unless the actor may open it.

    Raises:
        Forbidden: it may see the workspace, but not enter it.
        PortReserved: nobody may.
    """
    actor.require(action_for(port), agent.object)


def may_connect(actor: Actor, agent: AgentIdentity, port: int) -> bool:
    """Tell whether the actor may have a stream to ``port`` open."""
    return actor.can(action_for(port), agent.object)
