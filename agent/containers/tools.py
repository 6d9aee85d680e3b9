"""Run programs that may not be there: ``docker`` and ``devcontainer``."""

import asyncio
import os
import shutil
import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from agent.kit.child import Children, Launch, within
from agent.kit.fds import FdReader
from coder_cli.kit.clock import Clock

LARGEST_OUTPUT: Final = 8 * 1024 * 1024


class ToolMissing(Exception):
    """The program is not installed; scripts may install it any time."""


class ToolFailed(Exception):
    """It did not do what it should; the message says what it said."""


@dataclass(frozen=True, slots=True)
class Ran:
    """How a run went. Output above the limit is cut."""

    code: int
    output: str
    errors: str


class _Pipe:
    def __init__(self) -> None:
        self.reading, self.writing = os.pipe()
        self.data = bytearray()
        self.ended = asyncio.Event()
        self._reader: FdReader | None = None

    def read(self) -> None:
        os.close(self.writing)
        self._reader = FdReader(self.reading, self._take, self.ended.set)

    def drop(self) -> None:
        os.close(self.writing)
        os.close(self.reading)

    def close(self) -> None:
        if self._reader:
            self._reader.close()

    def text(self) -> str:
        return self.data.decode(errors="replace")

    def _take(self, data: bytes) -> None:
        self.data += data[: LARGEST_OUTPUT - len(self.data)]


class Tools:
    """Runs programs in the environment of the workspace's processes."""

    def __init__(
        self, env: Callable[[], Mapping[str, str]], children: Children, clock: Clock
    ) -> None:
        self._env = env
        self._children = children
        self._clock = clock

    def has(self, program: str) -> bool:
        """Say whether ``program`` is on the path now."""
        return shutil.which(program, path=self._env().get("PATH", os.defpath)) is not None

    async def run(
        self,
        argv: Sequence[str],
        patience: float,
        where: str = "/",
        secrets: Mapping[str, str] | None = None,
    ) -> Ran:
        """Run a program to its end; ``secrets`` are variables, which no list of processes shows.

        Raises:
            ToolMissing: there is no such program.
            ToolFailed: it took longer than ``patience`` seconds, or cannot run there.
        """
        env = {**self._env(), **(secrets or {})}
        program = shutil.which(argv[0], path=env.get("PATH", os.defpath))
        if program is None:
            raise ToolMissing(argv[0])
        out, err = _Pipe(), _Pipe()
        launch = Launch([program, *argv[1:]], env, where, stdout=out.writing, stderr=err.writing)
        try:
            child = self._children.start(launch)
        except OSError as error:
            out.drop()
            err.drop()
            raise ToolFailed(f"{argv[0]} cannot run in {where!r}: {error}") from None
        out.read()
        err.read()

        async def end() -> None:
            await asyncio.gather(out.ended.wait(), err.ended.wait(), child.wait())

        try:
            if not await within(end(), patience, self._clock):
                raise ToolFailed(f"{argv[0]} {argv[1]} did not end within {patience:g}s")
            return Ran(await child.wait(), out.text(), err.text())
        finally:
            out.close()
            err.close()
            if child.returncode is None:
                child.signal(signal.SIGKILL)
