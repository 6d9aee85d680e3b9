"""Steps of the loop as rows of the log, and rows as messages of a prompt."""

import json
from collections.abc import Sequence
from decimal import Decimal
from uuid import UUID

from server import llm
from server.chats.model import Message, NewMessage
from server.llm import Prices, decode, encode
from server.loop import Row


def new_message(
    row: Row, *, model_config_id: UUID | None = None, created_by: UUID | None = None
) -> NewMessage:
    """Return a row as the database takes it: all its JSON is made here."""
    return NewMessage(
        role=row.role,
        content=encode(row.parts),
        visibility=row.visibility,
        compressed=row.compressed,
        created_by=created_by,
        model_config_id=model_config_id,
        usage=row.usage,
        cost_micros=row.cost_micros,
        price=None if row.prices is None else prices(row.prices),
        runtime_ms=row.runtime_ms,
        response_id=row.response_id,
    )


def prices(of: Prices) -> str:
    """Return prices as they are kept with what was bought for them."""
    told = {
        "source": of.source,
        "input": of.input,
        "output": of.output,
        "cache_read": of.cache_read,
        "cache_write": of.cache_write,
    }
    return json.dumps({key: _number(value) for key, value in told.items() if value is not None})


def history(rows: Sequence[Message]) -> tuple[llm.Message, ...]:
    """Return rows of the log as the messages of a prompt.

    Raises:
        UnreadableContent: a row was written by another release; nothing is guessed.
    """
    return tuple(
        llm.Message(
            role=row.role,
            parts=decode(row.content, row.content_version),
            id=row.id,
            provider=row.provider,
            model=row.model,
        )
        for row in rows
    )


def _number(value: Decimal | str) -> str:
    return str(value)
