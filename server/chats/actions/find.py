"""Find chats by what a path says. Hidden and missing are the same refusal."""

from uuid import UUID

from server.chats import policy
from server.chats.model import Chat
from server.chats.store import chats
from server.kit.db import Tx
from server.kit.errors import NotFound


async def chat(tx: Tx, chat_id: UUID) -> Chat:
    """Return the chat if the actor may see it.

    Raises:
        NotFound: there is none, or it is hidden.
    """
    found = await chats.by_id(tx, chat_id)
    if found is None:
        raise NotFound
    return found


async def locked(tx: Tx, chat_id: UUID) -> Chat:
    """Return a chat that the actor may change; nobody else changes it until the commit.

    Raises:
        NotFound: there is none, or it is hidden.
        Forbidden: the actor may see it only.
    """
    found = await chats.lock(tx, chat_id)
    if found is None:
        raise NotFound
    policy.may_update(tx.actor, found)
    return found
