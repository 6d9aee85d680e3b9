"""What a client of a terminal says: first who it is, then keys and sizes. Pure.

Two bytes of length (little-endian), so many bytes of JSON, and from then on JSON objects one after
the other; frames mean nothing. Source: reference, agent and provisioner, section 2.4.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, cast
from uuid import UUID

_HEADER: Final = 2
_LARGEST: Final = 1 << 20
"""Bytes of one object: what somebody pastes is one."""
_BRACES: Final = re.compile(rb'"(?:[^"\\]|\\.)*+"|[{}]|"|[^\s"{}:,\[\]\w.+-]', re.DOTALL)
_CONTAINER: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,254}")
_USER: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:-]{0,63}")
BACKENDS: Final = frozenset({"", "screen", "buffered"})
SIDE: Final = 1000
"""The most rows and columns that a terminal has here; a screen of them is memory."""


class BadWord(Exception):
    """The client does not speak our language; the message says what is wrong."""


@dataclass(frozen=True, slots=True)
class Init:
    """Which terminal a client wants, and how large."""

    id: UUID
    columns: int = 80
    rows: int = 80
    command: str = ""
    container: str = ""
    container_user: str = ""
    backend: str = ""


@dataclass(frozen=True, slots=True)
class Said:
    """Keys, a new size, or both."""

    data: bytes = b""
    size: tuple[int, int] | None = None
    """Columns and rows."""


def init_length(head: bytes) -> int | None:
    """Return how long the first words are, header included; None until that is known."""
    return _HEADER + int.from_bytes(head[:_HEADER], "little") if len(head) >= _HEADER else None


def read_init(words: bytes) -> Init:
    """Return what the first words, header included, ask for.

    Raises:
        BadWord: they make no sense.
    """
    given = {name.lower().replace("_", ""): value for name, value in _object(words[_HEADER:])}
    try:
        identity = UUID(str(given.get("id", "")))
    except ValueError:
        raise BadWord("The id of a terminal must be a UUID.") from None
    text = {
        name: str(given.get(name) or "")
        for name in ("command", "container", "containeruser", "backendtype")
    }
    if "\0" in text["command"]:
        raise BadWord("A command cannot contain a NUL.")
    if text["container"] and not _CONTAINER.fullmatch(text["container"]):
        raise BadWord(f"{text['container']!r} is not the name of a container.")
    if text["containeruser"] and not _USER.fullmatch(text["containeruser"]):
        raise BadWord(f"{text['containeruser']!r} is not the name of a user.")
    if text["backendtype"] not in BACKENDS:
        raise BadWord(f"{text['backendtype']!r} is not a backend: choose screen or buffered.")
    return Init(
        identity,
        _side(given.get("width")) or 80,
        _side(given.get("height")) or 80,
        text["command"],
        text["container"],
        text["containeruser"],
        text["backendtype"],
    )


class Reader:
    """Takes the objects out of the stream."""

    def __init__(self) -> None:
        self._buffer = b""
        self._depth = 0
        self._seen = 0
        """How far the buffer was looked at; nothing is looked at twice."""

    def feed(self, data: bytes) -> Iterator[Said]:
        """Yield what is whole now.

        Raises:
            BadWord: this is no JSON, or too much of it.
        """
        self._buffer += data
        for token in _BRACES.finditer(self._buffer, self._seen):
            word = token[0]
            if word == b'"':
                # A string that is not whole: look at it again when there is more.
                break
            self._seen = token.end()
            if word == b"{":
                self._depth += 1
            elif word == b"}":
                self._depth -= 1
                if self._depth <= 0:
                    whole = self._buffer[: token.end()]
                    yield from self._take(whole)
                    return
            elif not word.startswith(b'"'):
                raise BadWord("Terminals are told JSON objects only.")
        if len(self._buffer) > _LARGEST:
            raise BadWord(f"An object may have at most {_LARGEST} bytes.")

    def _take(self, whole: bytes) -> Iterator[Said]:
        self._buffer = self._buffer[len(whole) :]
        self._depth = self._seen = 0
        yield _said(whole)
        yield from self.feed(b"")


def _said(whole: bytes) -> Said:
    given = dict(_object(whole))
    data = given.get("data") or ""
    if not isinstance(data, str):
        raise BadWord("The data for a terminal must be a string.")
    columns, rows = _side(given.get("width")), _side(given.get("height"))
    size = (columns, rows) if columns and rows else None
    return Said(data.encode(errors="replace"), size)


def _object(words: bytes) -> list[tuple[str, Any]]:
    try:
        given: object = json.loads(words)
    except (ValueError, RecursionError):
        raise BadWord("Terminals are told JSON objects only.") from None
    if not isinstance(given, dict):
        raise BadWord("Terminals are told JSON objects only.")
    return list(cast("dict[str, Any]", given).items())


def _side(value: object) -> int:
    """Return a number of rows or columns; 0 when none is given."""
    if isinstance(value, bool) or not isinstance(value, int) or value <= 0:
        return 0
    return min(value, SIDE)
