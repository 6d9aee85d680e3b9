"""Parts of messages as JSON: how they are stored, and how they are served.

Source: reference, chats, section 1.5. One flat object for each part, told apart by ``type``. What
is stored differs from what is served in three ways: internal fields are there, NUL is escaped
(``nul``), and the arguments of a tool call and what a provider attached are kept as text, because
jsonb sorts the keys of objects and a signature covers them in their order.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Any, cast
from uuid import UUID

from server.llm.nul import escape, restore
from server.llm.parts import (
    ContextFile,
    File,
    FileReference,
    Json,
    Part,
    Provenance,
    Reasoning,
    Skill,
    Source,
    Text,
    ToolCall,
    ToolResult,
)

DEEPEST = 100
"""Levels of arguments that are served as JSON; what makes answers of it gives up at 255."""

CONTENT_VERSION = 1
"""The ``content_version`` of what ``encode`` writes."""


class UnreadableContent(Exception):
    """Stored content is not what this release writes; nothing is guessed."""


@dataclass(frozen=True, slots=True)
class _Field:
    """One field of a part: its name on the wire and how it is read and written."""

    name: str
    wire: str
    kind: type = str
    internal: bool = False
    always: bool = False
    """Written even when empty."""


_CREATED = _Field("created_at", "created_at", datetime)
_PROVENANCE = _Field("provenance", "provider_metadata", Provenance, internal=True)
_CALL_ID = _Field("id", "tool_call_id", always=True)
_TOOL = _Field("name", "tool_name", always=True)
_MCP = _Field("mcp_server_config_id", "mcp_server_config_id", UUID)
_EXECUTED = _Field("provider_executed", "provider_executed", bool)
_AGENT = _Field("agent_id", "context_file_agent_id", UUID)
_WORDS = _Field("text", "text", always=True)

_SHAPES: Mapping[type[Part], tuple[str, tuple[_Field, ...]]] = {
    Text: ("text", (_WORDS, _CREATED, _PROVENANCE)),
    Reasoning: (
        "reasoning",
        (_WORDS, _CREATED, _Field("completed_at", "completed_at", datetime), _PROVENANCE),
    ),
    ToolCall: (
        "tool-call",
        (
            _CALL_ID,
            _TOOL,
            _Field("args", "args", always=True),
            _EXECUTED,
            _Field("parsed_commands", "parsed_commands", tuple),
            _MCP,
            _CREATED,
            _PROVENANCE,
        ),
    ),
    ToolResult: (
        "tool-result",
        (
            _CALL_ID,
            _TOOL,
            _Field("result", "result", object, always=True),
            _Field("is_error", "is_error", bool),
            _Field("is_media", "is_media", bool),
            _EXECUTED,
            _MCP,
            _CREATED,
            _PROVENANCE,
        ),
    ),
    Source: (
        "source",
        (
            _Field("id", "source_id", always=True),
            _Field("url", "url", always=True),
            _Field("title", "title"),
        ),
    ),
    File: (
        "file",
        (
            _Field("media_type", "media_type", always=True),
            _Field("file_id", "file_id", UUID),
            _Field("data", "data"),
            _Field("name", "name"),
        ),
    ),
    FileReference: (
        "file-reference",
        (
            _Field("file_name", "file_name", always=True),
            _Field("start_line", "start_line", int, always=True),
            _Field("end_line", "end_line", int, always=True),
            _Field("content", "content", always=True),
        ),
    ),
    ContextFile: (
        "context-file",
        (
            _Field("path", "context_file_path", always=True),
            _Field("content", "context_file_content", internal=True),
            _Field("truncated", "context_file_truncated", bool),
            _AGENT,
            _Field("os", "context_file_os", internal=True),
            _Field("directory", "context_file_directory", internal=True),
        ),
    ),
    Skill: (
        "skill",
        (
            _Field("name", "skill_name", always=True),
            _Field("description", "skill_description"),
            _Field("dir", "skill_dir", internal=True),
            _Field("meta_file", "context_file_skill_meta_file", internal=True),
            _AGENT,
        ),
    ),
}
_BY_TYPE = {name: (part, shape) for part, (name, shape) in _SHAPES.items()}


def encode(parts: Sequence[Part]) -> str:
    """Return the JSON text of a message's content, as the database takes it."""
    return json.dumps(
        [escape(_plain(part)) for part in parts],
        ensure_ascii=False,
        separators=(",", ":"),
        allow_nan=False,
    )


