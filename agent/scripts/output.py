"""What one run of a script says: to the server line by line, and to a file byte by byte."""

import asyncio
import contextlib
import logging
import os
from collections.abc import Generator
from functools import partial
from pathlib import Path
from typing import IO, Protocol, Self
from uuid import UUID

from agent.kit.fds import FdReader
from agent.kit.lines import LineSplitter
from coder_cli.sdk.agentapi import LogLevel

log = logging.getLogger("agent.scripts")


class LogSink(Protocol):
    """Where lines go; the log sender is one."""

    def log(self, source_id: UUID, level: LogLevel, output: str) -> None:
        """Take one line."""
        ...


class Output:
    """Both streams of one run: standard output is info, standard error is error."""

    def __init__(self, sink: LogSink, source_id: UUID, path: Path) -> None:
        self._sink = sink
        self._source_id = source_id
        self._path = path
        self._file: IO[bytes] | None = None
        self._readers: list[FdReader] = []
        self._open = 0
        self._closed = asyncio.Event()
        self._closed.set()

    def __enter__(self) -> Self:
        """Open the log file; a script whose log file cannot be written runs all the same."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
            self._file = os.fdopen(os.open(self._path, flags, 0o600), "wb", buffering=0)
            os.fchmod(self._file.fileno(), 0o600)
        except (OSError, ValueError) as error:  # ValueError: a NUL in the path.
            log.warning("no log file for a script at %s: %s", self._path, error)
        return self

    def __exit__(self, *_: object) -> None:
        """Close the file, and the streams, of which a process may still hold the other end."""
        for reader in self._readers:
            reader.drain()
        if self._file:
            self._file.close()

    @contextlib.contextmanager
    def ends(self) -> Generator[tuple[int, int]]:
        """Yield the two descriptors for the process; ours alone stay open afterwards."""
        out, out_end = os.pipe()
        err, err_end = os.pipe()
        self._closed.clear()
        self._open = 2
        self._readers = [self._reader(out, LogLevel.INFO), self._reader(err, LogLevel.ERROR)]
        try:
            yield out_end, err_end
        finally:
            os.close(out_end)
            os.close(err_end)

    async def closed(self) -> None:
        """Wait until no process holds either stream open."""
        await self._closed.wait()

    def say(self, level: LogLevel, words: str) -> None:
        """Add a line of our own to the log."""
        self._sink.log(self._source_id, level, words)
        self._keep(f"{words}\n".encode())

    def _reader(self, fd: int, level: LogLevel) -> FdReader:
        lines = LineSplitter()
        return FdReader(fd, partial(self._take, lines, level), partial(self._end, lines, level))

    def _take(self, lines: LineSplitter, level: LogLevel, data: bytes) -> None:
        self._keep(data)
        for line in lines.feed(data):
            self._sink.log(self._source_id, level, line)

    def _end(self, lines: LineSplitter, level: LogLevel) -> None:
        for line in lines.flush():
            self._sink.log(self._source_id, level, line)
        self._open -= 1
        if not self._open:
            self._closed.set()

    def _keep(self, data: bytes) -> None:
        if self._file:
            with contextlib.suppress(OSError):  # A full disk is no reason to lose the stream.
                self._file.write(data)
