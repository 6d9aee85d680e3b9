"""Many chats at once with the scripted model: turns a second, queries a turn, first words, memory.

    python -m tests.bench.bench_chats [--chats 600] [--turns 10] [--streams 600] [--at-once 64]

Runs a server of its own on a database of its own; everything, this driver too, is on this machine.
Every chat gets its next message when its turn is over. ``queries`` are those of the whole server by
``pg_stat_statements`` where PostgreSQL has it, else transactions; they include what the clients ask
for themselves. Rereads are messages that listeners' replica had to read although it stored them.
"""

import argparse
import asyncio
import json
import statistics
import tempfile
import time
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import psycopg
from websockets.asyncio.client import ClientConnection, connect

from tests.support.house import House
from tests.support.postgres import TestPostgres, cloned

PASSWORD = "Correct-Horse-9-Battery"
WORDS = "say done"
STATEMENTS = "SELECT coalesce(sum(calls), 0)::bigint FROM pg_stat_statements WHERE toplevel"
TRANSACTIONS = """
    SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()
"""


class Http:
    """HTTP/1.1 with kept connections and nothing else: the driver shares the machine."""

    def __init__(self, port: int, token: str, most: int) -> None:
        self._port, self._token = port, token
        self._idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
        self._few = asyncio.Semaphore(most)

    async def post(self, path: str, body: Any) -> Any:
        """Post JSON and return the answer's."""
        async with self._few:
            pair = self._idle.pop() if self._idle else None
            reader, writer = pair or await asyncio.open_connection("127.0.0.1", self._port)
            content = json.dumps(body).encode()
            writer.write(
                f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{self._port}\r\n"
                f"Coder-Session-Token: {self._token}\r\nContent-Type: application/json\r\n"
                f"Content-Length: {len(content)}\r\n\r\n".encode()
                + content
            )
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            length = next(
                int(line.split(":")[1])
                for line in head.split("\r\n")
                if line.lower().startswith("content-length:")
            )
            answer = await reader.readexactly(length)
            self._idle.append((reader, writer))
        assert head.split()[1].startswith("2"), (head.split()[1], answer[:300])
        return json.loads(answer)


@dataclass
class Figures:
    """What was measured."""

    firsts: list[float] = field(default_factory=list[float])
    """Seconds from a message to the first word that a listener hears."""
    turns: int = 0
    ends: dict[str, asyncio.Event] = field(default_factory=dict[str, asyncio.Event])
    sent: dict[str, float] = field(default_factory=dict[str, float])


