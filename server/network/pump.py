"""Join two channels until one of them ends. Nothing is kept: one frame is under way at a time."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from server.network.channel import BROKEN, NORMAL, Channel
from server.network.errors import Closed

AFTER_EOF = 1002
T = TypeVar("T")
Tally = Callable[[int], None]


@dataclass(slots=True)
class _Join:
    """What both directions of one join share."""

    ended: Closed | None = None
    half_closed: int = 0


async def pump(
    client: Channel,
    agent: Channel,
    *,
    up: Tally,
    down: Tally,
    until: Awaitable[Closed] | None = None,
) -> Closed:
    """Copy frames both ways until one end closes or both said they are done; close both.

    ``up`` is told the size of each frame to the agent, ``down`` of each one from it. ``until``
    returns when the stream must end for another reason. Returns how it ended.
    """
    join = _Join()
    ways: list[Awaitable[Closed]] = [
        _copy(client, agent, join, up),
        _copy(agent, client, join, down),
    ]
    if until is not None:
        ways.append(until)
    try:
        join.ended = await first(ways)
    finally:
        ended = join.ended or Closed(BROKEN, "the server is stopping")
        await asyncio.gather(
            client.close(ended.code, ended.reason), agent.close(ended.code, ended.reason)
        )
    return ended


async def first(ways: Sequence[Awaitable[T]]) -> T:
    """Return what the first of ``ways`` to end returns, or raise what it raises; end the others."""
    results: list[T] = []
    errors: list[Exception] = []
    async with asyncio.TaskGroup() as group:
        tasks: list[asyncio.Task[None]] = []

        async def run(way: Awaitable[T]) -> None:
            try:
                results.append(await way)
            except Exception as error:  # noqa: BLE001 - raised again below, outside the group
                errors.append(error)
            for task in tasks:
                if task is not asyncio.current_task():
                    task.cancel()

        tasks.extend(group.create_task(run(way)) for way in ways)
    if results:
        return results[0]
    raise errors[0]


async def _copy(source: Channel, sink: Channel, join: _Join, tally: Tally) -> Closed:
    done = False
    try:
        while True:
            frame = await source.receive()
            if done:
                return Closed(AFTER_EOF, "a frame came after the last one")
            await sink.send(frame)
            tally(len(frame))
            if not frame:
                # Keep on receiving, to learn when this end goes away for good.
                done = True
                join.half_closed += 1
                if join.half_closed == 2:
                    return Closed(NORMAL)
    except Closed as closed:
        return closed
