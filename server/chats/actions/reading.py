"""Read what was said in a chat. Source: reference, chats, section 2.3."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from server.chats.actions import find
from server.chats.model import Message, MessagePage, QueuedMessage
from server.chats.store import messages, queue
from server.kit.db import Tx


@dataclass(frozen=True, slots=True)
class Read:
    """A page of the log; what waits comes with the newest page only."""

    messages: Sequence[Message]
    queued: Sequence[QueuedMessage]
    more: bool


async def page(tx: Tx, chat_id: UUID, wanted: MessagePage) -> Read:
    """Return a page of what people see of a chat.

    Raises:
        NotFound: there is no such chat, or it is hidden.
    """
    chat = await find.chat(tx, chat_id)
    rows, more = await messages.page(tx, chat.id, wanted)
    newest = wanted.before_id is None and wanted.after_id is None
    waiting = await queue.listed(tx, chat.id) if newest and chat.queued else []
    return Read(rows, waiting, more)
