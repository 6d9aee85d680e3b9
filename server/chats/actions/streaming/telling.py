"""Events of a chat's stream, as JSON text: made once, sent to every listener as it is.

Source: reference, chats, section 2.7.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from pydantic_core import PydanticSerializationError, to_json

from server.chats.model import Chat, Message, QueuedMessage, Status
from server.chats.model.live import Kept
from server.llm import Part, Usage, decode, public
from server.loop import Retrying, Row

_HALVES = re.compile("[\ud800-\udfff]")
MOST_EVENTS = 256
MOST_BYTES = 1 << 20
"""What one frame holds; clients read at most 4 MiB at once, and one event may exceed this."""


def event(chat_id: UUID, kind: str, **fields: Any) -> str:
    """Return one event."""
    return as_json({"type": kind, "chat_id": chat_id, **fields})


def as_json(told: Any) -> str:
    """Return JSON; of a character that a model's stream broke in two each half becomes a mark."""
    try:
        return to_json(told).decode()
    except PydanticSerializationError:
        return to_json(_whole(told)).decode()


def _whole(value: Any) -> Any:
    match value:
        case str():
            return _HALVES.sub("\N{REPLACEMENT CHARACTER}", value)
        case Mapping():
            pairs = cast("Mapping[Any, Any]", value).items()
            return {_whole(key): _whole(inner) for key, inner in pairs}
        case list() | tuple():
            return [_whole(inner) for inner in cast("Sequence[Any]", value)]
        case _:
            return value


def wire_status(chat: Chat) -> str:
    """Return the status as clients know it: what waits for a worker is pending."""
    if chat.status is Status.RUNNING and chat.runner_id is None:
        return "pending"
    return chat.status.value


def message_event(row: Message) -> Kept:
    """Return a stored message as its event."""
    return Kept(row.id, event(row.chat_id, "message", message=message(row)))


def row_event(
    chat_id: UUID, message_id: int, row: Row, created_at: datetime, config_id: UUID | None
) -> Kept:
    """Return a row of a step that was stored just now as its event, as ``message_event`` does."""
    shown: dict[str, Any] = {"id": message_id, "chat_id": chat_id}
    if config_id is not None:
        shown["model_config_id"] = config_id
    shown |= {"created_at": created_at, "role": row.role.value}
    shown["content"] = [public(part) for part in row.parts]
    if usage := _usage(row.usage):
        shown["usage"] = usage
    return Kept(message_id, event(chat_id, "message", message=shown))


def message(row: Message) -> dict[str, Any]:
    """Return a stored message as clients see it."""
    fields: dict[str, Any] = {
        "id": row.id,
        "chat_id": row.chat_id,
        "created_by": row.created_by,
        "model_config_id": row.model_config_id,
        "created_at": row.created_at,
        "role": row.role.value,
    }
    shown = {name: value for name, value in fields.items() if value is not None}
    shown["content"] = [public(part) for part in decode(row.content, row.content_version)]
    if usage := _usage(row.usage):
        shown["usage"] = usage
    return shown


def _usage(usage: Usage | None) -> dict[str, int]:
    """Return what is known of tokens; no number is none, as in the database."""
    return {name: count for name, count in asdict(usage).items() if count} if usage else {}


def queue(rows: Iterable[QueuedMessage]) -> str:
    """Return the messages that wait, as a JSON array."""
    return as_json([_queued(row) for row in rows])


def _queued(row: QueuedMessage) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "id": row.id,
        "chat_id": row.chat_id,
        "content": [public(part) for part in decode(row.content, 1)],
        "model_config_id": row.model_config_id,
        "reasoning_effort": row.reasoning_effort or None,
        "created_by": row.created_by,
        "position": row.position,
        "created_at": row.created_at,
    }
    return {name: value for name, value in fields.items() if value is not None}


def queue_event(chat_id: UUID, waiting: str) -> str:
    """Return the whole queue as an event; ``waiting`` is its JSON."""
    head = json.dumps({"type": "queue_update", "chat_id": str(chat_id)})
    return f'{head[:-1]}, "queued_messages": {waiting}}}'


def action_event(chat_id: UUID, calls: str) -> str:
    """Return the calls that the client shall answer as an event; ``calls`` is their JSON."""
    head = json.dumps({"type": "action_required", "chat_id": str(chat_id)})
    return f'{head[:-1]}, "action_required": {{"tool_calls": {calls}}}}}'


def part_event(
    chat_id: UUID, role: str, part: Part | Mapping[str, Any], stamp: tuple[int, int, int]
) -> str:
    """Return a piece of what is being said; ``stamp`` is history, attempt and number."""
    history_version, attempt, seq = stamp
    told = {
        "role": role,
        "part": part if isinstance(part, Mapping) else public(part),
        "history_version": history_version,
        "generation_attempt": attempt,
        "seq": seq,
    }
    return event(chat_id, "message_part", message_part=told)


def retry_event(chat_id: UUID, retrying: Retrying) -> str:
    """Return that a call failed and is made again."""
    error = retrying.error
    told = {
        "attempt": retrying.attempt,
        "delay_ms": retrying.delay_ms,
        "error": error.message,
        "kind": error.kind.value,
        "provider": error.provider,
        "status_code": error.status_code,
        "retrying_at": retrying.at,
    }
    return event(chat_id, "retry", retry={name: one for name, one in told.items() if one})


def state_events(chat: Chat, before: Chat | None) -> list[str]:
    """Return what a listener who knew the chat as ``before`` must hear of its row."""
    told: list[str] = []
    if before is None or wire_status(chat) != wire_status(before):
        told.append(event(chat.id, "status", status={"status": wire_status(chat)}))
    failed = chat.status is Status.ERROR and chat.last_error is not None
    if failed and (before is None or before.last_error != chat.last_error):
        told.append(event(chat.id, "error", error=dict(chat.last_error or {})))
    return told


def frames(events: list[str]) -> Iterable[str]:
    """Return events as frames: JSON arrays of a bounded size."""
    batch: list[str] = []
    size = 0
    for one in events:
        if batch and (len(batch) == MOST_EVENTS or size + len(one) > MOST_BYTES):
            yield f"[{','.join(batch)}]"
            batch, size = [], 0
        batch.append(one)
        size += len(one)
    if batch:
        yield f"[{','.join(batch)}]"
