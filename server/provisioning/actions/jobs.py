"""What rooms above do with jobs: queue them, cancel them, read them."""

from collections.abc import Sequence
from uuid import UUID

from coder_cli.sdk import jobs as sdk
from coder_cli.sdk.agents import WorkspaceAgent
from coder_cli.sdk.builds import WorkspaceResource
from server.kit.db import Tx
from server.kit.errors import NotFound
from server.provisioning import convert
from server.provisioning.convert.resources import agents_to_sdk
from server.provisioning.events import JobCanceled, JobChanged, JobPosted
from server.provisioning.model import Job, NewJob, State, canceled
from server.provisioning.store import jobs as store
from server.provisioning.store import logs as log_store
from server.provisioning.store import resources as resource_store


async def enqueue(tx: Tx, new: NewJob) -> Job:
    """Queue a job; a worker takes it when ``tx`` commits. The caller asked who may do so."""
    job = await store.insert(tx, new)
    await tx.announce(JobPosted(job_id=job.id))
    return job


async def cancel(tx: Tx, job_id: UUID) -> Job:
    """Ask a job to end; one that nobody took yet ends at once. Return it as it is now.

    The caller asked who may do so. It also does what its own rows need when the job is
    ``State.CANCELED`` now: then no worker will ask the job's kind.

    Raises:
        JobCompleted: it has ended.
        AlreadyCanceled: it was asked before.
    """
    job = await store.lock(tx, job_id)
    if job is None:
        raise NotFound
    ended = canceled(job.state) is State.CANCELED
    await tx.announce(JobCanceled(job_id=job_id))
    return await store.cancel(tx, job_id, tx.now if ended else None)


async def settle(tx: Tx, job_id: UUID) -> None:
    """End a job just queued that asks nothing of any worker. The caller writes its outcome."""
    await store.complete(tx, job_id)
    await tx.announce(JobChanged(job_id=job_id))


async def job(tx: Tx, job_id: UUID) -> sdk.ProvisionerJob:
    """Return one job as clients see it."""
    return (await jobs(tx, [job_id]))[job_id]


async def jobs(tx: Tx, ids: Sequence[UUID]) -> dict[UUID, sdk.ProvisionerJob]:
    """Return jobs by id as clients see them. Who may see them is the caller's question."""
    return {view.id: convert.job_to_sdk(view) for view in await store.views(tx, ids)}


async def logs(
    tx: Tx, job_id: UUID, after: int = 0, before: int | None = None
) -> list[sdk.ProvisionerJobLog]:
    """Return what a job said, between two ids of lines."""
    lines = await log_store.lines(tx, job_id, after, before)
    return [convert.line_to_sdk(line) for line in lines]


async def log_tail(tx: Tx, job_id: UUID, limit: int) -> list[str]:
    """Return the last things that a job said. Who may know is the caller's question."""
    return [line.output for line in await log_store.tail(tx, job_id, limit)]


async def timings(tx: Tx, job_ids: Sequence[UUID]) -> list[sdk.ProvisionerTiming]:
    """Return how long terraform took for what."""
    return [
        sdk.ProvisionerTiming.model_validate(row, from_attributes=True)
        for row in await log_store.timings(tx, job_ids)
    ]


async def resources(tx: Tx, job_ids: Sequence[UUID]) -> dict[UUID, list[WorkspaceResource]]:
    """Return what each job made, with agents, apps and scripts; jobs that made nothing are out."""
    return convert.resources_to_sdk(await resource_store.of_jobs(tx, job_ids), tx.now)


async def agents(tx: Tx, agent_ids: Sequence[UUID]) -> list[WorkspaceAgent]:
    """Return agents as clients see them. Who may see them is the caller's question."""
    return agents_to_sdk(await resource_store.of_agents(tx, agent_ids), tx.now)
