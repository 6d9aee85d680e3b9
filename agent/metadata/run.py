"""Run one script for its value: bounded in time and size, and nothing is left of it."""

import asyncio
import os
import signal
from collections.abc import Callable
from typing import Final, TypeAlias

from agent.kit.child import Child, within
from agent.kit.fds import FdReader
from coder_cli.kit.clock import Clock
from coder_cli.sdk.agentapi import MetadataResult

LARGEST: Final = 10 * 1024
"""Bytes of output that are kept."""
Start: TypeAlias = Callable[[str, int], Child]
"""Starts a script whose output goes to the descriptor. Raises ``OSError`` or ``ValueError``."""


async def run(script: str, seconds: float, start: Start, clock: Clock) -> MetadataResult:
    """Run ``script`` for at most ``seconds``; return what it printed, and what went wrong.

    Standard output and error are one. At the end the whole process group is killed if any of it
    may be left: a script that runs every second must not leave a process every second.
    """
    began, at = clock.monotonic(), clock.now()
    output = _Output()
    trouble = await _run(script, seconds, start, clock, output)
    if output.size > LARGEST:
        trouble.append(f"output truncated from {output.size} to {LARGEST} bytes")
    return MetadataResult(
        collected_at=at,
        age=clock.monotonic() - began,
        value=output.kept.decode(errors="replace").strip(),
        error=f"run cmd: {'; '.join(trouble)}" if trouble else "",
    )


class _Output:
    """The first bytes of what a script prints, and how many there were."""

    def __init__(self) -> None:
        self.kept = bytearray()
        self.size = 0
        self.ended = asyncio.Event()

    def take(self, data: bytes) -> None:
        self.size += len(data)
        self.kept += data[: LARGEST - len(self.kept)]


async def _run(
    script: str, seconds: float, start: Start, clock: Clock, output: _Output
) -> list[str]:
    out, end = os.pipe()
    try:
        child = start(script, end)
    except (OSError, ValueError) as error:  # ValueError: a NUL in a word or variable.
        os.close(out)
        return [str(error)]
    finally:
        os.close(end)
    reader = FdReader(out, output.take, output.ended.set)

    async def finished() -> None:
        await child.wait()
        await output.ended.wait()

    try:
        if await within(finished(), seconds, clock):
            return _complaints(child)
        if child.returncode is None:
            return [f"the script ran longer than {seconds:g} s"]
        left = "a process that the script started still holds its output open"
        return [*_complaints(child), left]
    finally:
        if child.returncode is None or not output.ended.is_set():
            child.signal(signal.SIGKILL)
        reader.close()


def _complaints(child: Child) -> list[str]:
    match child.returncode:
        case None | 0:
            return []
        case code if code < 0:
            return [f"signal {-code}"]
        case code:
            return [f"exit status {code}"]
