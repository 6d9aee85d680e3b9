"""A process whose words we hear, and which they do not harm when we are not there to hear them."""

import asyncio
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Self

_CARRIER = ("/bin/sh", "-c", "trap '' PIPE; cat; exec cat >/dev/null")
"""Carries one stream to us, and reads on when we have died."""
_PATIENCE = 1.0


@dataclass(frozen=True, slots=True)
class Program:
    """What to run, and where."""

    words: Sequence[str]
    directory: Path
    env: Mapping[str, str]
    outlives_us: bool = False
    """Somebody else reads its output once this server is killed. A pipe that nobody reads ends a
    program at its next word: terraform, before it has written down what it made."""


class Child:
    """A process that inherits its three streams and nothing else.

    uvloop's own way leaves copies of the pipes open in the child; a workspace that outlives its
    build would hold them, and every build would wait for their end in vain.
    """

    def __init__(
        self, started: "_Started", out: asyncio.StreamReader, err: asyncio.StreamReader
    ) -> None:
        self._popen, self._carriers = started.popen, started.carriers
        self.pid = started.popen.pid
        self.stdout, self.stderr = out, err

    @classmethod
    async def start(cls, program: Program) -> Self:
        """Start it, in a session of its own."""
        started = await asyncio.to_thread(_start, program)
        return cls(started, await _reader(started.stdout), await _reader(started.stderr))

    @property
    def returncode(self) -> int | None:
        """Return its exit status, once it has one."""
        return self._popen.poll()

    def send_signal(self, number: signal.Signals) -> None:
        """Send it a signal, unless it has ended."""
        self._popen.send_signal(number)

    async def wait(self) -> int:
        """Wait for its end."""
        return await asyncio.to_thread(self._popen.wait)

    async def close(self) -> None:
        """Let go of its streams; it has ended, and what it said was heard."""
        await asyncio.to_thread(_end, self._carriers)


@dataclass(frozen=True, slots=True)
class _Started:
    popen: subprocess.Popen[bytes]
    stdout: IO[bytes] | None
    stderr: IO[bytes] | None
    carriers: tuple[subprocess.Popen[bytes], ...] = ()


def _start(program: Program) -> _Started:
    if not program.outlives_us:
        popen = _popen(program, subprocess.PIPE, subprocess.PIPE)
        return _Started(popen, popen.stdout, popen.stderr)
    carriers = (_carrier(), _carrier())
    out, err = carriers
    try:
        popen = _popen(program, out.stdin, err.stdin)
    except OSError:
        _end(carriers)
        raise
    finally:
        for carrier in carriers:
            if carrier.stdin is not None:
                carrier.stdin.close()
    return _Started(popen, out.stdout, err.stdout, carriers)


def _popen(
    program: Program, out: IO[bytes] | int | None, err: IO[bytes] | int | None
) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        program.words,
        cwd=program.directory,
        env=dict(program.env),
        stdin=subprocess.DEVNULL,
        stdout=out,
        stderr=err,
        start_new_session=True,
    )


def _carrier() -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        _CARRIER,
        cwd="/",
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def _end(carriers: Sequence[subprocess.Popen[bytes]]) -> None:
    for carrier in carriers:
        try:
            carrier.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            # A workspace holds the other end of it, and will for as long as it lives.
            with suppress(ProcessLookupError):
                os.killpg(carrier.pid, signal.SIGKILL)
            carrier.wait()


async def _reader(pipe: IO[bytes] | None) -> asyncio.StreamReader:
    assert pipe is not None
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), pipe
    )
    return reader
