"""Which workspaces a list asks for: ``q`` as a value. Source: reference, API and CLI, 2.2."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from coder_cli.sdk.agents import AgentStatus
from coder_cli.sdk.builds import WorkspaceStatus
from server.kit.query import Query, bad, parse

KEYS = frozenset(
    {
        "owner", "name", "template", "status", "id", "has-agent", "dormant", "last_used_after",
        "last_used_before", "outdated", "has-ai-task", "has_external_agent", "organization",
        "shared", "shared_with_user", "shared_with_group", "healthy", "param",
    }
)  # fmt: skip
_FREE = "free text"
"""Cannot be written as a key: it has a space."""


@dataclass(frozen=True, slots=True)
class Search:
    """What is asked for; None and empty are no restriction."""

    owner: str = ""
    """A user name, or ``me``."""
    name: str = ""
    template: str = ""
    organization: str = ""
    """A name or an id."""
    status: WorkspaceStatus | None = None
    ids: list[UUID] | None = None
    agent_statuses: list[AgentStatus] = field(default_factory=list[AgentStatus])
    dormant: bool | None = None
    outdated: bool | None = None
    has_ai_task: bool | None = None
    has_external_agent: bool | None = None
    shared: bool | None = None
    shared_with_user: str = ""
    """A user name, an id, or ``me``."""
    shared_with_group: UUID | None = None
    last_used_after: datetime | None = None
    last_used_before: datetime | None = None
    parameters: list[tuple[str, str | None]] = field(default_factory=list[tuple[str, str | None]])
    """Names with the value each must have; None is any value."""


def read_search(q: str) -> Search:
    """Return what ``q`` asks for.

    Raises:
        Invalid: an unknown key, or a value that the key cannot have.
    """
    query = parse(q, KEYS, _FREE)
    owner, name = _named(query)
    return Search(
        owner=owner,
        name=name,
        template=query.text("template"),
        organization=query.text("organization"),
        status=_status(query.text("status")),
        ids=[_uuid("id", text) for text in query.list("id")] if "id" in query.values else None,
        agent_statuses=_agent_statuses(query),
        dormant=query.flag("dormant"),
        outdated=query.flag("outdated"),
        has_ai_task=query.flag("has-ai-task"),
        has_external_agent=query.flag("has_external_agent"),
        shared=query.flag("shared"),
        shared_with_user=query.text("shared_with_user"),
        shared_with_group=_group(query.text("shared_with_group")),
        last_used_after=query.time("last_used_after"),
        last_used_before=query.time("last_used_before"),
        parameters=[_parameter(text) for text in query.values.get("param", [])],
    )


def _named(query: Query) -> tuple[str, str]:
    """Return owner and name; bare words are ``name`` or ``owner/name``."""
    owner, name, free = query.text("owner"), query.text("name"), query.text(_FREE)
    if not free:
        return owner, name
    before, slash, after = free.rpartition("/")
    if "/" in before:
        raise bad("q", f"Query element {free!r} can only contain 1 '/'")
    if (slash and owner) or name:
        raise bad("q", f"{free!r} names what another part of the query names too")
    return (before if slash else owner), after


def _status(text: str) -> WorkspaceStatus | None:
    if text and text not in set(WorkspaceStatus):
        words = ", ".join(WorkspaceStatus)
        raise bad("status", f"Query param 'status' has invalid value: {text!r} is not in [{words}]")
    return WorkspaceStatus(text) if text else None


def _agent_statuses(query: Query) -> list[AgentStatus]:
    statuses = query.list("has-agent")
    for text in statuses:
        if text not in set(AgentStatus):
            words = ", ".join(AgentStatus)
            raise bad(
                "has-agent",
                f"Query param 'has-agent' has invalid value: {text!r} is not in [{words}]",
            )
    healthy = query.flag("healthy")
    if healthy is None:
        return [AgentStatus(text) for text in statuses]
    if statuses:
        raise bad("healthy", "'healthy' and 'has-agent' cannot be combined")
    return [AgentStatus.CONNECTED] if healthy else [AgentStatus.DISCONNECTED, AgentStatus.TIMEOUT]


def _uuid(key: str, text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise bad(
            key, f"Query param {key!r} has invalid value: {text!r} is not a valid uuid"
        ) from None


def _group(text: str) -> UUID | None:
    """Groups have no names yet; the one of everybody has its organization's id."""
    return _uuid("shared_with_group", text) if text else None


def _parameter(text: str) -> tuple[str, str | None]:
    name, equals, value = text.partition("=")
    if not name:
        raise bad(
            "param", f"Query param 'param' must be <name> or <name>=<value>: {text!r} is not."
        )
    return name, value if equals else None
