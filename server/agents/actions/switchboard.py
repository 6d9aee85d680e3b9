"""Everything that lines and streams of this replica share."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol
from uuid import UUID

from coder_cli.kit.clock import Clock, SystemClock
from server.agents.model import BoundaryCounts, Moved
from server.agents.store import lines as store
from server.kit.authz import Actor, as_system
from server.kit.db import Database
from server.kit.pubsub import Pubsub
from server.network import Relay
from server.workspaces import WorkspaceChanged

ME = as_system("agents")


@dataclass(frozen=True, slots=True)
class Options:
    """What agents and their clients are told about this deployment."""

    access_url: str
    hostname_suffix: str = "coder"
    wildcard_host: str = ""
    stats_interval: timedelta = timedelta(seconds=30)


class BranchSeen(Protocol):
    """Hear which branch of which remote somebody works on in a workspace."""

    async def __call__(
        self, workspace_id: UUID, branch: str, origin: str, chat_id: UUID | None
    ) -> None:
        """Take the report; ``chat_id`` is whose command it was, where one's was."""
        ...


@dataclass(frozen=True, slots=True)
class Switchboard:
    """The deployment as this replica's agents see it, and their lines."""

    database: Database
    pubsub: Pubsub
    relay: Relay
    options: Options
    clock: Clock = field(default_factory=SystemClock)
    connections: set[UUID] = field(default_factory=set[UUID])
    """The lines of this replica that speak for an agent, by connection."""
    waiting: set[object] = field(default_factory=set[object])
    """Agents that came before their row, and are kept waiting."""
    boundaries: BoundaryCounts = field(default_factory=BoundaryCounts)
    branch_seen: BranchSeen | None = None
    """Who is told which branch git works on in a workspace, when it asks for a password."""
    actor: Actor = ME

    async def beat(self) -> None:
        """Say that the agents of this replica are there, and disconnect those of dead replicas."""
        async with self.database.tx(self.actor) as tx:
            moved: list[Moved] = []
            if self.connections:
                moved += await store.beat(tx, sorted(self.connections))
            moved += await store.sweep(tx)
            for agent in moved:
                fact = WorkspaceChanged(workspace_id=agent.workspace_id, owner_id=agent.owner_id)
                await tx.announce(fact)
