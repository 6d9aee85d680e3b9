"""Jobs over a line: handed out as values, renewed, cut off, taken back, and ended believably."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from server.kit.errors import Unauthorized, Unavailable
from server.kit.pubsub import Pubsub
from server.provisioning.actions.wire import Said
from server.provisioning.convert import line as wire
from server.provisioning.errors import CallRefused, JobFailed, LeaseLost
from server.provisioning.model import Asked, Closing, Guest, Line, Result
from server.provisioning.model.bodies import CHUNK, LARGEST_BODY
from server.provisioning.model.line import Call
from server.provisioning.worker.line import LineSource
from server.terraform import Agent, App, Built, Failure, Imported, Owner, Resource
from tests.server.provisioning.conftest import SYSTEM, House
from tests.server.provisioning.far import BuildingKind, Far


@pytest.fixture
async def far(house: House) -> AsyncGenerator[Far]:
    """A server for daemons elsewhere."""
    pubsub = Pubsub(house.queue.db.dsn)
    hearing = asyncio.ensure_future(pubsub.run())
    yield Far(house, BuildingKind(), pubsub)
    hearing.cancel()
    await asyncio.gather(hearing, return_exceptions=True)


def ended(outcome: object, *, asked: Asked = Asked.NOTHING, failed: str = "") -> Closing:
    return Closing(Result(outcome, JobFailed(failed, outcome=outcome) if failed else None), asked)


async def until(check: Any) -> None:
    """Wait for something that the other tasks bring about, for a bounded number of turns."""
    for _ in range(2000):
        if await check():
            return
        await asyncio.sleep(0.005)
    raise AssertionError("it did not happen")


async def test_a_daemon_takes_a_job_does_it_and_leaves_no_directory(far: Far) -> None:
    far.kind.archive, far.kind.state = bytes(range(256)) * 4096, b"\xff\x00state"
    job = await far.queue.post()
    async with far.daemon() as daemon:
        await until(lambda: done(far, job))
        await until(lambda: idle(daemon))
    ((job_id, built),) = far.kind.applied
    assert job_id == job.id
    assert isinstance(built, Built)
    (asked,) = far.terraform.asked
    assert (asked.archive, getattr(asked, "state", None)) == (far.kind.archive, far.kind.state)
    assert "Apply complete!" in await far.queue.said(job)
    assert not list((far.house.cache / "far" / "jobs").iterdir())


async def test_a_daemon_tells_no_secret_of_its_order(far: Far) -> None:
    far.kind.owner = Owner(session_token="session-abc")
    far.terraform.script(builds=[Built(error=Failure("login session-abc: exit status 3"))])
    job = await far.queue.post()
    async with far.daemon():
        await until(lambda: done(far, job))
    failed = ("failed", "login (sensitive value): exit status 3")
    assert await far.queue.state(job) == failed


async def done(far: Far, job: Any) -> bool:
    return (await far.queue.state(job))[0] not in {"pending", "running", "canceling"}


async def test_a_body_goes_in_pieces_that_let_heartbeats_pass(far: Far) -> None:
    far.kind.archive = b"x" * 3 * CHUNK
    await far.queue.post()
    async with far.line() as line:
        await far.lease(line)
        other = far.lines[0].other
        assert other is not None
        assert max(other.sent) <= CHUNK + 4
        assert sum(other.sent) > 3 * CHUNK


async def test_a_job_goes_on_over_another_replica_when_the_line_was_cut(far: Far) -> None:
    far.terraform.gate.clear()
    job = await far.queue.post()
    async with far.daemon() as daemon:
        await until(lambda: busy(daemon))
        far.cut()
        while len(far.lines) < 2:
            await far.house.clock.wake_within(1)
        far.terraform.gate.set()
        await until(lambda: done(far, job))
    assert await far.queue.state(job) == ("succeeded", "")
    assert await far.queue.column(job, "attempt") == 1


async def idle(daemon: Any) -> bool:
    return not daemon.running


async def busy(daemon: Any) -> bool:
    return bool(daemon.running)


async def test_a_cancellation_is_told_at_once(far: Far) -> None:
    far.terraform.gate.clear()
    job = await far.queue.post()
    async with far.line() as line:
        lease = await far.lease(line)
        hearing = asyncio.ensure_future(lease.cancelled())
        await far.queue.cancel(job)
        await asyncio.wait_for(hearing, 30)
        assert await lease.renew() is True
        await lease.close(ended(Built(state=b"half"), asked=Asked.CANCEL, failed="interrupted"))
    assert await far.queue.state(job) == ("canceled", "")
    assert far.kind.failures == [(job.id, Built(state=b"half"))]


async def test_a_job_whose_line_broke_before_it_was_begun_is_free_at_once(far: Far) -> None:
    job = await far.queue.post()
    async with far.line() as line:
        said: Said = await line.call(Call.ACQUIRE, {})
        assert said.body
        far.cut()
        await asyncio.gather(*far.services)
        assert await far.queue.column(job, "lease_token") is None
        assert await far.queue.column(job, "attempt") == 0


async def test_whoever_lost_the_lease_is_told(far: Far) -> None:
    job = await far.queue.post()
    async with far.line() as line:
        lease = await far.lease(line)
        async with far.queue.db.tx(SYSTEM) as tx:
            await tx.run("UPDATE provisioner_jobs SET lease_token = gen_random_uuid()")
        assert await lease.renew() is None
        with pytest.raises(LeaseLost):
            await lease.say([])
        with pytest.raises(LeaseLost):
            await lease.close(ended(Built()))
    assert await far.queue.state(job) == ("running", "")
    assert far.kind.applied == []


async def test_a_token_that_was_made_up_is_worth_nothing(far: Far) -> None:
    await far.queue.post()
    async with far.line() as line:
        lease = await far.lease(line)
        forged = replace(lease, job=replace(lease.job, lease_token=uuid4()))
        with pytest.raises(LeaseLost):
            await forged.renew()


async def test_jobs_of_other_organizations_are_not_handed_out(far: Far) -> None:
    await far.queue.post()
    async with far.line() as line:
        lease = await far.lease(line)
        far.queue.organization_id = uuid4()
        async with far.queue.db.tx(SYSTEM) as tx:
            await tx.run(
                "INSERT INTO organizations (id, name, created_at, updated_at)"
                " VALUES (%(id)s, 'other', %(now)s, %(now)s)",
                {"id": far.queue.organization_id, "now": tx.now},
            )
        async with far.line() as theirs:
            with pytest.raises(LeaseLost):
                await replace(lease, line=theirs).renew()


async def test_tags_decide_who_gets_a_job(far: Far) -> None:
    job = await far.queue.post(tags={"scope": "organization", "owner": "", "gpu": "yes"})
    async with far.line() as line:
        asking = asyncio.ensure_future(LineSource(line, far.terraform).acquire("far"))
        await until(lambda: far.queue.column(job, "created_at"))
        await LineSource(line, far.terraform).enough()
        assert await asking is None
    far.guest_tags = {"scope": "organization", "owner": "", "gpu": "yes", "region": "eu"}
    async with far.line() as line:
        assert (await far.lease(line)).job.id == job.id


async def test_lines_are_stored_and_the_cut_is_told(far: Far) -> None:
    job = await far.queue.post()
    async with far.line() as line:
        lease = await far.lease(line)
        now = far.house.clock.now()
        good = Line(now, "provisioner", "info", "Planning infrastructure", "hello\0")
        assert (await lease.say([good])).cut_lines == 0
        big = replace(good, output="x" * 700_000)
        assert (await lease.say([big, big])).cut_lines == 1
        with pytest.raises(CallRefused, match="unknown source or level"):
            await lease.say([replace(good, level="shout")])
        with pytest.raises(CallRefused, match="unknown source or level"):
            await lease.say([replace(good, source="root")])
    assert (await far.queue.said(job))[0] == "hello\N{REPLACEMENT CHARACTER}"


AGENT = Agent("main", token="11111111-2222-3333-4444-555555555555")


def with_agents(*agents: Agent) -> Built:
    return Built(state=b"state", resources=(Resource("vm", "docker_container", agents=agents),))


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        (None, "has a result"),
        (Imported(), "another kind of job"),
        (with_agents(replace(AGENT, token="not-a-uuid")), "token is no UUID"),
        (with_agents(replace(AGENT, name="../etc")), "an agent's name"),
        (with_agents(AGENT, replace(AGENT, name="MAIN")), "two agents of one name"),
        (with_agents(replace(AGENT, display_apps=("rootkit",))), "a display app"),
        (with_agents(replace(AGENT, api_key_scope="everything")), "an agent's scope"),
        (with_agents(replace(AGENT, apps=(App("a/b", "x"),))), "an app's slug"),
        (with_agents(replace(AGENT, apps=(App("a", "x"), App("a", "y")))), "two apps of one slug"),
        (with_agents(replace(AGENT, apps=(App("a", "x", sharing_level="all"),))), "sharing level"),
        (with_agents(replace(AGENT, apps=(App("a", "x", open_in="hell"),))), "how an app opens"),
        (with_agents(replace(AGENT, directory="/home\0")), "a text with NUL"),
        (Built(resources=(Resource("vm", "x", daily_cost=-1),)), "a cost that cannot be"),
        (Built(resources=(Resource("x" * 2000, "x"),)), "a resource's name is too long"),
        (Built(resources=(Resource("vm", "x"),) * 20_001), "more than 20000 resources"),
        (with_agents(*(replace(AGENT, name=f"a{n}") for n in range(201))), "more than 200 agents"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_results_that_no_terraform_has_are_refused(
    far: Far, outcome: object, words: str
) -> None:
    job = await far.queue.post()
    async with far.line() as line:
        lease = await far.lease(line)
        with pytest.raises(JobFailed, match=words):
            await lease.close(ended(outcome))
        assert await far.queue.state(job) == ("running", "")
        assert far.kind.applied == []
        # As a failure it ends all the same, and its state is kept.
        await lease.close(ended(outcome, failed=words))
    assert (await far.queue.state(job))[0] == "failed"
    if isinstance(outcome, Built) and outcome.state:
        assert far.kind.failures == [(job.id, Built(state=b"state"))]


@pytest.mark.parametrize("asked", [Asked.CANCEL, Asked.FORCE, Asked.EXHAUSTED])
async def test_a_daemon_cannot_say_that_somebody_cancelled(far: Far, asked: Asked) -> None:
    job = await far.queue.post()
    async with far.line() as line:
        lease = await far.lease(line)
        await lease.close(ended(Built(state=b"s"), asked=asked, failed="no disk"))
    assert await far.queue.state(job) == ("failed", "no disk")


async def test_a_job_is_given_back_with_its_state(far: Far) -> None:
    job = await far.queue.post()
    async with far.line() as line:
        lease = await far.lease(line)
        await lease.close(ended(Built(state=b"s"), asked=Asked.RELEASE, failed="interrupted"))
        assert far.kind.releases == [(job.id, Built(state=b"s"))]
        again = await far.lease(line)
        assert (again.job.id, again.job.resumed) == (job.id, True)


NOBODY = b"11111111-2222-3333-4444-555555555555"


@pytest.mark.parametrize(
    "body",
    [
        b"not json",
        b"{}",
        b"[" * 100_000,
        b'{"job_id": "x", "token": "y", "failed": false, "asked": 0}',
        b'{"job_id": "%b", "token": "%b", "failed": false, "asked": 9}' % (NOBODY, NOBODY),
    ],
)
async def test_bodies_that_are_no_farewell_are_refused_without_repeating_them(
    far: Far, body: bytes
) -> None:
    async with far.line() as line:
        with pytest.raises(CallRefused) as refused:
            await line.call(Call.CLOSE, {}, body)
        assert len(str(refused.value)) < 300
        assert (await LineSource(line, far.terraform).hello()).version


@pytest.mark.parametrize(
    "frame",
    [
        "{",
        "[1]",
        "[" * 100_000,
        '{"jsonrpc": "2.0", "id": 1, "result": 5}',
        '{"jsonrpc": "2.0", "method": "hello", "id": 1, "params": {"value": {}, "body": [7, 5]}}',
        '"' + "x" * 1024 * 1024 + '"',
        b"abc",
        b"\0\0\0\1" + b"x" * (CHUNK + 1),
    ],
    ids=range(8),
)
async def test_a_line_that_is_abused_ends(far: Far, frame: str | bytes) -> None:
    pipe = await far.dial()
    await pipe.send(frame)
    ended = await far.services[-1]
    assert ended.code == 1008


async def test_more_than_a_line_holds_ends_it(far: Far) -> None:
    pipe = await far.dial()
    for number in range(9):
        await pipe.send(number.to_bytes(4, "big") + b"x")
    assert "too many payloads" in str(await far.services[-1])


async def test_what_is_too_big_to_travel_is_said_so(far: Far) -> None:
    await far.queue.post()
    async with far.line() as line:
        lease = await far.lease(line)
        with pytest.raises(JobFailed, match="payload was too big"):
            await lease.close(ended(Built(state=b"x" * LARGEST_BODY)))
        await lease.close(
            Closing(Result(None, JobFailed("too big"), ask_kind=False), Asked.NOTHING)
        )


async def test_unknown_calls_are_refused(far: Far) -> None:
    async with far.line() as line:
        with pytest.raises(CallRefused, match="unknown call 'cancelled'"):
            await line.call(Call.CANCELLED, {})


async def test_a_daemon_that_is_welcome_no_more_gets_no_jobs(far: Far) -> None:
    job = await far.queue.post()

    async def no_more() -> Guest:
        raise Unauthorized("provisioner daemon key invalid")

    far.still = no_more
    async with far.line() as line:
        with pytest.raises(Unavailable):
            await line.call(Call.ACQUIRE, {})
        ended = await far.services[0]
    assert (ended.code, str(ended)) == (4401, "provisioner daemon key invalid")
    assert await far.queue.state(job) == ("pending", "")


async def test_orders_come_back_as_they_were(far: Far) -> None:
    job = await far.queue.post()
    async with far.queue.db.tx(SYSTEM) as tx:
        order: Any = await far.kind.load(tx, job)
    work = wire.BuildWork(request=order.request)
    assert wire.from_body(wire.BuildWork, wire.to_body(work)) == work
