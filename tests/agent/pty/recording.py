"""What real programs write to a terminal."""

import asyncio
import os
import signal
from collections.abc import Sequence
from dataclasses import dataclass

from agent.kit.child import Children
from agent.pty.options import Command
from agent.pty.tty import Ears, Tty
from coder_cli.kit.clock import SystemClock

PATIENCE = 20.0


@dataclass(frozen=True)
class Step:
    """Keys, and what the program answers with."""

    keys: bytes
    then: bytes


async def record(
    argv: Sequence[str], steps: Sequence[Step], size: tuple[int, int] = (80, 24)
) -> bytes:
    """Run a program on a terminal, step by step; return all that it wrote until then."""
    heard = bytearray()
    rang = asyncio.Event()

    def hear(data: bytes) -> None:
        heard.extend(data)
        rang.set()

    env = {"PATH": os.defpath, "TERM": "xterm-256color", "LANG": "C.UTF-8", "HOME": "/nonexistent"}
    over = asyncio.Event()
    ears = Ears(hear, lambda _: over.set(), lambda: None, lambda: None)
    tty = Tty(Command(argv, env, "/"), Children(SystemClock()), size, ears)
    try:
        for step in steps:
            begin = len(heard)
            tty.feed(step.keys)
            async with asyncio.timeout(PATIENCE):
                while step.then not in heard[begin:]:
                    assert not over.is_set(), bytes(heard)
                    rang.clear()
                    await rang.wait()
    finally:
        tty.child.signal(signal.SIGKILL)
        await tty.child.wait()
    return bytes(heard)
