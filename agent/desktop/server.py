"""The desktop's process: started when somebody wants to see it, and again when it has gone."""

import asyncio
import logging
import os
import secrets
import shutil
import signal
import struct
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from agent.desktop.starting import NoDesktop, Place, Plan, plan
from agent.kit.child import Child, Children, Launch, within
from agent.kit.fds import FdReader
from coder_cli.kit.clock import Clock
from coder_cli.sdk.agentapi import FRAME

PATIENCE: Final = 30.0
"""Seconds that a desktop may take to come up: the first time it unpacks itself."""
LAST_MOMENT: Final = 1.0
MOST_PRINTED: Final = 64 * 1024
_TAIL: Final = 500
_SESSIONS: Final = ("x-session-manager", "x-window-manager", "openbox")
log = logging.getLogger("agent.desktop")

Planner = Callable[[Mapping[str, str], Path], Plan]
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Desktop:
    """One desktop. ``shown`` is told the variables by which programs find its display."""

    def __init__(
        self,
        env: Callable[[], Mapping[str, str]],
        children: Children,
        clock: Clock,
        *,
        shown: Callable[[Mapping[str, str]], None] = lambda _: None,
        planner: Planner = plan,
    ) -> None:
        self._env = env
        self._children = children
        self._clock = clock
        self._shown = shown
        self._plan = planner
        self._starting = asyncio.Lock()
        self._place: Place | None = None
        self._child: Child | None = None
        self._directory: Path | None = None

    async def place(self) -> Place:
        """Return where the VNC server is; start it if it is not there.

        Raises:
            NoDesktop: it cannot be started; the message says why.
        """
        async with self._starting:
            if self._place is None:
                self._place = await self._start()
            return self._place

    async def connect(self) -> Streams:
        """Return a connection to the VNC server.

        Raises:
            NoDesktop: there is none.
        """
        place = await self.place()
        try:
            if place.socket:
                return await asyncio.open_unix_connection(place.socket, limit=FRAME)
            return await asyncio.open_connection("127.0.0.1", place.port, limit=FRAME)
        except OSError as error:
            await self._give_up(place)
            raise NoDesktop(f"The desktop's VNC server takes no connection: {error}.") from None

    async def _give_up(self, place: Place) -> None:
        """End a desktop that cannot be reached: the next who wants one gets a new one."""
        async with self._starting:
            if self._place is place and self._child is not None:
                self._child.signal(signal.SIGKILL)
                self._place = None

    def close(self) -> None:
        """Forget the files of a desktop; its processes end with the agent's others."""
        if self._directory is not None:
            shutil.rmtree(self._directory, ignore_errors=True)
            self._directory = None

    async def _start(self) -> Place:
        self.close()
        env = self._env()
        directory = self._directory = Path(tempfile.mkdtemp(prefix="coder-desktop-"))
        try:
            place = await self._launch(self._plan(env, directory), env, directory)
        except NoDesktop:
            self.close()
            raise
        log.info("a desktop is up: display %s", place.display or "unknown")
        return place

    async def _launch(self, wanted: Plan, env: Mapping[str, str], directory: Path) -> Place:
        variables: dict[str, str] = {}
        if wanted.authority:
            _write_authority(Path(wanted.authority))
            variables["XAUTHORITY"] = wanted.authority
        errors = directory / "errors"
        with errors.open("wb") as stderr:
            reading, writing = os.pipe()
            try:
                launch = Launch(
                    wanted.argv, env, str(directory), stdout=writing, stderr=stderr.fileno()
                )
                child = self._children.start(launch)
            except OSError as error:
                os.close(reading)
                raise NoDesktop(f"The desktop cannot be started: {error}.") from None
            finally:
                os.close(writing)
        self._child = child
        child.on_exit(lambda: self._forget(child))
        place = await self._until_up(child, wanted, reading)
        if place is None:
            child.signal(signal.SIGKILL)
            raise NoDesktop(_why(wanted, child, errors))
        if place.display:
            variables["DISPLAY"] = place.display
            self._shown(variables)
            if wanted.authority:
                self._start_session({**env, **variables})
        return place

    async def _until_up(self, child: Child, wanted: Plan, fd: int) -> Place | None:
        printed = bytearray()
        found: list[Place] = []
        told = asyncio.Event()

        def take(data: bytes) -> None:
            if found or len(printed) > MOST_PRINTED:
                return
            printed.extend(data)
            place = wanted.read(bytes(printed))
            if place is not None:
                found.append(place)
                told.set()

        # What it prints later is read too, so that it never waits for us.
        reader = FdReader(fd, take, told.set)
        child.on_exit(told.set)
        child.on_exit(reader.close)
        if await within(told.wait(), PATIENCE, self._clock) and not found:
            # Its output may end a moment before its code is known, which tells more.
            await within(child.wait(), LAST_MOMENT, self._clock)
        return found[0] if found and child.returncode is None else None

    def _start_session(self, env: Mapping[str, str]) -> None:
        """Start what draws windows' frames, if there is anything."""
        for name in _SESSIONS:
            if found := shutil.which(name, path=env.get("PATH")):
                try:
                    self._children.start(Launch([found], env, env.get("HOME") or "/"))
                except OSError as error:
                    log.warning("%s cannot be started: %s", found, error)
                return

    def _forget(self, child: Child) -> None:
        if self._child is child and self._place is not None:
            log.info("the desktop has ended")
            self._place = None


def _why(wanted: Plan, child: Child, errors: Path) -> str:
    name = Path(wanted.argv[0]).name
    how = "did not come up" if child.returncode is None else f"ended with {child.returncode}"
    said = errors.read_bytes()[-_TAIL:].decode(errors="replace").strip()
    return f"The desktop's program {name} {how}." + (f" It said: {said}" if said else "")


def _write_authority(path: Path) -> None:
    """Write a display's password, for any display that takes it from this file."""
    any_family, name, cookie = 0xFFFF, b"MIT-MAGIC-COOKIE-1", secrets.token_bytes(16)
    fields = (b"", b"", name, cookie)
    content = struct.pack(">H", any_family)
    content += b"".join(struct.pack(">H", len(field)) + field for field in fields)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
