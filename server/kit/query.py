"""The search grammar of ``q=`` (reference: API and CLI, section 2.2)."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from server.kit.errors import FieldError, Invalid

_TOKEN = re.compile(r'(?:[^\s"]|"[^"]*"?)+')


@dataclass(frozen=True, slots=True)
class Query:
    """A parsed search: for each key its values, in the order they were written."""

    values: dict[str, list[str]]

    def text(self, key: str) -> str:
        """Return the one value of ``key``, or an empty string."""
        found = self.values.get(key, [])
        if len(found) > 1:
            raise bad(key, f"Query param {key!r} provided more than once.")
        return found[0] if found else ""

    def list(self, key: str) -> list[str]:
        """Return every value of ``key``; commas separate values too."""
        return [part for value in self.values.get(key, []) for part in value.split(",") if part]

    def flag(self, key: str) -> bool | None:
        """Return the value of ``key`` as a bool, or None when it is not there."""
        text = self.text(key)
        if not text:
            return None
        if text in ("true", "1", "t"):
            return True
        if text in ("false", "0", "f"):
            return False
        raise bad(key, f"Query param {key!r} must be a valid boolean: {text!r} is not.")

    def time(self, key: str) -> datetime | None:
        """Return the value of ``key`` as a time (RFC 3339), or None when it is not there."""
        text = self.text(key)
        if not text:
            return None
        try:
            moment = datetime.fromisoformat(text.upper())
        except ValueError:
            moment = None
        if moment is None or moment.tzinfo is None:
            raise bad(key, f"Query param {key!r} must be a valid date format (RFC 3339).")
        return moment


def bad(field: str, detail: str) -> Invalid:
    """Return the refusal of a search."""
    return Invalid("Invalid search query.", fields=[FieldError(field, detail)])


def parse(q: str, keys: Collection[str], default_key: str | None = None) -> Query:
    """Parse ``q``; bare words go to ``default_key``.

    Raises:
        Invalid: an unknown key, a stray colon, or a bare word where none is allowed.
    """
    values: dict[str, list[str]] = {}
    free: list[str] = []
    for token in _TOKEN.findall(q.lower()):
        key, value = _split(token)
        if key is None:
            free.append(value)
        elif key not in keys:
            raise bad(key, f"{key!r} is not a valid query param")
        else:
            values.setdefault(key, []).append(value)
    if free:
        if default_key is None:
            raise bad("q", f"{free[0]!r} is not of the form key:value")
        values.setdefault(default_key, []).append(" ".join(free))
    return Query(values)


def _split(token: str) -> tuple[str | None, str]:
    outside = re.sub(r'"[^"]*"?', lambda quoted: "x" * len(quoted[0]), token)
    if outside.startswith(":") or outside.endswith(":"):
        raise bad("q", f"Query element {token!r} cannot start or end with ':'")
    if outside.count(":") > 1:
        raise bad("q", f"Query element {token!r} can only contain 1 ':'")
    if ":" not in outside:
        return None, token.replace('"', "")
    at = outside.index(":")
    return token[:at].replace('"', ""), token[at + 1 :].replace('"', "")