@dataclass
class Bench:
    """A server, a driver, and how much of everything."""

    house: House
    options: argparse.Namespace
    figures: Figures = field(default_factory=Figures)
    token: str = ""

    async def run(self) -> None:
        """Drive all chats, and print what came of it."""
        http = await self._log_in()
        async with AsyncExitStack() as stack:
            tasks = await stack.enter_async_context(asyncio.TaskGroup())
            watch = await stack.enter_async_context(self._socket("/api/v2/chats/watch"))
            listening = [tasks.create_task(self._watch(watch))]
            began = time.monotonic()
            ids = await asyncio.gather(*(self._create(http) for _ in range(self.options.chats)))
            await asyncio.gather(*(self._ended(id_) for id_ in ids))
            print(
                f"{len(ids)} chats made, each with a first turn: {time.monotonic() - began:.1f} s"
            )
            for id_ in ids[: self.options.streams]:
                socket = await stack.enter_async_context(
                    self._socket(f"/api/v2/chats/{id_}/stream")
                )
                listening.append(tasks.create_task(self._hear(socket, id_)))
            await asyncio.sleep(1)
            await self._follow_ups(http, ids)
            for task in listening:
                task.cancel()

    async def _follow_ups(self, http: Http, ids: list[str]) -> None:
        before, reread = self._queries(), self._metric("coderd_chatd_stream_rereads_total")
        began, cpu = time.monotonic(), self._cpu()
        await asyncio.gather(*(self._chat(http, id_) for id_ in ids))
        took = time.monotonic() - began
        after, name = self._queries()[0], before[1]
        turns = self.figures.turns
        rereads = self._metric("coderd_chatd_stream_rereads_total") - reread
        firsts = sorted(self.figures.firsts) or [0.0]
        print(f"{turns} follow-up turns of {len(ids)} chats in {took:.1f} s: {turns / took:.0f}/s")
        print(f"{name} per turn, posts and listeners included: {(after - before[0]) / turns:.2f}")
        now = self._cpu()
        print(
            "CPU per turn: "
            + ", ".join(f"{who} {(now[who] - cpu[who]) / turns * 1e3:.1f} ms" for who in cpu)
        )
        print(f"rereads per turn on the persisting replica: {rereads / turns:.3f}")
        print(
            f"message to first word at a listener: p50 {statistics.median(firsts) * 1e3:.0f} ms, "
            f"p95 {firsts[int(len(firsts) * 0.95)] * 1e3:.0f} ms"
        )
        memory = sum(one.memory_info().rss for one in self._servers())
        print(f"memory of the server's processes: {memory / 2**20:.0f} MiB")

    async def _log_in(self) -> Http:
        http = Http(self.house.port, "", 4)
        await http.post(
            "/api/v2/users/first",
            {"email": "ann@example.com", "username": "ann", "password": PASSWORD},
        )
        answer = await http.post(
            "/api/v2/users/login", {"email": "ann@example.com", "password": PASSWORD}
        )
        self.token = answer["session_token"]
        return Http(self.house.port, self.token, self.options.at_once)

    @asynccontextmanager
    async def _socket(self, path: str) -> AsyncGenerator[ClientConnection]:
        async with connect(
            f"ws://127.0.0.1:{self.house.port}{path}",
            additional_headers={"Coder-Session-Token": self.token},
            compression=None,
            max_size=None,
            ping_interval=None,
        ) as socket:
            yield socket

    async def _create(self, http: Http) -> str:
        organization = self._organization()
        chat = await http.post(
            "/api/v2/chats",
            {"organization_id": organization, "content": [{"type": "text", "text": WORDS}]},
        )
        return chat["id"]

    def _organization(self) -> str:
        if not hasattr(self, "_home"):
            with psycopg.connect(self.house.env["CODER_PG_CONNECTION_URL"]) as db:
                row = db.execute("SELECT id FROM organizations LIMIT 1").fetchone()
            assert row is not None
            self._home = str(row[0])
        return self._home

    def _event(self, chat_id: str) -> asyncio.Event:
        return self.figures.ends.setdefault(chat_id, asyncio.Event())

    async def _watch(self, socket: ClientConnection) -> None:
        async for frame in socket:
            event = json.loads(frame)
            if event["kind"] == "status_change" and event["chat"]["status"] == "waiting":
                self._event(event["chat"]["id"]).set()

    async def _hear(self, socket: ClientConnection, chat_id: str) -> None:
        sent = self.figures.sent
        async for frame in socket:
            if b"message_part" in (frame if isinstance(frame, bytes) else frame.encode()):
                at = sent.pop(chat_id, None)
                if at is not None:
                    self.figures.firsts.append(time.monotonic() - at)

    async def _ended(self, chat_id: str) -> None:
        event = self._event(chat_id)
        async with asyncio.timeout(600):
            await event.wait()
        event.clear()

    async def _chat(self, http: Http, chat_id: str) -> None:
        for _ in range(self.options.turns):
            self.figures.sent[chat_id] = time.monotonic()
            await http.post(
                f"/api/v2/chats/{chat_id}/messages", {"content": [{"type": "text", "text": WORDS}]}
            )
            await self._ended(chat_id)
            self.figures.turns += 1

    def _queries(self) -> tuple[int, str]:
        with psycopg.connect(self.house.env["CODER_PG_CONNECTION_URL"], autocommit=True) as db:
            with suppress(psycopg.Error):
                row = db.execute(STATEMENTS).fetchone()
                if row is not None:
                    return int(row[0]), "statements"
            row = db.execute(TRANSACTIONS).fetchone()
            assert row is not None
            return int(row[0]), "transactions"

    def _servers(self) -> list[psutil.Process]:
        assert self.house.process is not None
        first = psutil.Process(self.house.process.pid)
        return [first, *first.children(recursive=True)]

    def _database(self) -> str:
        return self.house.env["CODER_PG_CONNECTION_URL"].partition("?")[0].rpartition("/")[2]

    def _cpu(self) -> dict[str, float]:
        """Return the seconds of CPU that everybody used so far."""
        servers = [one.cpu_times() for one in self._servers()]
        driver = psutil.Process().cpu_times()
        database = [
            one.cpu_times()
            for one in psutil.process_iter(["name"])
            if one.info["name"] == "postgres" and self._database() in " ".join(one.cmdline())
        ]
        return {
            "server": sum(one.user + one.system for one in servers),
            "PostgreSQL": sum(one.user + one.system for one in database),
            "driver": driver.user + driver.system,
        }

    def _metric(self, name: str) -> float:
        import urllib.request

        with urllib.request.urlopen(f"http://127.0.0.1:{self.house.port + 1}/metrics") as answer:
            for line in answer.read().decode().splitlines():
                if line.startswith(f"{name} "):
                    return float(line.split()[1])
        return 0.0


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--chats", type=int, default=600)
    parser.add_argument("--turns", type=int, default=10)
    parser.add_argument("--streams", type=int, default=600)
    parser.add_argument("--at-once", type=int, default=64)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--pool", type=int, default=10)
    parser.add_argument("--batch", type=int, default=10)
    options = parser.parse_args()
    postgres = TestPostgres()
    try:
        with cloned(postgres.start()) as dsn, tempfile.TemporaryDirectory(prefix="b") as folder:
            house = House(Path(folder), dsn)
            flags = ["--dangerous-disable-rate-limits", "--provisioner-daemons", "0"]
            flags += ["--prometheus-enable"]
            flags += ["--prometheus-address", f"127.0.0.1:{house.port + 1}"]
            flags += ["--postgres-conn-max-open", str(options.pool)]
            flags += ["--chat-acquire-batch-size", str(options.batch)]
            flags += ["--workers", str(options.workers)]
            house.start(*flags)
            try:
                asyncio.run(Bench(house, options).run())
            finally:
                house.stop()
    finally:
        postgres.stop()


if __name__ == "__main__":
    main()
