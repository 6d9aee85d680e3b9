"""Steps of the loop as rows of the log."""

import json
from dataclasses import asdict
from uuid import UUID

from server.chats.model import NewMessage
from server.llm import Prices, encode
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
    told = {name: value for name, value in asdict(of).items() if value is not None}
    return json.dumps(told, default=str)
