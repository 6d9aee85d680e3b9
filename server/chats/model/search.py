"""What is asked for in a list of chats (reference, chats, section 2.1.1). Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from server.chats.errors import InvalidLabelFilter
from server.kit.query import bad, parse

KEYS: Final = frozenset(
    {
        "title",
        "archived",
        "has_unread",
        "status",
        "pr_status",
        "diff_url",
        "pr",
        "repo",
        "pr_title",
        "source",
    }
)
STATUSES: Final = frozenset(
    {
        "waiting",
        "pending",
        "running",
        "interrupting",
        "requires_action",
        "error",
        "paused",
        "completed",
    }
)
"""Of both eras; nothing is ever ``paused`` or ``completed``."""
PULL_STATUSES: Final = frozenset({"draft", "open", "merged", "closed", "none"})
SOURCES: Final = frozenset({"created_by_me", "shared_with_me"})
PAGE: Final = 50
MOST_WORKSPACES: Final = 25


@dataclass(frozen=True, slots=True)
class Search:
    """Restrictions of a list; None and empty are none."""

    title: str = ""
    archived: bool = False
    has_unread: bool | None = None
    statuses: tuple[str, ...] = ()
    pull_statuses: tuple[str, ...] = ()
    diff_url: str = ""
    pr_number: int | None = None
    repo: str = ""
    pr_title: str = ""
    shared: bool = False
    """Chats of others that were shared with the actor, instead of the actor's own."""
    labels: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Part:
    """Which part of the list: at most ``limit`` after ``offset``, behind the chat ``after_id``."""

    limit: int = PAGE
    offset: int = 0
    after_id: UUID | None = None


def search(q: str, labels: Sequence[str] = ()) -> Search:
    """Read a search as it is written.

    Raises:
        Invalid: an unknown key or value, bare words, or a label that is none.
    """
    query = parse(q, KEYS)
    number = query.text("pr").removeprefix("#")
    if number and not (number.isascii() and number.isdigit() and len(number) < 10):
        raise bad("pr", f"Query param 'pr' must be a number: {number!r} is not.")
    source = query.text("source")
    _known("source", [source] if source else [], SOURCES)
    return Search(
        title=query.text("title"),
        archived=query.flag("archived") or False,
        has_unread=query.flag("has_unread"),
        statuses=_known("status", query.list("status"), STATUSES),
        pull_statuses=_known("pr_status", query.list("pr_status"), PULL_STATUSES),
        diff_url=query.text("diff_url").rstrip("/"),
        pr_number=int(number) if number else None,
        repo=query.text("repo"),
        pr_title=query.text("pr_title"),
        shared=source == "shared_with_me",
        labels=tuple(_label(label) for label in labels),
    )


def _known(key: str, values: list[str], known: frozenset[str]) -> tuple[str, ...]:
    for value in values:
        if value not in known:
            known_ones = ", ".join(sorted(known))
            raise bad(key, f"Query param {key!r} is {value!r}, which is none of: {known_ones}.")
    return tuple(values)


def _label(text: str) -> tuple[str, str]:
    key, colon, value = text.partition(":")
    if not colon or not key.strip() or not value.strip() or not text.isprintable():
        raise InvalidLabelFilter(text)
    return key, value
