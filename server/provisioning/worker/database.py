"""Jobs from our own database, for workers that run beside it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from server.provisioning.actions.kinds import Console
from server.provisioning.actions.leases import SYSTEM, Desk, Rows, load
from server.provisioning.model import GIVE_UP
from server.provisioning.store import jobs as store
from server.terraform import Terraform


@dataclass(frozen=True, slots=True)
class DatabaseSource:
    """The queue, for workers that run beside it."""

    desk: Desk
    terraform: Terraform
    tags: Mapping[str, str]

    async def acquire(self, worker: str) -> "DatabaseLease | None":
        """Lease the first job in the queue that has no other tags than ours."""
        async with self.desk.db.tx(SYSTEM) as tx:
            job = await store.acquire(tx, worker, self.desk.registry.types, dict(self.tags))
        return None if job is None else DatabaseLease(self.desk, job, self.terraform)


@dataclass(frozen=True, slots=True)
class DatabaseLease(Rows):
    """A leased job whose work is done here."""

    terraform: Terraform

    @property
    def patience(self) -> timedelta:
        """Return how long to go on without a heartbeat."""
        return GIVE_UP

    async def work(self, console: Console) -> object:
        """Load the job and do it; no transaction is open meanwhile."""
        order = await load(self.desk, self.job)
        return await order.carry_out(self.terraform, console)
