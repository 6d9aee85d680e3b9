"""The kinds of value an option can hold: how each is read from text and YAML, and shown again."""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Any, Generic, NamedTuple, TypeVar, cast
from urllib.parse import urlsplit

from typing_extensions import override

from coder_cli.kit.durations import format_duration, nanoseconds, parse_duration

T = TypeVar("T")
Shown = str | int | bool | list[str] | list[dict[str, str]] | dict[str, str] | None
"""A value as YAML and JSON write it."""


class Address(NamedTuple):
    """Where to listen: a host (empty: every interface) and a port (0: any free one)."""

    host: str
    port: int

    @override
    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


class Link(NamedTuple):
    """A link that pages show to everybody."""

    name: str = ""
    target: str = ""
    icon: str = ""
    location: str = ""


@dataclass(frozen=True)  # no slots: typing writes to instances of a subscripted generic
class Kind(Generic[T]):
    """How one type of value is written."""

    name: str
    """The word for it in ``--help``."""
    parse: Callable[[Sequence[str]], T]
    """Read the value from its words: one for a plain value, any number for a list.

    Raises ``ValueError`` with a sentence for a person.
    """
    show: Callable[[T], Shown]
    """Write the value for YAML and for the option list of the API."""
    json: Callable[[T], Shown]
    """Write the value for the ``config`` object of the API, in the wire's units."""
    many: bool = False
    switch: bool = False


def _one(parse: Callable[[str], T]) -> Callable[[Sequence[str]], T]:
    return lambda words: parse(words[-1].strip() if words else "")


def _plain(value: Shown) -> Shown:
    return value


def _bool(text: str) -> bool:
    match text.lower():
        case "true" | "t" | "1" | "yes" | "on":
            return True
        case "false" | "f" | "0" | "no" | "off" | "":
            return False
        case _:
            raise ValueError(f"{text!r} is neither true nor false.")


def _address(text: str) -> Address | None:
    if not text:
        return None
    host, colon, port = text.rpartition(":")
    if not colon or not port.isdecimal() or int(port) > 65535:
        raise ValueError(f"{text!r} is not an address; write it like 127.0.0.1:3000.")
    return Address(host.removeprefix("[").removesuffix("]"), int(port))


def _url(text: str) -> str:
    if not text:
        return ""
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError(f"{text!r} is not a URL; write it like https://coder.example.com.")
    return text.rstrip("/")


def _words(words: Sequence[str]) -> tuple[str, ...]:
    split = (part.strip() for word in words for part in word.split(","))
    return tuple(part for part in split if part)


def _pairs(words: Sequence[str]) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for word in _words(words):
        key, equals, value = word.partition("=")
        if not equals or not key.strip():
            raise ValueError(f"{word!r} is not of the form key=value.")
        pairs[key.strip()] = value.strip()
    return pairs


_SSH_FORBIDDEN = frozenset(
    {
        *("host", "match", "include", "proxycommand", "proxyjump", "localcommand"),
        *("permitlocalcommand", "remotecommand", "knownhostscommand", "pkcs11provider"),
        *("securitykeyprovider", "smartcarddevice", "xauthlocation"),
    }
)
"""What would run programs, or reach beyond our hosts, on the machine of whoever runs config-ssh."""


def _ssh_options(words: Sequence[str]) -> dict[str, str]:
    options = _pairs(words)
    for name, value in options.items():
        if name.lower() in _SSH_FORBIDDEN:
            raise ValueError(f"{name!r} may not be set for everyone: it could run programs.")
        if not re.fullmatch(r"[A-Za-z0-9]+", name) or re.search(r"[\r\n\0]", value):
            raise ValueError(f"{name!r} is not an SSH option on one line.")
    return options


def _networks(words: Sequence[str]) -> tuple[str, ...]:
    for word in _words(words):
        try:
            ip_network(word, strict=False)
        except ValueError:
            raise ValueError(f"{word!r} is not a network; write it like 10.0.0.0/8.") from None
    return _words(words)


def _path(text: str) -> Path | None:
    return Path(text).expanduser() if text else None


def _show_path(value: Path | None) -> Shown:
    return str(value) if value else ""


def _postgres(text: str) -> str:
    if text and not text.startswith(("postgres://", "postgresql://")):
        # The value may hold a password: it is not repeated.
        raise ValueError("write it like postgres://user:password@host:5432/database.")
    return text


def _wildcard(text: str) -> str:
    if text and not re.fullmatch(r"\*[a-z0-9-]*(\.[a-z0-9-]+)+(:\d+)?", text.lower()):
        raise ValueError(
            f"{text!r} is not a wildcard host; write it like *.example.com, without a scheme."
        )
    return text


