"""A job belongs to one worker at a time: for as long as that one lives, and no longer."""

import asyncio
from typing import Any

import pytest

from server import provisioning
from server.kit.errors import Unavailable
from server.provisioning import DaemonOptions, Job, JobType, Registry
from server.provisioning.actions.reap import reap
from server.provisioning.model import BEAT_SECONDS, REAP_AT_ONCE
from server.provisioning.store import jobs as store
from tests.server.provisioning.conftest import SYSTEM, House
from tests.server.provisioning.test_run import Gate


def registry(house: House) -> Registry:
    return Registry({JobType.WORKSPACE_BUILD: house.kind})


async def test_a_job_that_takes_long_keeps_its_lease(house: House) -> None:
    house.kind.work_with = gate = Gate()
    job = await house.queue.post()
    turn = asyncio.ensure_future(house.daemons("one").turn("one-0"))
    await gate.begun.wait()
    for _ in range(70):  # Longer than it takes to be seen as hung.
        await house.clock.wake_within(BEAT_SECONDS)
    assert not await house.daemons("two").turn("two-0")
    async with house.queue.db.tx(SYSTEM) as tx:
        assert await reap(tx, registry(house)) == 0
    gate.open.set()
    await turn
    assert await house.queue.state(job) == ("succeeded", "")
    assert await house.queue.column(job, "attempt") == 1


async def test_a_worker_that_cannot_renew_ends_its_work_before_its_lease_ends(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(tx: Any, *_: Any) -> bool | None:
        raise Unavailable("the database is away")

    house.kind.work_with = gate = Gate()
    job = await house.queue.post()
    turn = asyncio.ensure_future(house.daemons("one").turn("one-0"))
    await gate.begun.wait()
    with monkeypatch.context() as patch:
        patch.setattr(store, "renew", away)
        for _ in range(2):
            await house.clock.wake_within(BEAT_SECONDS)
        await turn  # Five seconds before the lease ends.
    assert (house.kind.applied, house.kind.failures) == ([], [])
    assert await house.queue.state(job) == ("running", "")
    await house.clock.advance(16)
    gate.open.set()
    assert await house.daemons("two").turn("two-0")
    assert house.kind.applied == [(job.id, "made")]


async def test_a_replica_has_three_workers_and_the_rest_wait_in_line(house: House) -> None:
    assert DaemonOptions(house.cache, "host").count == 3
    house.kind.work_with = gate = Gate()
    jobs: list[Job] = []
    for _ in range(5):
        jobs.append(await house.queue.post())
        await house.clock.advance(1)
    running = asyncio.ensure_future(house.daemons(count=3).run())
    while len(gate.consoles) < 3:
        gate.begun.clear()
        await gate.begun.wait()
    async with house.queue.db.tx(SYSTEM) as tx:
        seen = await provisioning.jobs(tx, [job.id for job in jobs])
    states = [seen[job.id].status.value for job in jobs]
    assert states == ["running", "running", "running", "pending", "pending"]
    places = [(seen[job.id].queue_position, seen[job.id].queue_size) for job in jobs]
    assert places == [(0, 0), (0, 0), (0, 0), (1, 2), (2, 2)]
    all_done, apply = asyncio.Event(), house.kind.apply

    async def count(tx: Any, job: Job, outcome: object) -> None:
        await apply(tx, job, outcome)
        if len(house.kind.applied) == 5:
            all_done.set()

    house.kind.apply = count
    gate.open.set()
    await all_done.wait()
    running.cancel()


async def test_a_running_job_whose_worker_vanished_for_good_is_ended_as_hung(house: House) -> None:
    job = await house.queue.post()
    async with house.queue.db.tx(SYSTEM) as tx:
        await store.acquire(tx, "gone", ["workspace_build"], dict(job.tags))
    await house.clock.advance(4 * 60)
    async with house.queue.db.tx(SYSTEM) as tx:
        assert await reap(tx, registry(house)) == 0
    await house.clock.advance(2 * 60)
    async with house.queue.db.tx(SYSTEM) as tx:
        assert await reap(tx, registry(house)) == 1
    assert await house.queue.state(job) == (
        "failed",
        (
            "Coder: Build has been detected as hung for 5 minutes and has been terminated "
            "by the reaper."
        ),
    )
    assert await house.queue.said(job) == [
        "====================",
        "Coder: Build has been detected as hung for 5 minutes and will be terminated.",
        "====================",
    ]
    assert house.kind.failures == [(job.id, None)]


async def test_the_reaper_ends_ten_jobs_at_a_time(house: House) -> None:
    for _ in range(REAP_AT_ONCE + 2):
        await house.queue.post()
    await house.clock.advance(31 * 60)
    ended: list[int] = []
    for _ in range(3):
        async with house.queue.db.tx(SYSTEM) as tx:
            ended.append(await reap(tx, registry(house)))
    assert ended == [10, 2, 0]
