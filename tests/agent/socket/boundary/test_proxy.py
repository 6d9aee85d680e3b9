"""The proxy of boundaries at work: a real socket, and a line that may be down."""

import asyncio
import socket
import stat
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from agent.socket.boundary import BoundaryProxy
from agent.upstream import CallFailed, LineDown
from coder_cli.sdk.agentapi.boundary import BoundaryLogs
from tests.agent.socket.boundary.protobuf import batch, entry, field, frame, status
from tests.agent.waiting import until

WHEN = datetime(2026, 3, 1, tzinfo=UTC)
ONE = batch(entry("https://a/", WHEN))
TWO = batch(entry("https://a/", WHEN), entry("https://b/", WHEN))


class Line:
    """A line that a test takes up and down."""

    def __init__(self) -> None:
        self.up = asyncio.Event()
        self.up.set()
        self.heard: list[BoundaryLogs] = []
        self.trouble: Exception | None = None

    async def tell(self, batch: BoundaryLogs) -> None:
        if self.trouble:
            raise self.trouble
        self.heard.append(batch)


def has_failed(proxy: BoundaryProxy, times: int) -> bool:
    return proxy.counts.batches["forward_failed"] == times


@asynccontextmanager
async def proxied(path: Path, line: Line) -> AsyncGenerator[BoundaryProxy]:
    proxy = BoundaryProxy((str(path),), line, line.tell)
    proxy.open()
    running = asyncio.ensure_future(proxy.run())
    try:
        yield proxy
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_batches_of_old_and_new_boundaries_are_forwarded(tmp_path: Path) -> None:
    line, path = Line(), tmp_path / "audit.sock"
    async with proxied(path, line) as proxy:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        _, writer = await asyncio.open_unix_connection(path)
        writer.write(frame(1, ONE) + frame(2, field(1, TWO)))
        await until(lambda: len(line.heard) == 2)
        assert [len(batch.logs) for batch in line.heard] == [1, 2]
        assert line.heard[0].session_id == "s-1"
        await until(lambda: proxy.counts.forwarded == 2)
        writer.close()


async def test_a_hundred_batches_wait_for_the_line_and_more_are_dropped_and_counted(
    tmp_path: Path,
) -> None:
    line, path = Line(), tmp_path / "audit.sock"
    line.up.clear()
    async with proxied(path, line) as proxy:
        _, writer = await asyncio.open_unix_connection(path)
        writer.write(frame(1, TWO) * 106)
        # A hundred wait, and one more may be in the forwarder's hand.
        await until(lambda: proxy.counts.batches["buffer_full"] >= 5)
        line.up.set()
        await until(lambda: proxy.counts.forwarded + proxy.counts.batches.total() == 106)
        dropped = proxy.counts.batches["buffer_full"]
        assert dropped in (5, 6)
        assert proxy.counts.logs["buffer_full"] == 2 * dropped
        # The server hears of what was lost with what comes next.
        assert sum(sum(batch.dropped.values()) for batch in line.heard) == 2 * dropped
        writer.close()


async def test_a_forward_that_fails_loses_its_batch_and_the_next_one_goes_on(
    tmp_path: Path,
) -> None:
    line, path = Line(), tmp_path / "audit.sock"
    async with proxied(path, line) as proxy:
        _, writer = await asyncio.open_unix_connection(path)
        for trouble in (LineDown("gone", sent=True), CallFailed("no")):
            line.trouble = trouble
            writer.write(frame(1, TWO))
            failed = 1 if isinstance(trouble, LineDown) else 2
            await until(partial(has_failed, proxy, failed))
        line.trouble = None
        writer.write(frame(1, ONE))
        await until(lambda: proxy.counts.forwarded == 1)
        assert line.heard[-1].dropped == {"forward_failed": 4}
        writer.close()


async def test_status_messages_tell_what_the_boundary_itself_has_dropped(tmp_path: Path) -> None:
    line, path = Line(), tmp_path / "audit.sock"
    async with proxied(path, line) as proxy:
        _, writer = await asyncio.open_unix_connection(path)
        writer.write(frame(2, status(3, 4)) + frame(2, field(1, ONE)) + frame(2, status(1, 0)))
        await until(lambda: proxy.counts.logs["boundary_channel_full"] == 4)
        await until(lambda: proxy.counts.forwarded == 1)
        text = proxy.counts.exposition()
        assert 'logs_dropped_total{reason="boundary_channel_full"} 4' in text
        assert 'logs_dropped_total{reason="boundary_batch_full"} 4' in text
        assert 'batches_dropped_total{reason="buffer_full"} 0' in text
        assert "batches_forwarded_total 1" in text
        writer.close()


async def test_a_bad_frame_closes_its_connection_and_no_other(tmp_path: Path) -> None:
    line, path = Line(), tmp_path / "audit.sock"
    async with proxied(path, line):
        good_reader, good = await asyncio.open_unix_connection(path)
        for words in (b"\x09\0\0\x01x", b"\x01\xff\xff\xff", frame(1, b"\xff\xff\xff")):
            reader, writer = await asyncio.open_unix_connection(path)
            writer.write(words)
            assert await reader.read() == b""
            writer.close()
        good.write(frame(1, ONE))
        await until(lambda: line.heard)
        assert not good_reader.at_eof()
        good.close()


async def test_a_stale_socket_is_replaced_and_ours_is_gone_after_the_end(tmp_path: Path) -> None:
    path = tmp_path / "audit.sock"
    stale = socket.socket(socket.AF_UNIX)
    stale.bind(str(path))
    stale.close()
    line = Line()
    proxy = BoundaryProxy((str(path),), line, line.tell)
    proxy.open()
    running = asyncio.ensure_future(proxy.run())
    _, writer = await asyncio.open_unix_connection(path)
    writer.write(frame(1, ONE))
    await until(lambda: line.heard)
    writer.close()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert not path.exists()


async def test_a_place_that_another_agent_has_is_left_to_it(tmp_path: Path) -> None:
    line, first, second = Line(), tmp_path / "a.sock", tmp_path / "b.sock"
    async with proxied(first, line):
        other = BoundaryProxy((str(first), str(second)), line, line.tell)
        other.open()
        assert other.path == str(second)
