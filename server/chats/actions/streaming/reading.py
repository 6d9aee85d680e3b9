"""What a feed reads from the database: for whoever listens, so that their rights are not asked."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from server.chats.actions import turns
from server.chats.actions.streaming import telling
from server.chats.model import Chat, MessagePage
from server.chats.model.live import Kept
from server.chats.store import chats as chat_store
from server.chats.store import messages as message_store
from server.chats.store import queue as queue_store
from server.kit.authz import as_system
from server.kit.db import Database
from server.llm import ToolCall

ME = as_system("chats")


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads chats for feeds."""

    database: Database

    async def chat(self, chat_id: UUID) -> Chat | None:
        """Return the row."""
        async with self.database.look(ME) as tx:
            return await chat_store.by_id(tx, chat_id)

    async def messages(self, chat_id: UUID, after: int, limit: int) -> list[Kept]:
        """Return the first ``limit`` messages after ``after`` that listeners see."""
        async with self.database.look(ME) as tx:
            found, _ = await message_store.page(tx, chat_id, MessagePage(limit, after_id=after))
        return [telling.message_event(row) for row in found]

    async def queue(self, chat_id: UUID) -> str:
        """Return the messages that wait, as a JSON array."""
        async with self.database.look(ME) as tx:
            return telling.queue(await queue_store.listed(tx, chat_id))

    async def calls(self, chat: Chat) -> str:
        """Return the calls that the client shall answer, as a JSON array."""
        async with self.database.look(ME) as tx:
            return told(await turns.required_calls(tx, chat.id))


def told(asked: Iterable[ToolCall]) -> str:
    """Return calls as ``action_required`` has them."""
    return telling.as_json(
        [{"tool_call_id": one.id, "tool_name": one.name, "args": one.args} for one in asked]
    )
