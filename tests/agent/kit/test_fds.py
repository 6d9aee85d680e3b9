"""Bytes through descriptors: complete, in order, and never more in memory than agreed."""

import asyncio
import os

from agent.kit.fds import HIGH_WATER, FdReader, FdWriter, widen
from tests.agent.waiting import until


def _nothing() -> None:
    """Do nothing."""


async def test_a_reader_hands_over_everything_and_then_the_end() -> None:
    out, into = os.pipe()
    seen: list[bytes] = []
    ended = asyncio.Event()
    FdReader(out, seen.append, ended.set)
    os.write(into, b"one")
    os.close(into)
    await ended.wait()
    assert b"".join(seen) == b"one"


async def test_a_paused_reader_leaves_bytes_in_the_kernel() -> None:
    out, into = os.pipe()
    seen: list[bytes] = []
    reader = FdReader(out, seen.append, _nothing)
    reader.pause()
    os.write(into, b"one")
    await asyncio.sleep(0.01)
    assert seen == []
    reader.resume()
    await until(lambda: seen)
    reader.close()
    reader.resume()
    os.close(into)
    assert seen == [b"one"]


async def test_draining_takes_what_is_there_and_does_not_wait_for_the_other_end() -> None:
    out, into = os.pipe()
    seen: list[bytes] = []
    ends: list[bool] = []
    reader = FdReader(out, seen.append, lambda: ends.append(True))
    os.write(into, b"rest")
    reader.drain()
    reader.drain()
    assert (seen, ends) == ([b"rest"], [True])
    os.close(into)


async def test_a_writer_asks_for_a_pause_and_delivers_all() -> None:
    out, into = os.pipe()
    widen(into)
    events: list[str] = []
    writer = FdWriter(into, lambda: events.append("full"), lambda: events.append("room"))
    data = os.urandom(3 * HIGH_WATER + (1 << 20))
    writer.write(data[:5])
    writer.write(data[5:])
    writer.end()
    assert events == ["full"]
    seen = bytearray()
    ended = asyncio.Event()
    FdReader(out, seen.extend, ended.set)
    await ended.wait()
    assert bytes(seen) == data
    assert events == ["full", "room"]


async def test_a_reader_that_went_away_is_not_an_error_and_frees_the_source() -> None:
    out, into = os.pipe()
    events: list[str] = []
    writer = FdWriter(into, lambda: events.append("full"), lambda: events.append("room"))
    writer.write(b"x" * (1 << 20) + b"x" * HIGH_WATER)
    os.close(out)
    await until(lambda: events == ["full", "room"])
    writer.write(b"more")
    writer.end()


async def test_ending_twice_closes_once() -> None:
    out, into = os.pipe()
    writer = FdWriter(into, _nothing, _nothing)
    writer.end()
    writer.end()
    writer.close()
    assert os.read(out, 1) == b""
    os.close(out)
