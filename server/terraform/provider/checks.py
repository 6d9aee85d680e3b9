"""Checks of single values, with the published provider's words."""

import re
from collections.abc import Collection

from server.terraform.provider.schema import Check
from server.terraform.provider.values import quote


def _quoted(values: Collection[str]) -> str:
    return "[" + " ".join(map(quote, values)) + "]"


def one_of(*allowed: str) -> Check:
    """Accept one of a few words."""

    def check(value: str, label: str) -> str | None:
        if value in allowed:
            return None
        return f"expected {label} to be one of {_quoted(allowed)}, got {value}"

    return check


def at_least(least: int) -> Check:
    """Accept a number from ``least`` up."""

    def check(value: int, label: str) -> str | None:
        if value >= least:
            return None
        return f"expected {label} to be at least ({least}), got {value}"

    return check


def between(low: int, high: int) -> Check:
    """Accept a number of a range, ends included."""

    def check(value: int, label: str) -> str | None:
        if low <= value <= high:
            return None
        return f"expected {label} to be in the range ({low} - {high}), got {value}"

    return check


def at_most_bytes(limit: int, message: str) -> Check:
    """Accept a text of at most ``limit`` bytes."""

    def check(value: str, _label: str) -> str | None:
        return None if len(value.encode()) <= limit else message

    return check


def not_empty(value: str, label: str) -> str | None:
    """Accept any text but the empty one."""
    return None if value else f"expected {quote(label)} to not be an empty string, got {value}"


def matches(pattern: str, message: str) -> Check:
    """Accept a text that matches a pattern of ours."""
    compiled = re.compile(pattern)

    def check(value: str, label: str) -> str | None:
        if compiled.search(value) and "\n" not in value:
            return None
        return f"invalid value for {label} ({message})"

    return check


def at_most_long(most: int) -> Check:
    """Accept a text of at most ``most`` bytes, in the words for lengths."""

    def check(value: str, label: str) -> str | None:
        if len(value.encode()) <= most:
            return None
        return f"expected length of {label} to be in the range (0 - {most}), got {value}"

    return check


_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def uuid(value: str, label: str) -> str | None:
    """Accept a UUID."""
    if _UUID.fullmatch(value):
        return None
    return f"expected {quote(label)} to be a valid UUID, got {value}"


def url(value: str, _label: str) -> str | None:
    """Accept what Go's ``url.Parse`` accepts: nearly everything, so the exceptions are listed."""
    problem = _url_problem(value)
    return None if problem is None else f"parse {quote(value)}: {problem}"


_ESCAPE = re.compile(r"%(?![0-9a-fA-F]{2}).{0,2}")
_SCHEME = re.compile(r"([a-zA-Z][a-zA-Z0-9+.-]*):")
_PORT = re.compile(r".*?(?P<port>:[^:\]]*)?$")


def _url_problem(value: str) -> str | None:
    if any(ord(letter) < 0x20 or ord(letter) == 0x7F for letter in value):
        return "net/url: invalid control character in URL"
    rest = value.partition("#")[0]
    if value.startswith(":"):
        return "missing protocol scheme"
    scheme = _SCHEME.match(rest)
    if scheme:
        rest = rest[scheme.end() :]
    path = rest.partition("?")[0]
    if scheme and not path.startswith("/"):
        return None  # An opaque address such as mailto:somebody is not looked into.
    if not scheme and ":" in path.partition("/")[0]:
        return "first path segment in URL cannot contain colon"
    if path.startswith("//"):
        host, _, path = path[2:].partition("/")
        problem = _host_problem(host)
        if problem:
            return problem
    escape = _ESCAPE.search(path)
    return f"invalid URL escape {quote(escape[0])}" if escape else None


def _host_problem(authority: str) -> str | None:
    host = authority.rpartition("@")[2]
    if host.startswith("[") and "]" not in host:
        return "missing ']' in host"
    port = host.rpartition("]")[2] if host.startswith("[") else host
    found = _PORT.fullmatch(port)
    if found and found["port"] and not re.fullmatch(r":[0-9]*", found["port"]):
        return f"invalid port {quote(found['port'])} after host"
    for letter in host:
        if letter in ' "\\^`{}|':
            return f"invalid character {quote(letter)} in host name"
    escape = _ESCAPE.search(host)
    return f"invalid URL escape {quote(escape[0])}" if escape else None
