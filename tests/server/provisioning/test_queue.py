"""Who gets which job: order, priority, tags, and nobody twice."""

import asyncio
from collections import Counter
from uuid import UUID

from server import provisioning
from server.provisioning.store import jobs as store
from tests.server.provisioning.conftest import SYSTEM, House, Queue
from tests.support.clock import FakeClock

PLAIN = {"scope": "organization", "owner": ""}


async def take(queue: Queue, tags: dict[str, str] = PLAIN) -> UUID | None:
    async with queue.db.tx(SYSTEM) as tx:
        job = await store.acquire(tx, "worker", ["workspace_build"], tags)
    return job and job.id


async def test_the_oldest_job_of_the_highest_priority_goes_first(
    queue: Queue, clock: FakeClock
) -> None:
    background = await queue.post(priority=-1)
    await clock.advance(1)
    first = await queue.post()
    await clock.advance(1)
    second = await queue.post()
    assert [await take(queue) for _ in range(4)] == [first.id, second.id, background.id, None]


async def test_a_job_goes_to_a_daemon_that_has_all_its_tags(queue: Queue) -> None:
    job = await queue.post(tags={**PLAIN, "gpu": "yes"})
    assert await take(queue) is None
    assert await take(queue, {**PLAIN, "gpu": "no"}) is None
    assert await take(queue, {**PLAIN, "gpu": "yes", "zone": "a"}) == job.id


async def test_a_job_without_tags_of_its_own_goes_to_plain_daemons_only(queue: Queue) -> None:
    job = await queue.post()
    assert await take(queue, {**PLAIN, "gpu": "yes"}) is None
    assert await take(queue) == job.id


async def test_two_replicas_racing_for_fifty_jobs_run_each_once(house: House) -> None:
    jobs = [await house.queue.post() for _ in range(50)]
    replicas = [house.daemons("one", 2), house.daemons("two", 2)]

    async def drain(name: str, replica: provisioning.Daemons) -> None:
        while await replica.turn(name):
            continue

    await asyncio.gather(
        *(drain(f"{n}-{i}", replica) for n, replica in enumerate(replicas) for i in range(2))
    )
    assert Counter(job_id for job_id, _ in house.kind.applied) == Counter(job.id for job in jobs)
    assert {await house.queue.column(job, "attempt") for job in jobs} == {1}
    assert {(await house.queue.state(job)) for job in jobs} == {("succeeded", "")}


async def test_people_see_their_place_in_the_queue(queue: Queue, clock: FakeClock) -> None:
    jobs: list[provisioning.Job] = []
    for _ in range(3):
        jobs.append(await queue.post())
        await clock.advance(1)
    await take(queue)
    async with queue.db.tx(SYSTEM) as tx:
        seen = await provisioning.jobs(tx, [job.id for job in jobs])
    places = [(seen[job.id].queue_position, seen[job.id].queue_size) for job in jobs]
    assert places == [(0, 0), (1, 2), (2, 2)]
