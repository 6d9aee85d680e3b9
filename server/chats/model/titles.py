"""What a chat is called before anybody thought about it, and what a model may call it.

Source: reference, chats, section 1.18. Pure.
"""

import json
from dataclasses import dataclass
from datetime import timedelta

from server.llm import Json

FIRST_WORDS = 6
LONGEST = 80
"""Characters of a title that is made here."""
MOST_WORDS = 8
"""Words of a title that a model gives."""
OUTPUT_TOKENS = 256
BUDGET = timedelta(seconds=30)
NAMELESS = "New Chat"

STALE_AFTER = timedelta(minutes=1)
"""Whoever makes a new title for longer is not waited for any more."""

SCHEMA: dict[str, Json] = {
    "type": "object",
    "properties": {"title": {"type": "string", "description": "At most eight words."}},
    "required": ["title"],
    "additionalProperties": False,
}

EDGE = 50
"""Messages of a long chat's begin, and of its end, that a new title is made from."""
LAST_TURNS = 3
CONTEXT_CHARACTERS = 6000
NEWEST_CHARACTERS = 1000


@dataclass(frozen=True, slots=True)
class Said:
    """What somebody said, as words only."""

    role: str
    text: str


def fallback(text: str) -> str:
    """Return the title of a chat that begins with ``text``: its first words."""
    words = _words(text)
    if not words:
        return NAMELESS
    title = " ".join(words[:FIRST_WORDS])
    if len(words) > FIRST_WORDS:
        title += "…"
    return title if len(title) <= LONGEST else title[: LONGEST - 1].rstrip() + "…"


def answered(text: str) -> str:
    """Return the title in a model's answer, or an empty string: JSON, or bare words of one line."""
    try:
        found = json.loads(text)
    except ValueError:
        # Models without structured answers say the title, some in quotes, some with thoughts first.
        lines = [line for line in text.strip().splitlines() if line.strip()]
        return tidy(lines[-1]) if lines else ""
    title = found.get("title") if isinstance(found, dict) else found  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType] - JSON
    return tidy(title) if isinstance(title, str) else ""


def tidy(title: str) -> str:
    """Return ``title`` on one line, without quotes, of at most eight words and 80 characters."""
    words = _words(title.strip().strip("\"'`“”„«»"))
    return " ".join(words[:MOST_WORDS])[:LONGEST].rstrip(" .")


def one_line(text: str) -> str:
    """Return ``text`` with single spaces, and nothing that a terminal would obey."""
    return " ".join(_words(text))


def _words(text: str) -> list[str]:
    shown = "".join(one if one.isprintable() else " " if one.isspace() else "" for one in text)
    return shown.split()


def deterministic(text: str) -> str:
    """Return the title that the scripted model would give: the first line's words, capitalized."""
    lines = [line for line in text.strip().splitlines() if line.strip()]
    title = tidy(lines[0].lstrip("$# ")) if lines else ""
    return title[:1].upper() + title[1:]


def context(said: list[Said]) -> str:
    """Return what a new title of a long chat is made from: its begin, its last turns, its newest.

    At most ``CONTEXT_CHARACTERS`` of the first request and the last turns, oldest first; the
    newest request is repeated at the end, as it tells best what the chat is about now.
    """
    asked = [index for index, one in enumerate(said) if one.role == "user"]
    if not asked:
        return ""
    since = asked[-LAST_TURNS] if len(asked) >= LAST_TURNS else asked[0]
    kept = ([said[asked[0]]] if since > asked[0] else []) + said[since:]
    lines = [f"{one.role}: {one.text.strip()}" for one in kept if one.text.strip()]
    text = "\n\n".join(lines)
    if len(text) > CONTEXT_CHARACTERS:
        half = CONTEXT_CHARACTERS // 2
        text = f"{text[:half]}\n…\n{text[-half:]}"
    return f"{text}\n\nThe newest request: {said[asked[-1]].text.strip()[:NEWEST_CHARACTERS]}"