def _suffix(text: str) -> str:
    if text.startswith(".") or re.search(r"[\s*?]", text):
        raise ValueError(f"{text!r} may have no leading dot, no spaces, no '*' and no '?'.")
    return text


_ICONS = frozenset({"", "bug", "chat", "docs", "star"})
_PLACES = frozenset({"", "navbar", "dropdown"})


def _links(words: Sequence[str]) -> tuple[Link, ...]:
    return tuple(_link(one) for word in words if word.strip() for one in _objects(word))


def _objects(word: str) -> list[object]:
    try:
        found: object = json.loads(word)
    except ValueError:
        found = None
    if isinstance(found, list):
        return cast("list[object]", found)
    return [found]


def _link(given: object) -> Link:
    if not isinstance(given, dict):
        raise ValueError('write it like [{"name": "Help", "target": "https://…", "icon": "docs"}].')  # noqa: TRY004 - all that cannot be read is told alike
    parts = {str(key): str(value) for key, value in cast("dict[Any, Any]", given).items()}
    if unknown := set(parts) - set(Link._fields):
        raise ValueError(f"a link has no {min(unknown)!r}.")
    link = Link(**parts)
    if not link.name or not link.target:
        raise ValueError("a link needs a name and a target.")
    if urlsplit(link.target).scheme not in {"http", "https", "mailto"}:
        raise ValueError(f"{link.target!r} is not a URL; write it like https://example.com.")
    if link.icon not in _ICONS:
        raise ValueError(f"{link.icon!r} is not one of bug, chat, docs, star.")
    if link.location not in _PLACES:
        raise ValueError(f"{link.location!r} is not one of navbar, dropdown.")
    return link


def _written(link: Link) -> str:
    return json.dumps(link._asdict(), ensure_ascii=False)


def _links_json(links: tuple[Link, ...]) -> Shown:
    return [link._asdict() for link in links]


def choice(name: str, *allowed: str) -> Kind[str]:
    """Return the kind whose value is one of ``allowed``."""

    def parse(text: str) -> str:
        if text not in allowed:
            raise ValueError(f"{text!r} is not one of {', '.join(allowed)}.")
        return text

    return Kind(name, _one(parse), _plain, _plain)


def integer(low: int, high: int) -> Kind[int]:
    """Return the kind of whole numbers from ``low`` to ``high``."""

    def parse(text: str) -> int:
        if not re.fullmatch(r"[+-]?\d+", text):
            raise ValueError(f"{text!r} is not a whole number.")
        if not low <= int(text) <= high:
            raise ValueError(f"{text} is not between {low} and {high}.")
        return int(text)

    return Kind("int", _one(parse), _plain, _plain)


def clamped(low: int, high: int) -> Kind[int]:
    """Return the kind of whole numbers that are moved to the nearest from ``low`` to ``high``."""

    def parse(text: str) -> int:
        if not re.fullmatch(r"[+-]?\d{1,40}", text):
            raise ValueError(f"{text[:60]!r} is not a whole number.")
        return min(max(int(text), low), high)

    return Kind("int", _one(parse), _plain, _plain)


def _duration(text: str) -> timedelta:
    span = parse_duration(text)
    if span < timedelta(0):
        raise ValueError(f"{text!r} is negative.")
    return span


TEXT = Kind[str]("string", _one(str), _plain, _plain)
BOOL = Kind[bool]("bool", _one(_bool), _plain, _plain, switch=True)
URL = Kind[str]("url", _one(_url), _plain, _plain)
POSTGRES = Kind[str]("url", _one(_postgres), _plain, _plain)
WILDCARD = Kind[str]("host", _one(_wildcard), _plain, _plain)
SUFFIX = Kind[str]("string", _one(_suffix), _plain, _plain)
ADDRESS = Kind[Address | None](
    "host:port",
    _one(_address),
    lambda value: str(value) if value else "",
    lambda value: str(value) if value else "",
)
DURATION = Kind[timedelta]("duration", _one(_duration), format_duration, nanoseconds)
LINKS = Kind[tuple[Link, ...]](
    "json", _links, lambda value: [_written(link) for link in value], _links_json, many=True
)
WORDS = Kind[tuple[str, ...]]("string-array", _words, list, list, many=True)
NETWORKS = Kind[tuple[str, ...]]("string-array", _networks, list, list, many=True)
SSH_OPTIONS = Kind[dict[str, str]](
    "key=value",
    _ssh_options,
    lambda value: [f"{key}={item}" for key, item in value.items()],
    dict,
    many=True,
)
PATH = Kind[Path | None]("path", _one(_path), _show_path, _show_path)
