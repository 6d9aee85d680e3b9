"""Which program shows a desktop here, and how it says where its VNC server is."""

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from coder_cli.sdk.agentapi import Json

PORTABLE: Final = "portabledesktop"
X_SERVERS: Final = ("Xtigervnc", "Xvnc")
GEOMETRY: Final = "1280x800"


class NoDesktop(Exception):
    """No desktop can be shown; the message says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a VNC server is: a port of localhost, or a socket of our own."""

    port: int = 0
    socket: str = ""
    display: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to start. It prints something, from which ``read`` makes the place once it is whole."""

    argv: Sequence[str]
    read: Callable[[bytes], Place | None]
    authority: str = ""
    """Where the display's password is to be written, if it takes one."""


def plan(env: Mapping[str, str], directory: Path) -> Plan:
    """Return what shows a desktop here; its own files are in ``directory``.

    Raises:
        NoDesktop: nothing on PATH does.
    """
    path = env.get("PATH")
    if found := shutil.which(PORTABLE, path=path):
        return Plan([found, "up", "--json", "--foreground"], read_portable)
    for name in X_SERVERS:
        if found := shutil.which(name, path=path):
            return _x_server(found, directory)
    raise NoDesktop(
        f"There is no {PORTABLE} and no Xvnc on the workspace's PATH. "
        "Install one of them (Debian: tigervnc-standalone-server) to have a desktop."
    )


def _x_server(program: str, directory: Path) -> Plan:
    socket, authority = directory / "vnc", directory / "authority"
    argv = [
        program,
        *("-displayfd", "1"),
        *("-auth", str(authority)),
        *("-nolisten", "tcp"),
        *("-geometry", GEOMETRY),
        *("-depth", "24"),
        # No password is needed where nobody else comes near: no port, a socket of our own.
        *("-rfbport", "-1"),
        *("-rfbunixpath", str(socket)),
        *("-rfbunixmode", "0600"),
        *("-SecurityTypes", "None"),
        "-AlwaysShared",
    ]

    def read(printed: bytes) -> Place | None:
        number, newline, _ = printed.partition(b"\n")
        if not newline or not number.strip().isdigit():
            return None
        return Place(socket=str(socket), display=f":{int(number)}")

    return Plan(argv, read, str(authority))


def read_portable(printed: bytes) -> Place | None:
    """Return the place that ``portabledesktop`` printed; None as long as it is not whole."""
    try:
        said: Json = json.loads(printed)
        port, display = int(said["vncPort"]), said.get("display")
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None
    if not 1 <= port <= 65535:
        return None
    return Place(port=port, display=f":{display}" if isinstance(display, int) else "")
