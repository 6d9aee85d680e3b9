"""What a repository's own configuration says, and what of it must not be done. Pure.

Cloning brings no configuration along, but an unpacked archive does. Commands in it would be run by
merely looking. Commands that the user's own files name (``git lfs``) are the user's wish.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

MOST_OVERRIDES: Final = 500
_OWN: Final = frozenset({b"local", b"worktree"})
_DRIVER: Final = re.compile(rb"filter\.(.*)\.(clean|smudge|process|required)", re.DOTALL)
_HARMLESS: Final = {b"required": b"false"}
_USERINFO: Final = re.compile(r"(?i)^(https?://)[^/?#]*@")


class Suspicious(Exception):
    """A configuration that nobody writes by hand."""


@dataclass(frozen=True, slots=True)
class Config:
    """What matters of it."""

    origin: str
    overrides: dict[str, str]
    """What to run git with, so that nothing but the user's own filters is run."""


def read(listed: bytes) -> Config:
    """Read the output of ``git config --list --show-scope -z``.

    Raises:
        Suspicious: there are too many filters.
    """
    trusted: dict[bytes, bytes] = {}
    filters: set[bytes] = set()
    origin = b""
    for scope, key, value in _entries(listed):
        if key == b"remote.origin.url":
            origin = value
        elif _DRIVER.fullmatch(key):
            if scope in _OWN:
                filters.add(key)
            elif scope != b"command":
                trusted[key] = value
    if len(filters) > MOST_OVERRIDES:
        raise Suspicious(f"the repository has {len(filters)} filters of its own")
    overrides = {key: trusted.get(key, _harmless(key)) for key in sorted(filters)}
    return Config(_public(origin), {_text(key): _text(value) for key, value in overrides.items()})


def _entries(listed: bytes) -> Iterator[tuple[bytes, bytes, bytes]]:
    parts = iter(listed.split(b"\0"))
    for scope, entry in zip(parts, parts, strict=False):
        key, _, value = entry.partition(b"\n")
        yield scope, key, value


def _harmless(key: bytes) -> bytes:
    return _HARMLESS.get(key.rpartition(b".")[2], b"")


def _public(origin: bytes) -> str:
    """Return the address without what somebody wrote into it to log in."""
    return _USERINFO.sub(r"\1", origin.decode(errors="replace"))


def _text(raw: bytes) -> str:
    return raw.decode(errors="surrogateescape")