def decode(content: object, version: int) -> tuple[Part, ...]:
    """Return the parts of stored content, given as its text or as the tree it holds.

    Raises:
        UnreadableContent: another version, or no list of known parts.
    """
    if version != CONTENT_VERSION:
        raise UnreadableContent(f"content of version {version} cannot be read here")
    tree = json.loads(content) if isinstance(content, str | bytes) else content
    if not isinstance(tree, list):
        raise UnreadableContent("content is not a list of parts")
    return tuple(_part(item) for item in cast("list[object]", tree))


def public(part: Part) -> dict[str, Json]:
    """Return a part as clients see it: without what is internal, arguments as JSON."""
    shown = _plain(part, served=True)
    if isinstance(part, ToolCall):
        shown["args"] = _loads_or_text(part.args)
    if isinstance(part, ToolResult) and not _is_shallow(part.result):
        shown["result"] = json.dumps(part.result)
    if "file_id" in shown:
        shown.pop("data", None)
    return shown


def _plain(part: Part, *, served: bool = False) -> dict[str, Json]:
    name, shape = _SHAPES[type(part)]
    plain: dict[str, Json] = {"type": name}
    for field in shape:
        value: object = getattr(part, field.name)
        if (value or field.always) and not (served and field.internal):
            plain[field.wire] = _written(value)
    return plain


def _written(value: object) -> Json:
    match value:
        case datetime():
            return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
        case UUID():
            return str(value)
        case Provenance():
            return {"provider": value.provider, "blob": json.dumps(value.blob)}
        case tuple():
            return [_written(inner) for inner in cast("tuple[object, ...]", value)]
        case _:
            return cast("Json", value)


def _part(item: object) -> Part:
    plain = restore(cast("Json", item))
    if not isinstance(plain, dict) or str(plain.get("type")) not in _BY_TYPE:
        raise UnreadableContent("content holds a part of an unknown type")
    made, shape = _BY_TYPE[str(plain["type"])]
    try:
        values: dict[str, Any] = {
            field.name: _read(field, plain[field.wire]) for field in shape if field.wire in plain
        }
        return made(**values)
    except (TypeError, ValueError, KeyError) as wrong:
        raise UnreadableContent(f"a part of type {plain['type']} is malformed") from wrong


def _read(field: _Field, value: Json) -> object:
    if field.kind is object:
        return value
    read = _READERS.get(field.kind)
    if read is not None:
        return read(value)
    if not isinstance(value, field.kind):
        raise TypeError(f"{field.wire} is not of its type")
    return value


def _read_provenance(value: Json) -> Provenance:
    if not isinstance(value, dict):
        raise TypeError("provider_metadata is no object")
    blob = json.loads(str(value["blob"]))
    if not isinstance(blob, dict):
        raise TypeError("what a provider attached is no object")
    return Provenance(str(value["provider"]), cast("dict[str, Json]", blob))


def _read_commands(value: Json) -> tuple[tuple[str, ...], ...]:
    if not isinstance(value, list):
        raise TypeError("parsed_commands is no list")
    return tuple(tuple(str(word) for word in cast("list[Json]", words)) for words in value)


_READERS: Mapping[type, Callable[[Json], object]] = {
    datetime: lambda value: datetime.fromisoformat(str(value)),
    UUID: lambda value: UUID(str(value)),
    Provenance: _read_provenance,
    tuple: _read_commands,
}


def _loads_or_text(raw: str) -> Json:
    """Return arguments as JSON, or as the text they are where no client could be sent that.

    Models write what they like: halves of characters, and brackets without end.
    """
    try:
        read = cast("Json", json.loads(raw))
    except (ValueError, RecursionError):
        return whole(raw)
    return whole(read) if _is_shallow(read) else whole(raw)


def whole(value: Json) -> Json:
    """Return a tree that can be written as JSON: no halves of characters, no infinite numbers."""
    return restore(escape(value))


def _is_shallow(value: Json) -> bool:
    level = [value]
    for _ in range(DEEPEST):
        level = [
            inner
            for outer in level
            if isinstance(outer, dict | list)
            for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]
        if not level:
            return True
    return False


assert all(
    {field.name for field in shape} == {field.name for field in fields(part)}
    for part, (_, shape) in _SHAPES.items()
), "a part has a field that is not stored"
