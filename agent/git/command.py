"""Run the workspace's own ``git``, reading only, in repositories that may be hostile."""

import asyncio
import os
import signal
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from agent.kit.child import Child, Children, Launch, within
from agent.kit.fds import FdReader
from coder_cli.kit.clock import Clock

PATIENCE: Final = 30.0
"""Seconds that one run may take; a work tree on a dead network share never answers."""
MOST_WORDS: Final = 8 * 1024 * 1024
"""Bytes that ``words`` takes."""
_INHERITED: Final = ("PATH", "HOME", "XDG_CONFIG_HOME", "TMPDIR", "USER", "SSL_CERT_FILE")
_SURROUNDINGS: Final[Mapping[str, str]] = {
    "LC_ALL": "C",
    "GIT_ALLOW_PROTOCOL": "none",  # A partial clone must not fetch, least of all by "ext::".
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_OPTIONAL_LOCKS": "0",  # Nobody's own git shall find the index locked by us.
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_PAGER": "cat",
}
OVERRIDES: Final[Mapping[str, str]] = {
    "core.fsmonitor": "false",
    "core.hooksPath": "/dev/null",
    "core.untrackedCache": "keep",
    "core.quotePath": "false",
    "core.bigFileThreshold": "2m",
    "diff.suppressBlankEmpty": "false",
    "safe.bareRepository": "explicit",
}


class GitMissing(Exception):
    """There is no ``git`` on the path; the message is a sentence."""

    def __init__(self) -> None:
        super().__init__("git is not installed in the workspace; install it to see changes.")


class GitFailed(Exception):
    """A run went wrong; the next one may go well."""


class TooMuch(GitFailed):
    """It printed more than is taken."""

    def __init__(self, size: int) -> None:
        super().__init__(f"git printed {size} bytes")
        self.size = size


class Git:
    """Runs ``git``; ``env`` returns the environment of the workspace's processes."""

    def __init__(
        self, env: Callable[[], Mapping[str, str]], children: Children, clock: Clock
    ) -> None:
        self._env = env
        self._children = children
        self._clock = clock

    async def words(
        self, where: str, argv: Sequence[str], config: Mapping[str, str] | None = None
    ) -> bytes:
        """Return what ``git argv`` prints in ``where``.

        Raises:
            TooMuch: more than ``MOST_WORDS`` bytes.
            GitFailed: it does not end with 0, or what ``pour`` raises.
        """
        printed = bytearray()
        size = 0

        def take(data: bytes) -> None:
            nonlocal size
            size += len(data)
            if size <= MOST_WORDS:
                printed.extend(data)

        code = await self.pour(where, argv, take, config)
        if size > MOST_WORDS:
            raise TooMuch(size)
        if code != 0:
            raise GitFailed(f"git {argv[0]} ended with {code}")
        return bytes(printed)

    async def pour(
        self,
        where: str,
        argv: Sequence[str],
        take: Callable[[bytes], None],
        config: Mapping[str, str] | None = None,
    ) -> int:
        """Run ``git argv`` in ``where``, give ``take`` what it prints, return its exit code.

        Raises:
            GitMissing: there is no git.
            GitFailed: ``where`` is no directory, or it took too long and was killed.
        """
        reading, writing = os.pipe()
        env = self._surroundings({**OVERRIDES, **(config or {})})
        launch = Launch(["git", "--no-pager", *argv], env, where, stdout=writing)
        try:
            child = self._children.start(launch)
        except OSError as error:
            os.close(reading)
            if isinstance(error, FileNotFoundError) and error.filename == "git":
                raise GitMissing from None
            raise GitFailed(f"git cannot run in {where!r}: {error}") from None
        finally:
            os.close(writing)
        return await self._follow(child, reading, take)

    async def _follow(self, child: Child, fd: int, take: Callable[[bytes], None]) -> int:
        ended = asyncio.Event()
        reader = FdReader(fd, take, ended.set)

        async def end() -> None:
            await ended.wait()
            await child.wait()

        try:
            if not await within(end(), PATIENCE, self._clock):
                raise GitFailed(f"git did not end within {PATIENCE:g}s")
            return await child.wait()
        finally:
            reader.close()
            if child.returncode is None:
                child.signal(signal.SIGKILL)

    def _surroundings(self, config: Mapping[str, str]) -> dict[str, str]:
        # Given by the environment, names of any characters need no quoting; they win over files.
        given = self._env()
        env = {name: given[name] for name in _INHERITED if name in given}
        env |= _SURROUNDINGS
        for number, (key, value) in enumerate(config.items()):
            env[f"GIT_CONFIG_KEY_{number}"] = key
            env[f"GIT_CONFIG_VALUE_{number}"] = value
        env["GIT_CONFIG_COUNT"] = str(len(config))
        return env
