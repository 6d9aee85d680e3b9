"""Two channels joined: what is said on one is heard on the other, and so is the end."""

import asyncio

import pytest

from server.network import Closed, first
from server.network.channel import closed_by
from server.network.pump import pump
from tests.server.network.pipes import MemoryChannel, pair


class Join:
    """A running pump between two streams, and the far ends of both."""

    def __init__(self, until: asyncio.Future[Closed] | None = None) -> None:
        self.client, near_client = pair()
        self.agent, near_agent = pair()
        self.up: list[int] = []
        self.down: list[int] = []
        self.task = asyncio.ensure_future(
            pump(near_client, near_agent, up=self.up.append, down=self.down.append, until=until)
        )

    async def ended(self) -> Closed:
        return await asyncio.wait_for(self.task, 5)


async def closed(channel: MemoryChannel) -> tuple[int, str]:
    with pytest.raises(Closed) as end:
        await asyncio.wait_for(channel.receive(), 5)
    return end.value.code, end.value.reason


async def test_frames_go_both_ways_and_are_counted() -> None:
    join = Join()
    await join.client.send(b"ask")
    assert await join.agent.receive() == b"ask"
    await join.agent.send(b"answer")
    assert await join.client.receive() == b"answer"
    await join.client.close()
    await join.ended()
    assert (sum(join.up), sum(join.down)) == (3, 6)


async def test_after_an_empty_frame_the_other_direction_stays_open() -> None:
    join = Join()
    await join.client.send(b"")
    assert await join.agent.receive() == b""
    for word in (b"still", b"here"):
        await join.agent.send(word)
        assert await join.client.receive() == word
    await join.agent.send(b"")
    assert await join.client.receive() == b""
    assert (await join.ended()).code == 1000
    assert await closed(join.client) == (1000, "")
    assert await closed(join.agent) == (1000, "")


async def test_an_end_is_passed_on_with_code_and_reason() -> None:
    join = Join()
    await join.agent.close(4404, "nobody listens")
    assert await closed(join.client) == (4404, "nobody listens")
    await join.ended()


async def test_what_was_sent_before_the_end_arrives() -> None:
    join = Join()
    await join.agent.send(b"last words")
    assert await join.client.receive() == b"last words"
    await join.agent.close(1000)
    assert (await closed(join.client))[0] == 1000


async def test_a_frame_after_the_last_one_ends_the_stream() -> None:
    join = Join()
    await join.client.send(b"")
    await join.client.send(b"more")
    assert await join.agent.receive() == b""
    assert (await closed(join.agent))[0] == 1002


async def test_a_stream_is_cut_for_another_reason_at_both_ends() -> None:
    until: asyncio.Future[Closed] = asyncio.get_running_loop().create_future()
    join = Join(until)
    until.set_result(Closed(4403, "no longer"))
    assert await closed(join.client) == (4403, "no longer")
    assert await closed(join.agent) == (4403, "no longer")
    assert (await join.ended()).code == 4403


async def test_a_cancelled_join_closes_both_ends() -> None:
    join = Join()
    await asyncio.sleep(0)
    join.task.cancel()
    assert (await closed(join.client))[0] == 1011
    assert (await closed(join.agent))[0] == 1011


async def test_nothing_is_kept_for_somebody_who_does_not_read() -> None:
    join = Join()

    async def flood() -> None:
        while True:
            await join.client.send(b"x" * 1000)

    flooding = asyncio.ensure_future(flood())
    for _ in range(200):
        await asyncio.sleep(0)
    # One frame in each of the two queues; a third is under way and not counted.
    assert sum(join.up) <= 2000
    assert not flooding.done()
    flooding.cancel()
    join.task.cancel()


@pytest.mark.parametrize(
    ("code", "told"),
    [(1000, 1000), (4404, 4404), (3999, 3999), (1005, 1011), (1006, 1011), (1012, 1011)],
)
def test_a_torn_line_does_not_pass_for_a_clean_end(code: int, told: int) -> None:
    assert closed_by(code).code == told


async def test_the_first_to_end_decides_and_an_error_is_raised_as_itself() -> None:
    async def forever() -> str:
        await asyncio.Event().wait()
        return ""

    async def now() -> str:
        return "now"

    async def fails() -> str:
        raise ZeroDivisionError

    assert await first([forever(), now()]) == "now"
    with pytest.raises(ZeroDivisionError):
        await first([forever(), fails()])
