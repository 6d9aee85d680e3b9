"""Tell listeners and workers what a transaction did to a chat: one fact, at its commit."""

from collections.abc import Sequence

from server.chats.events import Change, ChatChanged
from server.chats.model import Chat
from server.kit.db import Tx


async def tell(tx: Tx, chat: Chat, *changes: Change, ids: Sequence[int] = ()) -> None:
    """Announce ``changes`` of a chat as it is now; ``ids`` are the rows that were added.

    A chat that waits for a runner wakes workers with the same fact.
    """
    fact = ChatChanged(
        chat_id=chat.id,
        owner_id=chat.owner_id,
        changes=tuple(dict.fromkeys(changes)),
        status=chat.status.value,
        snapshot_version=chat.snapshot_version,
        history_version=chat.history_version,
        queue_version=chat.queue_version,
        runner_id=chat.runner_id,
        first_message_id=min(ids, default=0),
        last_message_id=max(ids, default=0),
        parent_chat_id=chat.parent_chat_id,
        runnable=chat.runnable,
    )
    await tx.announce(fact)
