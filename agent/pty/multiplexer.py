"""A terminal that GNU screen keeps: each client gets a ``screen`` of its own that joins it.

Source: reference, agent and provisioner, section 2.4.
"""

import errno
import os
import stat
from collections.abc import Callable, Coroutine
from contextlib import suppress
from pathlib import Path
from shutil import which
from typing import Any, Final

from typing_extensions import override

from agent.kit.child import Launch, within
from agent.pty.client import Client
from agent.pty.options import Command, PtyOptions
from agent.pty.session import Session, describe
from agent.pty.tty import Ears, Tty
from agent.pty.wire import Init, Said

_SETTINGS: Final = """\
# Written by the workspace agent; changes are lost.
startup_message off
msgwait 0
# The terminal's own scrollback instead of a second screen.
termcapinfo xterm* ti@:te@
altscreen on
defutf8 on
# Control-A belongs to the shell; control-S would only stop the terminal.
escape ^Ss
"""
_QUIT_WITHIN: Final = 5.0


def find_screen(path: str) -> str:
    """Return where ``screen`` is on the search path ``path``; nothing when it is not."""
    return which("screen", path=path) or ""


class Multiplexed(Session):
    """The backend for workspaces that have ``screen``."""

    def __init__(
        self,
        options: PtyOptions,
        command: Command,
        init: Init,
        spawn: Callable[[Coroutine[Any, Any, None]], object],
    ) -> None:
        """Prepare it; the first client starts the process. Raises ``OSError``."""
        super().__init__(options.clock)
        self._children = options.children
        self._spawn = spawn
        place = _private(options.directory)
        settings = place / "config"
        settings.write_text(_SETTINGS)
        self._screen = find_screen(command.env.get("PATH", ""))
        self._name = str(init.id)
        self._env = {**command.env, "SCREENDIR": str(place)}
        self._cwd = command.cwd
        argv = (self._screen, "-S", self._name, "-UxRRqc", str(settings), *command.argv)
        self._command = Command(argv, self._env, command.cwd)
        self._glasses: dict[Client, Tty] = {}

    @override
    def join(self, client: Client) -> None:
        ears = Ears(client.show, lambda code: self._left(client, code), client.hold, client.release)
        size = (client.init.columns, client.init.rows)
        glass = Tty(self._command, self._children, size, ears)
        self._glasses[client] = glass
        self.clients.add(client)
        client.on_room = lambda: self._balance(client)

    @override
    def leave(self, client: Client) -> None:
        self.clients.discard(client)
        glass = self._glasses.pop(client, None)
        if glass is not None:
            self._spawn(glass.end(self.clock))

    @override
    def hear(self, client: Client, said: Said) -> None:
        glass = self._glasses.get(client)
        if glass is None:
            return
        if said.size:
            glass.resize(said.size)
        if said.data:
            glass.feed(said.data)
        self._balance(client)

    @override
    async def end(self) -> None:
        self.over = True
        for client in tuple(self.clients):
            self.leave(client)
        argv = (self._screen, "-S", self._name, "-X", "quit")
        with suppress(OSError):
            asked = self._children.start(Launch(argv, self._env, self._cwd))
            await within(asked.wait(), _QUIT_WITHIN, self.clock)

    def _balance(self, client: Client) -> None:
        glass = self._glasses.get(client)
        if glass is not None:
            client.lost = False
            (glass.pause if client.behind else glass.resume)()

    def _left(self, client: Client, code: int) -> None:
        self._glasses.pop(client, None)
        self.clients.discard(client)
        # Whether the program has ended, or only this client let go of it, screen does not say.
        client.finish(*describe(code))


def _private(place: Path) -> Path:
    """Return the directory, made if it is missing; a stranger's would be a trap."""
    place.mkdir(mode=0o700, exist_ok=True)
    found = place.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise PermissionError(errno.EPERM, f"{place} is not a directory that is ours alone")
    return place
