"""Fixtures of this room: a queue with somebody who fills it, and a kind of job that is scripted."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from server import provisioning
from server.kit.authz import as_system
from server.kit.db import Database, Tx
from server.kit.pubsub import Pubsub
from server.provisioning import (
    Console,
    DaemonOptions,
    Daemons,
    Job,
    JobType,
    Means,
    NewJob,
    Order,
    Registry,
)
from server.terraform import FakeTerraform, Terraform
from tests.support.clock import FakeClock

SYSTEM = as_system("test")

PEOPLE = """
    WITH person AS (
        INSERT INTO users (id, email, username, status, login_type, created_at, updated_at)
        VALUES (%(user_id)s, 'ann@example.com', 'ann', 'active', 'password', %(now)s, %(now)s)
    ), file AS (
        INSERT INTO files (id, hash, created_by, mimetype, data, created_at)
        VALUES (%(file_id)s, 'hash', %(user_id)s, 'application/x-tar', 'tar', %(now)s)
    )
    INSERT INTO organizations (id, name, is_default, created_at, updated_at)
    VALUES (%(organization_id)s, 'coder', true, %(now)s, %(now)s)
"""


@dataclass
class Queue:
    """The queue of one organization, and what tests ask of it."""

    db: Database
    user_id: UUID = field(default_factory=uuid4)
    organization_id: UUID = field(default_factory=uuid4)
    file_id: UUID = field(default_factory=uuid4)

    async def post(self, *, tags: dict[str, str] | None = None, priority: int = 0) -> Job:
        """Queue a job."""
        new = NewJob(
            JobType.WORKSPACE_BUILD,
            self.organization_id,
            self.user_id,
            self.file_id,
            {"workspace_build_id": uuid4()},
            tags=tags or {"scope": "organization", "owner": ""},
            priority=priority,
        )
        async with self.db.tx(SYSTEM) as tx:
            return await provisioning.enqueue(tx, new)

    async def cancel(self, job: Job) -> Job:
        """Ask a job to end."""
        async with self.db.tx(SYSTEM) as tx:
            return await provisioning.cancel(tx, job.id)

    async def state(self, job: Job) -> tuple[str, str]:
        """Return a job's state and error."""
        async with self.db.tx(SYSTEM) as tx:
            seen = await provisioning.job(tx, job.id)
        return seen.status.value, seen.error

    async def said(self, job: Job) -> list[str]:
        """Return the outputs of a job's log that are not empty."""
        async with self.db.tx(SYSTEM) as tx:
            lines = await provisioning.logs(tx, job.id)
        return [line.output for line in lines if line.output]

    async def column(self, job: Job, name: str) -> Any:
        """Return one column of a job's row."""
        async with self.db.tx(SYSTEM) as tx:
            rows = await tx.rows("SELECT * FROM provisioner_jobs WHERE id = %(id)s", {"id": job.id})
        return rows[0][name]


Work = Callable[[Job, Console], Awaitable[object]]


async def succeed(job: Job, console: Console) -> object:
    console.log("info", "Starting workspace", "made")
    return "made"


@dataclass
class ScriptedOrder:
    """Work that a test wrote."""

    job: Job
    work_with: Work

    async def carry_out(self, terraform: Terraform, console: Console) -> object:
        return await self.work_with(self.job, console)


@dataclass
class Scripted:
    """A kind of job that does what a test says and remembers what it was asked."""

    work_with: Work = succeed
    applied: list[tuple[UUID, object]] = field(default_factory=list[tuple[UUID, object]])
    failures: list[tuple[UUID, object]] = field(default_factory=list[tuple[UUID, object]])
    releases: list[tuple[UUID, object]] = field(default_factory=list[tuple[UUID, object]])
    refuse: list[Exception] = field(default_factory=list[Exception])

    async def load(self, tx: Tx, job: Job) -> "ScriptedOrder":
        return ScriptedOrder(job, self.work_with)

    async def complete(self, order: Order) -> Order:
        return order

    async def apply(self, tx: Tx, job: Job, outcome: object) -> None:
        if self.refuse:
            raise self.refuse.pop()
        self.applied.append((job.id, outcome))

    async def failed(self, tx: Tx, job: Job, outcome: object) -> None:
        self.failures.append((job.id, outcome))

    async def released(self, tx: Tx, job: Job, outcome: object) -> None:
        self.releases.append((job.id, outcome))


@dataclass
class House:
    """Daemons on a queue."""

    queue: Queue
    kind: Scripted
    terraform: FakeTerraform
    clock: FakeClock
    cache: Path

    def daemons(self, hostname: str = "host", count: int = 1) -> Daemons:
        """Return the daemons of one replica."""
        db = self.queue.db
        registry = Registry({JobType.WORKSPACE_BUILD: self.kind})
        means = Means(db, Pubsub(db.dsn), registry, self.terraform, self.clock)
        return Daemons(means, DaemonOptions(self.cache, hostname, count))

    def work_dir(self, job: Job) -> Path:
        """Return where a job works."""
        return self.cache / "jobs" / str(job.id)


@pytest.fixture
async def timed(dsn: str, clock: FakeClock) -> AsyncGenerator[Database]:
    """A database whose clock is the test's."""
    database = Database(dsn, clock=clock, max_open=8)
    await database.open()
    yield database
    await database.close()


@pytest.fixture
async def queue(timed: Database) -> Queue:
    """An empty queue."""
    queue = Queue(timed)
    async with timed.tx(SYSTEM) as tx:
        ids = {
            "user_id": queue.user_id,
            "organization_id": queue.organization_id,
            "file_id": queue.file_id,
        }
        await tx.run(PEOPLE, {**ids, "now": tx.now})
    return queue


@pytest.fixture
def house(queue: Queue, clock: FakeClock, tmp_path: Path) -> House:
    """Daemons-to-be on the queue."""
    return House(queue, Scripted(), FakeTerraform(), clock, tmp_path)
