"""Versions of many chats at once, for those who may have missed something."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import LiteralString
from uuid import UUID

from server.kit.db import Tx

VERSIONS: LiteralString = """
    SELECT id, snapshot_version AS version FROM chats WHERE id = ANY(%(ids)s)
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
