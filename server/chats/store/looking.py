"""Many chats at once, for those who listen to what others did to them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import LiteralString
from uuid import UUID

from server.chats.model import Chat
from server.chats.store.chats import COLUMNS
from server.kit.db import Tx

VERSIONS: LiteralString = """
    SELECT id, snapshot_version AS version FROM chats WHERE id = ANY(%(ids)s)
"""
ROWS: LiteralString = f"""
    SELECT {COLUMNS} FROM chats c JOIN users u ON u.id = c.owner_id WHERE c.id = ANY(%(ids)s)
"""


@dataclass(frozen=True, slots=True)
class Seen:
    """A chat's version."""

    id: UUID
    version: int


async def versions(tx: Tx, chat_ids: Sequence[UUID]) -> Mapping[UUID, int]:
    """Return the snapshot versions of chats; those that are gone are missing."""
    found = await tx.all(Seen, VERSIONS, {"ids": list(chat_ids)})
    return {one.id: one.version for one in found}


async def rows(tx: Tx, chat_ids: Sequence[UUID]) -> list[Chat]:
    """Return chats in no order, whoever may see them; those that are gone are missing."""
    return await tx.all(Chat, ROWS, {"ids": list(chat_ids)})
