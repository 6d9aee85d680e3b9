"""What `coder exp sync` costs: CPU of a ping, an idle agent with its socket, and 200 scripts.

    python -m tests.bench.bench_exp_sync [--runs 25] [--idle 10]

Prints the CPU milliseconds of `python -c pass`, `coder --version` and `coder exp sync ping` and
their ratios; how long 200 held starts take to go one after the other, without processes; memory
and CPU of an idle agent with its SSH server loaded, with the socket on and off.
"""

import argparse
import asyncio
import os
import signal
import statistics
import sys
import tempfile
import time
from pathlib import Path

from agent.socket import Socket
from coder_cli.kit.clock import SystemClock
from coder_cli.sdk import agentsocket
from tests.agent.control_plane import TOKEN, ControlPlane
from tests.agent.socket.conftest import Client
from tests.agent.waiting import memory_of

CODER = [sys.executable, "-m", "coder_cli"]
UNITS = 200


def cpu(argv: list[str], env: dict[str, str]) -> float:
    """Return the CPU milliseconds of one run."""
    null = (os.POSIX_SPAWN_OPEN, 1, "/dev/null", os.O_WRONLY, 0)
    pid = os.posix_spawn(argv[0], argv, env, file_actions=[null])
    _, status, used = os.wait4(pid, 0)
    assert status == 0, argv
    return (used.ru_utime + used.ru_stime) * 1000


def startup(path: str, runs: int) -> None:
    env = {**os.environ, agentsocket.VARIABLE: path}
    lines = {
        "python -c pass": [sys.executable, "-c", "pass"],
        "coder --version": [*CODER, "--version"],
        "coder exp sync ping": [*CODER, "exp", "sync", "ping"],
    }
    taken: dict[str, list[float]] = {name: [] for name in lines}
    for _ in range(runs):
        for name, argv in lines.items():
            taken[name].append(cpu(argv, env))
    nothing = statistics.median(taken["python -c pass"])
    for name, times in taken.items():
        median = statistics.median(times)
        print(
            f"{name:<22} {median:6.1f} ms CPU  {median / nothing:4.1f}x  (least {min(times):.1f})"
        )


async def idle(plane: ControlPlane, folder: Path, seconds: float, *, on: bool) -> None:
    words = [*CODER, "agent", f"--socket-server-enabled={'true' if on else 'false'}"]
    env = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "TMPDIR": str(folder),
        "XDG_RUNTIME_DIR": str(folder),
        "CODER_AGENT_URL": plane.url,
        "CODER_AGENT_TOKEN": TOKEN,
        "CODER_AGENT_LOGGING_HUMAN": "/dev/null",
    }
    plane.calls.clear()
    process = await asyncio.create_subprocess_exec(*words, env=env)
    await plane.until(lambda: "ready" in plane.states)
    async with plane.stream(22) as stream:
        await stream.recv()
    if on:
        for _ in range(50):
            client = Client(*await asyncio.open_unix_connection(str(folder / agentsocket.NAME)))
            await client.ask("GET", agentsocket.PING)
            client.hang_up()
    before = ticks(process.pid)
    await asyncio.sleep(seconds)
    used = (ticks(process.pid) - before) / os.sysconf("SC_CLK_TCK")
    megabytes = memory_of(process.pid) / 1e6
    word = "on" if on else "off"
    print(f"idle agent, socket {word:<3} {megabytes:6.1f} MB, {used:.2f} s CPU in {seconds:g} s")
    process.send_signal(signal.SIGTERM)
    await process.wait()


def ticks(pid: int) -> int:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


async def chain(path: str) -> None:
    """Let each of 200 units wait for the one before it, and complete the first."""
    names = [f"unit {number}" for number in range(UNITS)]
    clients = [Client(*await asyncio.open_unix_connection(path)) for _ in names]
    for name, before, client in zip(names[1:], names, clients[1:], strict=False):
        await client.ask("POST", agentsocket.WANT, {"unit": name, "depends_on": [before]})

    async def script(name: str, client: Client) -> None:
        await client.ask("POST", agentsocket.START, {"unit": name, "wait": 60})
        await client.ask("POST", agentsocket.COMPLETE, {"unit": name})

    began = time.monotonic()
    await asyncio.gather(*map(script, reversed(names), reversed(clients)))
    taken = (time.monotonic() - began) * 1000
    print(f"{UNITS} units in a row   {taken:6.1f} ms, {taken / UNITS:.2f} ms from one to the next")
    for client in clients:
        client.hang_up()


async def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=25)
    parser.add_argument("--idle", type=float, default=10)
    options = parser.parse_args()

    async def tell(_: object) -> None: ...

    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/bench.sock"
        socket = Socket([path], SystemClock(), tell)
        await socket.open()
        await asyncio.to_thread(startup, path, options.runs)
        await chain(path)
        await socket.close()
        plane = ControlPlane()
        await plane.start()
        for on in (True, False):
            await idle(plane, Path(folder), options.idle, on=on)
        await plane.stop()


if __name__ == "__main__":
    asyncio.run(main())
