"""Show that a terminal looks after a reconnect as it looked before. Run by hand:

    python -m tests.bench.show_terminals

Real programs on the agent's terminals, pyte at the client's end. For each program and backend: a
client looks until the program is quiet, leaves, and another one comes; then every cell, the
cursor, the margins and the modes of both are compared. At the end, what the model costs.
"""

import asyncio
import json
import os
import resource
import shutil
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from uuid import UUID, uuid4

from agent.daemon.terminals import prepare
from agent.kit.child import Children
from agent.network.frames import Ended
from agent.processes import Environment
from agent.pty import PtyOptions, Terminals
from coder_cli.kit.clock import SystemClock
from tests.agent.control_plane import manifest_of
from tests.agent.frames import End
from tests.agent.pty.judge import Judge, differences

QUIET = 0.7
COLUMNS, ROWS = 100, 30
FILE = "/etc/services" if Path("/etc/services").exists() else __file__
PROGRAMS: dict[str, tuple[str, list[str]]] = {
    "vim": (
        f"vim -n -u NONE -N {FILE}",
        ["\x06", ":set number\r", ":split\r", "/tcp\r", "ihello", "\x1b", ":echo 1\r"],
    ),
    "vim, syntax": (f"vim -n -u NONE -N {__file__}", [":syntax on\r", "\x04", ":vsplit\r", "\x04"]),
    "htop": ("htop -d 100", ["\x1bOB", "\x1bOB"]),
    "top": ("top -d 100", ["z"]),
    "256 colours": (r"for i in $(seq 0 255); do printf '\033[48;5;%dm%4d' $i $i; done; cat", []),
    "wide": ("yes '日本語テスト 中文 äöü e\u0301 x' | head -40; printf '中中\\033[5C文'; cat", []),
    "alternate": (r"seq 50; printf '\033[5;9H\033[?1049h\033[2J\033[3;3Hover\033[?25l'; cat", []),
    "cursor": (r"printf '\033[2J\033[7;33H\0337\033[1;1Hx\0338'; cat", []),
    "scroll region": (r"seq 29; printf '\033[5;12r\033[12;1H\n\n\nin\033[6;1H\033[2L'; cat", []),
    "less": (f"less {FILE}", [" ", " ", "/udp\r"]),
}

FLOODS = {
    "plain": "yes some words on a line | head -c 50000000",
    "colours": """yes "$(printf '\\033[31mred \\033[42mgreen\\033[0m words')" | head -c 20000000""",
}


class Viewer:
    """A client with a terminal of pyte's."""

    def __init__(self, terminals: Terminals, identity: UUID, command: str, backend: str) -> None:
        self.end, theirs = End.pair()
        self.judge = Judge(COLUMNS, ROWS)
        self.heard = 0
        self.task = asyncio.ensure_future(terminals.serve(theirs))
        self.first = json.dumps(
            {"ID": str(identity), "Width": COLUMNS, "Height": ROWS, "Command": command,
             "BackendType": backend}
        ).encode()  # fmt: skip

    async def begin(self) -> None:
        """Say which terminal is wanted, and look until it is quiet."""
        await self.end.send(len(self.first).to_bytes(2, "little") + self.first)
        await self.look()

    async def look(self, patience: float = 2.0) -> None:
        """Take what comes until nothing has come for a while."""
        while True:
            try:
                async with asyncio.timeout(patience):
                    message = await self.end.recv()
            except (TimeoutError, Ended):
                return
            assert isinstance(message, bytes)
            self.heard += len(message)
            self.judge.feed(message)
            patience = QUIET

    async def leave(self) -> None:
        """Close the window."""
        await self.end.close()
        await self.task


async def compare(terminals: Terminals, name: str, backend: str) -> bool:
    """Reconnect to one program; print what differs."""
    command, keys = PROGRAMS[name]
    identity = uuid4()
    before = Viewer(terminals, identity, command, backend)
    await before.begin()
    for key in keys:
        await before.end.send(json.dumps({"data": key}).encode())
        await before.look()
    await before.leave()
    after = Viewer(terminals, identity, command, backend)
    await after.begin()
    found = differences(before.judge.state(), after.judge.state())
    if backend == "screen":
        # Margins and modes are between screen and the program; a client sees their effects only.
        found = [each for each in found if each.split(":")[0] not in ("margins", "modes")]
    await after.leave()
    shown = sum(bool(row) for row in after.judge.text)
    cursor = (after.judge.glass.cursor.y, after.judge.glass.cursor.x)
    print(
        f"{name:<14} {backend:<9} {COLUMNS * ROWS} cells, {len(found)} differ; rows with text"
        f" {shown:2}, cursor {cursor}, {before.heard} bytes before, {after.heard} redrawn"
    )
    for line in found[:3]:
        print(f"    {line}")
    return not found


async def main() -> int:
    """Compare all of them."""
    clock = SystemClock()
    place = Path(tempfile.mkdtemp(prefix="pty"))
    base = {"PATH": os.defpath, "HOME": str(place), "LANG": "C.UTF-8", "SHELL": "/bin/sh"}
    environment = Environment(base, "token", "/opt/coder", place / "bin", manifest_of())
    children = Children(clock)
    options = PtyOptions(
        partial(prepare, environment), children, clock, lambda _: None, place / "screen"
    )
    terminals = Terminals(options)
    running = asyncio.ensure_future(terminals.run())
    backends = ["buffered", *(["screen"] if shutil.which("screen") else [])]
    same = [
        await compare(terminals, name, backend)
        for backend in backends
        for name, (command, _) in PROGRAMS.items()
        if command.split()[0] in ("for", "yes", "seq", "printf") or shutil.which(command.split()[0])
    ]
    print(f"{sum(same)} of {len(same)} the same")
    await flood(terminals)
    await terminals.end_all()
    await terminals.close()
    await running
    await children.end_all()
    shutil.rmtree(place, ignore_errors=True)
    return 0 if all(same) else 1


async def flood(terminals: Terminals) -> None:
    """Print how fast output passes, with the model behind it."""
    for name, command in FLOODS.items():
        viewer = Viewer(terminals, uuid4(), command, "buffered")
        began, spent = time.monotonic(), resource.getrusage(resource.RUSAGE_SELF).ru_utime
        await viewer.end.send(len(viewer.first).to_bytes(2, "little") + viewer.first)
        heard = 0
        try:
            while True:
                heard += len(await viewer.end.recv())
        except Ended:
            pass
        passed = time.monotonic() - began
        cpu = resource.getrusage(resource.RUSAGE_SELF).ru_utime - spent
        print(f"flood, {name}: {heard / 1e6:.0f} MB in {passed:.1f} s, {cpu:.1f} s CPU")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"largest size of this process, pyte included: {peak:.0f} MB")


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
