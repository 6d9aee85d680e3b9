"""A replica's workers: how they are seen, and how they stop in order."""

import asyncio
from uuid import UUID

from server.provisioning import Console, Job, JobFailed, JobType, Registry
from server.provisioning.actions.reap import reap
from server.provisioning.model import free_names
from tests.server.provisioning.conftest import SYSTEM, House
from tests.server.provisioning.test_run import Gate


async def names(house: House) -> list[tuple[str, bool]]:
    async with house.queue.db.tx(SYSTEM) as tx:
        rows = await tx.rows(
            "SELECT name, replica_id IS NOT NULL AS alive FROM provisioner_daemons ORDER BY name"
        )
    return [(row["name"], row["alive"]) for row in rows]


def test_names_of_living_daemons_are_left_alone() -> None:
    assert free_names("h", {"h-0", "h-2"}, 3) == ["h-1", "h-3", "h-4"]


async def test_replicas_of_one_host_do_not_share_names_but_a_dead_ones_are_reused(
    house: House,
) -> None:
    await house.daemons(count=2).register()
    await house.daemons(count=2).register()
    assert [name for name, _ in await names(house)] == ["host-0", "host-1", "host-2", "host-3"]
    await house.clock.advance(60)
    await house.daemons(count=3).register()
    assert len(await names(house)) == 4


async def test_daemons_are_listed_as_soon_as_there_is_an_organization(house: House) -> None:
    async with house.queue.db.tx(SYSTEM) as tx:
        await tx.run("UPDATE organizations SET deleted = true")
    daemons = house.daemons()
    await daemons.register()
    assert await names(house) == []
    async with house.queue.db.tx(SYSTEM) as tx:
        await tx.run("UPDATE organizations SET deleted = false")
    running = asyncio.ensure_future(daemons.run())
    while not await names(house):
        await house.clock.advance(1)
    assert house.clock.monotonic() < 10
    running.cancel()


async def test_stopping_lets_a_running_job_finish(house: House) -> None:
    house.kind.work_with = gate = Gate()
    job = await house.queue.post()
    daemons = house.daemons()
    running = asyncio.ensure_future(daemons.run())
    await gate.begun.wait()
    stopping = asyncio.ensure_future(daemons.stop(grace=30))
    gate.open.set()
    await stopping
    assert await house.queue.state(job) == ("succeeded", "")
    assert await names(house) == [("host-0", False)]
    running.cancel()


async def test_stopping_gives_back_a_job_that_takes_too_long(house: House) -> None:
    house.kind.work_with = gate = Gate()
    job = await house.queue.post()
    daemons = house.daemons("one")
    running = asyncio.ensure_future(daemons.run())
    await gate.begun.wait()
    stopping = asyncio.ensure_future(daemons.stop(grace=30))
    await house.clock.advance(31)
    await stopping
    running.cancel()
    assert await house.queue.state(job) == ("running", "")
    assert house.kind.releases == [(job.id, b"half a state")]
    assert house.kind.failures == []
    gate.open.set()
    assert await house.daemons("two").turn("two-0"), "it is taken at once"
    assert await house.queue.state(job) == ("succeeded", "")
    assert await house.queue.column(job, "attempt") == 1


async def test_a_stopping_replica_takes_no_more_jobs(house: House) -> None:
    daemons = house.daemons()
    await daemons.stop(grace=0)
    job = await house.queue.post()
    running = asyncio.ensure_future(daemons.run())
    await house.clock.advance(6)
    running.cancel()
    assert await house.queue.state(job) == ("pending", "")


async def test_a_job_is_taken_within_the_poll_when_its_notification_is_lost(
    house: House,
) -> None:
    done = asyncio.Event()

    async def work(job: Job, console: Console) -> object:
        done.set()
        return "made"

    house.kind.work_with = work
    running = asyncio.ensure_future(house.daemons().run())
    await house.queue.post()
    while not done.is_set():
        await house.clock.advance(5)
        await asyncio.sleep(0)
    running.cancel()


async def test_leftovers_of_ended_jobs_are_removed_at_the_start(house: House) -> None:
    over, goes_on = UUID(int=1), await house.queue.post(tags={"scope": "user", "owner": "x"})
    stale = house.cache / "jobs" / str(over)
    stale.mkdir(parents=True)
    house.work_dir(goes_on).mkdir()
    await house.daemons().tidy()
    assert house.terraform.swept == [stale]
    assert not stale.exists()
    assert house.work_dir(goes_on).exists()


async def test_a_job_that_nobody_takes_is_ended_with_words(house: House) -> None:
    job = await house.queue.post(tags={"scope": "organization", "owner": "", "gpu": "yes"})
    await house.clock.advance(29 * 60)
    async with house.queue.db.tx(SYSTEM) as tx:
        assert await reap(tx, _registry(house)) == 0
    await house.clock.advance(2 * 60)
    async with house.queue.db.tx(SYSTEM) as tx:
        assert await reap(tx, _registry(house)) == 1
    assert await house.queue.state(job) == (
        "failed",
        (
            "Coder: Build has been detected as pending for 30 minutes and has been terminated "
            "by the reaper."
        ),
    )
    assert await house.queue.said(job) == [
        "====================",
        "Coder: Build has been detected as pending for 30 minutes and will be terminated.",
        "====================",
    ]
    assert house.kind.failures == [(job.id, None)]


async def test_a_hung_job_ends_even_when_its_kind_cannot_write_that(house: House) -> None:
    job = await house.queue.post()
    async with house.queue.db.tx(SYSTEM) as tx:
        await tx.run("UPDATE provisioner_jobs SET started_at = %(now)s", {"now": tx.now})

    async def broken(tx: object, job: Job, outcome: object) -> None:
        raise JobFailed("no")

    house.kind.failed = broken
    await house.clock.advance(6 * 60)
    async with house.queue.db.tx(SYSTEM) as tx:
        assert await reap(tx, _registry(house)) == 1
    assert (await house.queue.state(job))[1].startswith("Coder: Build has been detected as hung")


def _registry(house: House) -> Registry:
    return Registry({JobType.WORKSPACE_BUILD: house.kind})
