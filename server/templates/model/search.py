"""What a search for templates may ask (reference: API and CLI, section 2.2). Pure."""

from typing import Any
from uuid import UUID

from server.kit.query import Query, bad, parse

KEYS = frozenset(
    {
        "author",
        "author_id",
        "deleted",
        "deprecated",
        "display_name",
        "exact_display_name",
        "exact_name",
        "has-ai-task",
        "has_external_agent",
        "ids",
        "name",
        "organization",
    }
)


def wanted(q: str, actor_id: UUID | None, organization_id: UUID | None = None) -> dict[str, Any]:
    """Return the arguments of a list of templates; bare words search the display name.

    Raises:
        Invalid: an unknown key, or a value that cannot be read.
    """
    query = parse(q, KEYS, "display_name")
    author = query.text("author")
    mine = author == "me"
    return {
        "organization_id": organization_id,
        "organization": query.text("organization") or None,
        "name": query.text("name") or None,
        "exact_name": query.text("exact_name") or None,
        "display_name": query.text("display_name") or None,
        "exact_display_name": query.text("exact_display_name") or None,
        "ids": _ids(query, "ids"),
        "deprecated": query.flag("deprecated"),
        "deleted": query.flag("deleted") or False,
        "author": None if mine else author or None,
        "author_id": actor_id if mine else _id(query, "author_id"),
        "has_ai_task": query.flag("has-ai-task"),
        "has_external_agent": query.flag("has_external_agent"),
    }


def _id(query: Query, key: str) -> UUID | None:
    ids = _ids(query, key)
    return ids[0] if ids else None


def _ids(query: Query, key: str) -> list[UUID] | None:
    texts = query.list(key)
    try:
        return [UUID(text) for text in texts] or None
    except ValueError:
        raise bad(key, f"Query param {key!r} must be a valid uuid.") from None
