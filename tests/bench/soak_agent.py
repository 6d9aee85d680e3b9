"""One workspace for a long time: what its user loses, what its agent grows by.

    python -m tests.bench.soak_agent [--minutes 30] [--restart 5] [--idle 0]

Starts a deployment of its own with PostgreSQL and Terraform, makes a workspace whose agent collects
a value every second, and keeps open, as a user would: a session of ``coder ssh``, a terminal as in
the browser, a watch of a Git repository over port 4, a watch of the values. Every ``--restart``
minutes the server is killed and started again. Each of the four comes back by itself, as editors
and browsers do; a drop is one that had to. A terminal that comes back with another shell is lost.

With ``--idle N`` nobody is there for the first N minutes: memory and CPU of the idle agent.
"""

import argparse
import asyncio
import json
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from coder_cli.sdk import agentapi
from coder_cli.sdk.agentapi.git import WATCH
from tests.support.house import House, until
from tests.support.postgres import TestPostgres, cloned

LOCAL = Path(__file__).parents[2] / "server/templates/starters/local/main.tf"
PATIENCE = 10.0
"""Seconds of silence after which a user calls it broken."""


@dataclass
class Vessel:
    """A process under watch: memory, descriptors, processor."""

    pid: int

    def resident(self) -> float:
        """Return resident MB."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 1e6

    def descriptors(self) -> int:
        """Return how many are open."""
        return len(list(Path(f"/proc/{self.pid}/fd").iterdir()))

    def cpu(self) -> float:
        """Return seconds of processor time, without those of children."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@dataclass
class Tally:
    """What one of the user's connections went through."""

    name: str
    words: int = 0
    drops: int = 0
    lost: int = 0
    longest: float = 0
    last: float = field(default_factory=time.monotonic)
    troubles: list[str] = field(default_factory=list[str])

    def heard(self) -> None:
        """Note a sign of life."""
        now = time.monotonic()
        self.longest = max(self.longest, now - self.last)
        self.last, self.words = now, self.words + 1

    def report(self) -> str:
        """Return a line for people."""
        known = f"; {'; '.join(sorted(set(self.troubles)))}" if self.troubles else ""
        return (
            f"{self.name:<10} {self.words:6} signs of life, {self.drops} drops, {self.lost} lost, "
            f"longest silence {self.longest:.1f} s{known}"
        )


@dataclass
class Scene:
    """The deployment, its workspace, and its user."""

    house: House
    agent_id: str
    token: str
    vessel: Vessel

    @asynccontextmanager
    async def socket(self, path: str) -> AsyncGenerator[ClientConnection]:
        """Open a WebSocket of the API."""
        url = f"ws://127.0.0.1:{self.house.port}/api/v2/workspaceagents/{self.agent_id}{path}"
        headers = {"Coder-Session-Token": self.token}
        async with connect(url, additional_headers=headers, proxy=None, max_size=None) as socket:
            yield socket


async def again_and_again(tally: Tally, life: Callable[[Tally], Awaitable[None]]) -> None:
    """Live for ever; every end of something that lived is a drop."""
    while True:
        before = tally.words
        try:
            await life(tally)
        except (OSError, TimeoutError, WebSocketException, EOFError) as error:
            tally.troubles.append(type(error).__name__)
        tally.drops += tally.words > before  # What never lived again cannot drop again.
        await asyncio.sleep(0.5)


def values(scene: Scene) -> Callable[[Tally], Awaitable[None]]:
    """Watch what the agent collects every second."""

    async def live(tally: Tally) -> None:
        seen = ""
        async with scene.socket("/watch-metadata-ws") as socket:
            while True:
                told = json.loads(await asyncio.wait_for(socket.recv(), 2 * PATIENCE))
                now = next(
                    item["result"]["collected_at"]
                    for item in told["data"]
                    if item["description"]["key"] == "load"
                )
                if now != seen:
                    tally.heard()
                seen = now

    return live


def shell(scene: Scene) -> Callable[[Tally], Awaitable[None]]:
    """Type a line a second into ``coder ssh`` and read it back."""

    async def live(tally: Tally) -> None:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "coder_cli", "ssh", "dev", "cat"),
            env=scene.house.env,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        assert process.stdin
        assert process.stdout
        try:
            while True:
                process.stdin.write(b"still here\n")
                await process.stdin.drain()
                if not await asyncio.wait_for(process.stdout.readline(), 2 * PATIENCE):
                    raise EOFError
                tally.heard()
                await asyncio.sleep(1)
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()

    return live


def terminal(scene: Scene) -> Callable[[Tally], Awaitable[None]]:
    """Ask a shell of the browser for its number; another number means that it was lost."""
    name, shells = str(uuid4()), list[bytes]()

    async def live(tally: Tally) -> None:
        path = f"/pty?reconnect={name}&width=80&height=24&command=sh"
        async with scene.socket(path) as socket:
            while True:
                mark = uuid4().hex[:8]
                keys = f"echo {mark[:4]}''{mark[4:]}=$$=\r"
                await socket.send(json.dumps({"data": keys}).encode())
                said = b""
                async with asyncio.timeout(PATIENCE):
                    while (at := said.find(f"{mark}=".encode())) < 0 or b"=" not in said[at + 9 :]:
                        piece = await socket.recv()
                        said += piece if isinstance(piece, bytes) else piece.encode()
                shells.append(said[at + 9 :].partition(b"=")[0])
                tally.lost += len(shells) > 1 and shells[-1] != shells[-2]
                tally.heard()
                await asyncio.sleep(1)

    return live


