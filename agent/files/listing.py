"""What is in a directory, and where a path leads."""

import os
import stat
from typing import Final

from agent.files.opening import refusal
from agent.network.http import Refusal
from coder_cli.sdk.agentapi.files import Directory, DirectoryEntry, ListDirectory, Relativity

MOST_ENTRIES: Final = 10_000


def list_directory(wanted: ListDirectory, home: str) -> Directory:
    """Return a directory's entries, sorted by name.

    Raises:
        Refusal: there is no such directory, it may not be read, or a part of its path is none.
    """
    base = home if wanted.relativity is Relativity.HOME else "/"
    for part in wanted.path:
        if part == ".." or "/" in part.rstrip("/") or "\0" in part:
            raise Refusal(400, f"{part!r} is no name of a file or directory")
    path = os.path.normpath(os.path.join(base, *(part.strip("/") for part in wanted.path)))  # noqa: PTH118 — paths stay what they were
    try:
        if not stat.S_ISDIR(os.stat(path).st_mode):  # noqa: PTH116
            raise Refusal(400, f"{path} is not a directory")
        with os.scandir(path) as entries:
            # One name more than is told says that there are more.
            found = [entry for entry, _ in zip(entries, range(MOST_ENTRIES + 1), strict=False)]
    except OSError as error:
        raise refusal(error, path) from None
    contents = sorted((_entry(entry) for entry in found), key=lambda entry: entry.name)
    parts = tuple(part for part in _shown(path).split("/") if part)
    truncated = len(contents) > MOST_ENTRIES
    return Directory(parts, _shown(path), tuple(contents[:MOST_ENTRIES]), truncated)


def resolve(path: str) -> str:
    """Return where ``path`` leads, links followed; what is missing at its end may stay so.

    Raises:
        Refusal: a link leads to itself.
    """
    resolved = os.path.realpath(path)
    try:
        os.stat(resolved)  # noqa: PTH116
    except FileNotFoundError:
        pass
    except OSError as error:
        raise refusal(error, path) from None
    return _shown(resolved)


def _entry(entry: "os.DirEntry[str]") -> DirectoryEntry:
    try:
        is_dir = entry.is_dir()
    except OSError:
        is_dir = False
    return DirectoryEntry(_shown(entry.name), _shown(entry.path), is_dir)


def _shown(path: str) -> str:
    """Return ``path`` as text that everybody can take: names may be any bytes."""
    return os.fsencode(path).decode(errors="replace")
