"""Measure the relay: megabytes a second, and how long a stream takes to open.

Three processes, as in life: server (uvloop, PostgreSQL behind it), agent, client. Beside it, in
the same run, the same frames over one WebSocket between agent and client without a server.

Run it with ``python -m tests.bench.bench_relay``; it prints a table.
"""

import asyncio
import json
import logging
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import asdict
from functools import partial
from typing import Any
from uuid import UUID

import structlog
import uvloop
from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from tests.server.agents.house import Replica, echo, opened, scripted
from tests.server.agents.rows import AgentRows
from tests.support.postgres import TestPostgres, cloned

TOTAL = 512 * 1024 * 1024
SIZES = (32 * 1024, 256 * 1024)
SOURCE, SINK = 9000, 9100
OPENS = 200

Socket = ClientConnection | ServerConnection


async def source(size: int, stream: Socket) -> None:
    """Send ``TOTAL`` bytes in frames of ``size``."""
    frame = b"x" * size
    for _ in range(TOTAL // size):
        await stream.send(frame)
    await stream.send(b"")
    await stream.recv()


async def sink(stream: Socket) -> None:
    """Take everything, then say so."""
    while await stream.recv():
        pass
    await stream.send(b"")


async def server(dsn: str) -> None:
    """Serve until stdin ends."""
    async with opened(dsn) as house:
        replicas = [await house.replica(), await house.replica()]
        agent = await house.agent()
        workers = [asyncio.ensure_future(beat(replica)) for replica in replicas]
        facts = {name: str(value) for name, value in asdict(agent).items()}
        ports = [replica.port for replica in replicas]
        print(json.dumps({"ports": ports, "token": house.token, "agent": facts}), flush=True)
        await asyncio.to_thread(sys.stdin.read)
        for worker in workers:
            worker.cancel()


async def beat(replica: Replica) -> None:
    """Keep the agents of a replica connected."""
    while True:
        await asyncio.sleep(5)
        await replica.board.beat()


def rows_of(facts: dict[str, Any]) -> AgentRows:
    """Return an agent's rows as another process printed them."""
    ids: dict[str, Any] = {name: UUID(value) for name, value in facts.items() if name != "token"}
    return AgentRows(**ids, token=facts["token"])


async def agent(text: str) -> None:
    """Be the agent, and serve the same over a WebSocket of its own, until stdin ends."""
    said = json.loads(text)
    services: dict[int, Callable[[ClientConnection], Awaitable[None]]] = {22: echo, SINK: sink}
    services |= {SOURCE + at: partial(source, size) for at, size in enumerate(SIZES)}

    async def direct(connection: ServerConnection) -> None:
        assert connection.request
        port = int(connection.request.path.removeprefix("/"))
        try:
            await (sink(connection) if port == SINK else source(SIZES[port - SOURCE], connection))
        except ConnectionClosed:
            return

    replica = Replica(None, said["ports"][0])  # pyright: ignore[reportArgumentType]
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(
            scripted(replica, rows_of(said["agent"]), services=services)
        )
        listener = await stack.enter_async_context(
            serve(direct, "127.0.0.1", 0, compression=None, max_queue=8)
        )
        print(next(iter(listener.sockets)).getsockname()[1], flush=True)
        await asyncio.to_thread(sys.stdin.read)


async def download(stream: ClientConnection) -> float:
    """Return megabytes a second."""
    began = time.perf_counter()
    while await stream.recv():
        pass
    spent = time.perf_counter() - began
    await stream.send(b"")
    return TOTAL / spent / 1e6


async def upload(stream: ClientConnection, size: int) -> float:
    """Return megabytes a second."""
    frame = b"x" * size
    began = time.perf_counter()
    for _ in range(TOTAL // size):
        await stream.send(frame)
    await stream.send(b"")
    await stream.recv()
    return TOTAL / (time.perf_counter() - began) / 1e6


async def opening(dial: Callable[[], connect]) -> tuple[list[float], list[float]]:
    """Return milliseconds to the first byte, and of one round trip after it."""
    opens: list[float] = []
    trips: list[float] = []
    for _ in range(OPENS):
        began = time.perf_counter()
        async with dial() as stream:
            await stream.send(b"x")
            await stream.recv()
            opens.append(time.perf_counter() - began)
            began = time.perf_counter()
            await stream.send(b"x")
            await stream.recv()
            trips.append(time.perf_counter() - began)
    return [1e3 * each for each in opens], [1e3 * each for each in trips]


def show(what: str, values: list[float]) -> None:
    """Print the middle and the tail of some milliseconds."""
    p50, p95 = statistics.median(values), statistics.quantiles(values, n=20)[18]
    print(f"{what:<44} p50 {p50:6.2f} ms   p95 {p95:6.2f} ms")


async def client(said: dict[str, Any], direct_port: int) -> None:
    """Measure, and print."""
    rows, token = rows_of(said["agent"]), said["token"]
    near, far = (Replica(None, port) for port in said["ports"])  # pyright: ignore[reportArgumentType]
    for name, replica in (("", near), (" across replicas", far)):
        opens, trips = await opening(lambda at=replica: at.stream(rows, 22, token))
        show(f"open to first byte{name}", opens)
        show(f"round trip{name}", trips)
    options: dict[str, Any] = {"compression": None, "max_queue": 8, "proxy": None}
    for at, size in enumerate(SIZES):
        async with connect(f"ws://127.0.0.1:{direct_port}/{SOURCE + at}", **options) as stream:
            plain = await download(stream)
        async with connect(f"ws://127.0.0.1:{direct_port}/{SINK}", **options) as stream:
            plain_up = await upload(stream, size)
        for name, replica in (("", near), (" across replicas", far)):
            async with replica.stream(rows, SOURCE + at, token) as stream:
                down = await download(stream)
            async with replica.stream(rows, SINK, token) as stream:
                up = await upload(stream, size)
            frames = f"{size // 1024} KiB frames{name}"
            print(f"{'download, ' + frames:<44} {down:6.0f} MB/s = {down / plain:.2f} of direct")
            print(f"{'upload, ' + frames:<44} {up:6.0f} MB/s = {up / plain_up:.2f} of direct")


def spawn(*args: str) -> subprocess.Popen[str]:
    """Start one of the other processes."""
    return subprocess.Popen(
        [sys.executable, "-m", "tests.bench.bench_relay", *args],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def said_by(process: subprocess.Popen[str]) -> str:
    """Return the first line that is not a log."""
    assert process.stdout
    return next(line for line in process.stdout if line[0] == "{" or line.strip().isdigit())


def main() -> None:
    """Start everything, measure, stop everything."""
    postgres = TestPostgres()
    with cloned(postgres.start()) as dsn:
        serving = spawn("server", dsn)
        facts = said_by(serving)
        acting = spawn("agent", facts)
        try:
            uvloop.run(client(json.loads(facts), int(said_by(acting))))
        finally:
            for process in (acting, serving):
                process.communicate()
    postgres.stop()


if __name__ == "__main__":
    # Nobody reads what the processes say after their first line.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    match sys.argv[1:]:
        case ["server", dsn]:
            uvloop.run(server(dsn))
        case ["agent", facts]:
            uvloop.run(agent(facts))
        case _:
            main()