def repository(scene: Scene) -> Callable[[Tally], Awaitable[None]]:
    """Watch a repository that changes every second, through a stream to port 4."""

    async def live(tally: Tally) -> None:
        async with bridge(scene) as port:
            url = f"ws://127.0.0.1:{port}{WATCH}?chat_id={uuid4()}"
            async with connect(url, proxy=None, max_size=None) as socket:
                paths = [f"{home_of(scene)}/project/file"]
                await socket.send(json.dumps({"type": "subscribe", "paths": paths}))
                while True:
                    await asyncio.wait_for(socket.recv(), 2 * PATIENCE)
                    tally.heard()
                    await asyncio.sleep(1)
                    await socket.send(json.dumps({"type": "refresh"}))

    return live


@asynccontextmanager
async def bridge(scene: Scene) -> AsyncGenerator[int]:
    """Yield a port of loopback that leads to port 4 of the agent."""

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async def inward() -> None:
            async for piece in socket:
                writer.write(piece if isinstance(piece, bytes) else piece.encode())
            writer.close()

        # A stream that cannot be had is a connection that ends; the user sees just that.
        with suppress(OSError, TimeoutError, WebSocketException, asyncio.CancelledError):
            async with scene.socket("/stream?port=4") as socket:
                reading = asyncio.create_task(inward())
                try:
                    while piece := await reader.read(agentapi.FRAME):
                        await socket.send(piece)
                finally:
                    reading.cancel()
        writer.close()

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    try:
        yield int(server.sockets[0].getsockname()[1])
    finally:
        server.close()


def home_of(scene: Scene) -> str:
    """Return the home directory in the workspace."""
    environ = Path(f"/proc/{scene.vessel.pid}/environ").read_bytes().split(b"\0")
    return next(each[5:].decode() for each in environ if each.startswith(b"HOME="))


def build(house: House) -> Scene:
    """Make the workspace."""
    house.start()
    house.coder(
        *("login", house.url, "--first-user-username", "ann"),
        *("--first-user-email", "ann@example.com"),
        *("--first-user-password", "Correct-Horse-9-Battery"),
    )
    template = house.root / "soak"
    template.mkdir()
    main = LOCAL.read_text().replace("interval     = 15", "interval     = 1", 1)
    (template / "main.tf").write_text(main)
    house.coder("templates", "push", "soak", "-d", str(template), "--yes")
    house.coder("create", "dev", "--template", "soak", "--yes")
    until("the start", lambda: house.agent("dev").get("lifecycle_state") == "ready")
    agent = house.agent("dev")
    pids = house.processes(house.workspace("dev")["id"])
    pid = next(pid for pid in pids if b"\0agent" in Path(f"/proc/{pid}/cmdline").read_bytes())
    token = (house.home / "config" / "session").read_text().strip()
    return Scene(house, agent["id"], token, Vessel(pid))


def prepare(scene: Scene) -> None:
    """Make the repository, and let something in it change every second."""
    scene.house.coder(
        *("ssh", "dev"),
        "git init -q project && cd project && echo hi >file && git add file &&"
        " git -c user.name=a -c user.email=a@b.c commit -qm one &&"
        " (nohup sh -c 'while date >file; do sleep 1; done' >/dev/null 2>&1 &)",
    )


async def soak(scene: Scene, minutes: float, restart: float) -> None:
    """Let time pass; print what it did."""
    lives = {
        "values": values(scene),
        "ssh": shell(scene),
        "terminal": terminal(scene),
        "git": repository(scene),
    }
    tallies = [Tally(name) for name in lives]
    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(again_and_again(tally, life))
            for tally, life in zip(tallies, lives.values(), strict=True)
        ]
        await asyncio.sleep(10)
        show(scene, "begin")
        end = time.monotonic() + minutes * 60
        restarts = 0
        while (left := end - time.monotonic()) > 0:
            await asyncio.sleep(min(left, restart * 60))
            show(scene, f"after {minutes * 60 - max(end - time.monotonic(), 0):.0f} s")
            if end - time.monotonic() > 1:
                await asyncio.to_thread(scene.house.stop, signal.SIGKILL)
                await asyncio.to_thread(scene.house.start)
                restarts += 1
        for task in tasks:
            task.cancel()
    print(f"{restarts} restarts of the server; what its user saw:")
    for tally in tallies:
        print(" ", tally.report())


def show(scene: Scene, when: str) -> None:
    """Print how the agent is."""
    vessel = scene.vessel
    print(
        f"{when:<14} {vessel.resident():6.1f} MB resident, {vessel.descriptors()} descriptors, "
        f"{vessel.cpu():.1f} s CPU",
        flush=True,
    )


def idle(scene: Scene, minutes: float) -> None:
    """Print what the agent costs while nobody is there."""
    show(scene, "idle, begin")
    before, began = scene.vessel.cpu(), time.monotonic()
    time.sleep(minutes * 60)
    used = (scene.vessel.cpu() - before) / (time.monotonic() - began)
    show(scene, "idle, end")
    print(f"{used:.3%} of a core while idle, a value every second included")


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--restart", type=float, default=5, help="minutes between restarts")
    parser.add_argument("--idle", type=float, default=0, help="minutes without anybody, first")
    options = parser.parse_args()
    postgres, root = TestPostgres(), Path(tempfile.mkdtemp(prefix="soak-"))
    root.chmod(0o755)
    with cloned(postgres.start()) as dsn:
        house = House(root, dsn)
        try:
            scene = build(house)
            if options.idle:
                idle(scene, options.idle)
            prepare(scene)
            asyncio.run(soak(scene, options.minutes, options.restart))
        finally:
            house.close()
    postgres.stop()
    shutil.rmtree(root, ignore_errors=True)


if __name__ == "__main__":
    main()
