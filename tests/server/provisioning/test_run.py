"""Running a job: success, failure, refusals, cancellation, and losing one's lease."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from structlog.testing import capture_logs

from server.provisioning import AlreadyCanceled, Console, Job, JobCompleted, JobFailed
from server.provisioning.model import BEAT_SECONDS, LOG_LIMIT
from server.provisioning.model.endings import CANCEL_TIMED_OUT, TOO_MANY_LOST
from server.provisioning.model.logs import FULL
from server.provisioning.store import jobs as store
from server.terraform import FakeTerraform
from tests.server.provisioning.conftest import SYSTEM, House


class Gate:
    """Work that waits: for the gate to open, or for its cancellation."""

    def __init__(self, *, deaf: bool = False) -> None:
        self.begun = asyncio.Event()
        self.open = asyncio.Event()
        self.deaf = deaf
        self.consoles: list[Console] = []

    async def __call__(self, job: Job, console: Console) -> object:
        self.consoles.append(console)
        self.begun.set()
        waits: list[asyncio.Future[Any]] = [asyncio.ensure_future(self.open.wait())]
        if not self.deaf or len(self.consoles) > 1:
            waits.append(asyncio.ensure_future(console.cancelled.wait()))
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
        if console.cancelled.is_set() and not self.open.is_set():
            raise JobFailed("interrupted", outcome=console.recovered or b"half a state")
        return "made"


async def test_a_job_that_works_is_applied_and_leaves_no_directory(house: House) -> None:
    job = await house.queue.post()
    assert await house.daemons().turn("host-0")
    assert house.kind.applied == [(job.id, "made")]
    assert await house.queue.state(job) == ("succeeded", "")
    assert await house.queue.said(job) == ["made"]
    assert not house.work_dir(job).exists()
    assert not await house.daemons().turn("host-0")


async def test_a_failure_keeps_its_words_its_code_and_its_outcome(house: House) -> None:
    async def fail(job: Job, console: Console) -> object:
        raise JobFailed("no disk", "REQUIRED_TEMPLATE_VARIABLES", outcome=b"state")

    house.kind.work_with = fail
    job = await house.queue.post()
    await house.daemons().turn("host-0")
    assert await house.queue.state(job) == ("failed", "no disk")
    assert await house.queue.column(job, "error_code") == "REQUIRED_TEMPLATE_VARIABLES"
    assert house.kind.failures == [(job.id, b"state")]
    assert house.kind.applied == []


async def test_an_error_is_cut_and_storable(house: House) -> None:
    async def fail(job: Job, console: Console) -> object:
        raise JobFailed("a\0b" + "x" * 10_000)

    house.kind.work_with = fail
    job = await house.queue.post()
    await house.daemons().turn("host-0")
    _, error = await house.queue.state(job)
    assert error.startswith("a\N{REPLACEMENT CHARACTER}bxxx")
    assert error.endswith("x\n[1811 characters left out; the log has them all]")


async def test_a_job_ends_even_when_its_failure_cannot_be_written(house: House) -> None:
    async def fail(job: Job, console: Console) -> object:
        raise JobFailed("no disk")

    async def broken(tx: object, job: Job, outcome: object) -> None:
        raise ZeroDivisionError

    house.kind.work_with = fail
    house.kind.failed = broken
    job = await house.queue.post()
    await house.daemons().turn("host-0")
    assert await house.queue.state(job) == ("failed", "no disk")


async def test_a_crash_of_the_work_fails_the_job_and_not_the_worker(house: House) -> None:
    async def crash(job: Job, console: Console) -> object:
        raise ZeroDivisionError("oops")

    house.kind.work_with = crash
    job = await house.queue.post()
    assert await house.daemons().turn("host-0")
    assert await house.queue.state(job) == ("failed", "The job crashed: oops")


@pytest.mark.parametrize(
    ("refusal", "error"),
    [
        (JobFailed("insufficient quota"), "insufficient quota"),
        (KeyError("x"), "The result of the job could not be saved: 'x'"),
    ],
)
async def test_a_result_that_cannot_be_applied_fails_with_its_outcome_saved(
    house: House, refusal: Exception, error: str
) -> None:
    house.kind.refuse.append(refusal)
    job = await house.queue.post()
    await house.daemons().turn("host-0")
    assert await house.queue.state(job) == ("failed", error)
    assert house.kind.failures == [(job.id, "made")]


async def test_a_pending_job_is_cancelled_at_once(house: House) -> None:
    job = await house.queue.post()
    assert (await house.queue.cancel(job)).state == "canceled"
    assert await house.queue.state(job) == ("canceled", "")
    assert not await house.daemons().turn("host-0")
    with pytest.raises(AlreadyCanceled):
        await house.queue.cancel(job)


async def test_a_running_job_hears_of_its_cancellation_and_saves_what_it_has(
    house: House,
) -> None:
    house.kind.work_with = gate = Gate()
    job = await house.queue.post()
    turn = asyncio.ensure_future(house.daemons().turn("host-0"))
    await gate.begun.wait()
    assert (await house.queue.cancel(job)).state == "canceling"
    await house.clock.advance(5)
    await turn
    assert await house.queue.state(job) == ("canceled", "")
    assert house.kind.failures == [(job.id, b"half a state")]
    with pytest.raises(AlreadyCanceled):
        await house.queue.cancel(job)


async def test_a_job_that_was_done_before_its_cancellation_arrived_has_succeeded(
    house: House,
) -> None:
    house.kind.work_with = gate = Gate(deaf=True)
    job = await house.queue.post()
    turn = asyncio.ensure_future(house.daemons().turn("host-0"))
    await gate.begun.wait()
    await house.queue.cancel(job)
    gate.open.set()
    await turn
    assert await house.queue.state(job) == ("succeeded", "")
    with pytest.raises(JobCompleted):
        await house.queue.cancel(job)


async def test_a_job_that_ignores_its_cancellation_is_killed_and_its_state_saved(
    house: House,
) -> None:
    house.kind.work_with = gate = Gate(deaf=True)
    job = await house.queue.post()
    house.terraform.left_behind[house.work_dir(job)] = b"what was made"
    turn = asyncio.ensure_future(house.daemons().turn("host-0"))
    await gate.begun.wait()
    await house.queue.cancel(job)
    while not gate.consoles[0].cancelled.is_set():
        await house.clock.advance(5)
    await house.clock.advance(timedelta(minutes=11).total_seconds())
    await turn
    assert await house.queue.state(job) == ("failed", CANCEL_TIMED_OUT)
    assert house.kind.failures == [(job.id, b"what was made")]


async def test_what_a_job_says_is_capped_and_the_cut_is_told(house: House) -> None:
    async def shout(job: Job, console: Console) -> object:
        for _ in range(40):
            console.log("info", "Planning infrastructure", "x" * 65536)
        return "made"

    house.kind.work_with = shout
    job = await house.queue.post()
    await house.daemons().turn("host-0")
    said = await house.queue.said(job)
    assert said[-2:] == [FULL, "[25 lines (1638425 bytes) were left out of this log.]"]
    assert LOG_LIMIT - 65537 < sum(len(text) for text in said[:-2]) <= LOG_LIMIT
    assert await house.queue.column(job, "logs_overflowed") is True


async def test_a_dead_workers_job_is_taken_over_with_the_state_it_left(house: House) -> None:
    house.kind.work_with = gate = Gate()
    job = await house.queue.post()
    dead = asyncio.ensure_future(house.daemons("one").turn("one-0"))
    await gate.begun.wait()
    dead.cancel()
    await asyncio.gather(dead, return_exceptions=True)
    house.terraform.left_behind[house.work_dir(job)] = b"half"
    other = house.daemons("two")
    assert not await other.turn("two-0"), "the lease still holds"
    await house.clock.advance(16)
    gate.open.set()
    assert await other.turn("two-0")
    assert gate.consoles[1].recovered == b"half"
    assert house.terraform.swept == [house.work_dir(job)]
    assert house.kind.applied == [(job.id, "made")]
    assert await house.queue.said(job) == [
        "The server that ran this job is gone. The job is resumed on two.",
        "The Terraform state of the run before was recovered.",
    ]


async def test_whoever_lost_the_lease_writes_nothing(house: House) -> None:
    house.kind.work_with = gate = Gate()
    job = await house.queue.post()
    slow = asyncio.ensure_future(house.daemons("one").turn("one-0"))
    await gate.begun.wait()
    async with house.queue.db.tx(SYSTEM) as tx:
        await tx.run("UPDATE provisioner_jobs SET lease_expires_at = '2000-01-01T00:00Z'")
    gate.begun.clear()
    quick = asyncio.ensure_future(house.daemons("two").turn("two-0"))
    await gate.begun.wait()
    house.kind.work_with = gate
    await house.clock.advance(5)  # The heartbeat of the first finds another's lease.
    await slow
    assert house.kind.applied == []
    gate.open.set()
    await quick
    assert house.kind.applied == [(job.id, "made")]
    assert house.kind.failures == []


async def test_a_heartbeat_beside_the_end_of_its_job_loses_nothing(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    writing, go_on = asyncio.Event(), asyncio.Event()
    apply = house.kind.apply

    async def slow(tx: Any, job: Job, outcome: object) -> None:
        await apply(tx, job, outcome)
        writing.set()
        await go_on.wait()

    async def nobody(tx: Any, *_: Any) -> None:
        """Answer as the row does once the end is committed."""

    monkeypatch.setattr(house.kind, "apply", slow)
    monkeypatch.setattr(store, "renew", nobody)
    job = await house.queue.post()
    with capture_logs() as said:
        turn = asyncio.ensure_future(house.daemons().turn("host-0"))
        await writing.wait()
        await house.clock.advance(BEAT_SECONDS)
        go_on.set()
        await turn
    assert await house.queue.state(job) == ("succeeded", "")
    assert [line for line in said if line["event"] == "lease lost"] == []
    assert not house.work_dir(job).exists()


async def test_lines_under_way_at_the_end_of_a_job_are_kept(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    flushing, go_on, done = asyncio.Event(), asyncio.Event(), asyncio.Event()
    lock_leased = store.lock_leased

    async def slow(tx: Any, job: Job) -> Job | None:
        if not flushing.is_set():
            flushing.set()
            await go_on.wait()
        return await lock_leased(tx, job)

    async def talk(job: Job, console: Console) -> object:
        console.log("info", "Starting workspace", "first")
        await flushing.wait()
        console.log("info", "Starting workspace", "last")
        done.set()
        return "made"

    house.kind.work_with = talk
    monkeypatch.setattr(store, "lock_leased", slow)
    job = await house.queue.post()
    turn = asyncio.ensure_future(house.daemons().turn("host-0"))
    while not flushing.is_set():
        await house.clock.advance(0.25)
    await done.wait()
    for _ in range(20):  # Time enough for an end that does not wait for the lines.
        await house.queue.state(job)
    go_on.set()
    await turn
    assert await house.queue.said(job) == ["first", "last"]


async def test_a_job_that_lost_three_workers_fails_with_its_state_saved(house: House) -> None:
    house.kind.work_with = gate = Gate(deaf=True)
    job = await house.queue.post()
    async with house.queue.db.tx(SYSTEM) as tx:
        await tx.run(
            "UPDATE provisioner_jobs SET attempt = 3, started_at = %(now)s, "
            "lease_token = gen_random_uuid(), lease_expires_at = '2000-01-01T00:00Z'",
            {"now": tx.now},
        )
    house.work_dir(job).mkdir(parents=True)
    house.terraform.left_behind[house.work_dir(job)] = b"kept"
    gate.deaf = False
    await house.daemons().turn("host-0")
    assert await house.queue.state(job) == ("failed", TOO_MANY_LOST)
    assert house.kind.failures == [(job.id, b"kept")]


async def test_the_work_directory_is_empty_and_private(house: House) -> None:
    seen: list[tuple[int, int]] = []

    async def look(job: Job, console: Console) -> object:
        mode = console.work_dir.stat().st_mode & 0o777
        seen.append((mode, len(list(console.work_dir.iterdir()))))
        return "made"

    house.kind.work_with = look
    job = await house.queue.post()
    house.work_dir(job).mkdir(parents=True)
    (house.work_dir(job) / "stale").touch()
    house.terraform = FakeTerraform()
    await house.daemons().turn("host-0")
    assert seen == [(0o700, 0)]


async def test_the_state_of_a_lost_run_stays_on_the_disk_until_the_work_has_it(
    house: House,
) -> None:
    seen: list[list[str]] = []

    async def look(job: Job, console: Console) -> object:
        seen.append(sorted(path.name for path in console.work_dir.iterdir()))
        return "made"

    house.kind.work_with = look
    job = await house.queue.post()
    (house.work_dir(job) / "modules").mkdir(parents=True)
    for name in ("terraform.tfstate", "errored.tfstate", "main.tf"):
        (house.work_dir(job) / name).touch()
    await house.daemons().turn("host-0")
    assert seen == [["errored.tfstate", "terraform.tfstate"]]
    assert not house.work_dir(job).exists()


async def test_a_resumed_job_that_crashes_saves_what_was_recovered(house: House) -> None:
    runs: list[bytes | None] = []

    async def crash(job: Job, console: Console) -> object:
        runs.append(console.recovered)
        if console.cancelled.is_set():
            raise JobFailed("cancelled", outcome=console.recovered)
        raise ZeroDivisionError("oops")

    house.kind.work_with = crash
    job = await house.queue.post()
    house.work_dir(job).mkdir(parents=True)
    house.terraform.left_behind[house.work_dir(job)] = b"all there is"
    await house.daemons().turn("host-0")
    assert runs == [b"all there is", b"all there is"]
    assert await house.queue.state(job) == ("failed", "The job crashed: oops")
    assert house.kind.failures == [(job.id, b"all there is")]


async def test_a_host_without_room_for_the_job_says_so(house: House) -> None:
    (house.cache / "jobs").write_text("a file in the way")
    job = await house.queue.post()
    await house.daemons().turn("host-0")
    state, error = await house.queue.state(job)
    assert (state, error) == (
        "failed",
        (
            f"host cannot prepare {house.work_dir(job)}: Not a directory. See that its disk has "
            "room and may be written to, then try again."
        ),
    )
