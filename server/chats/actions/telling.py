"""Tell listeners and workers what a transaction did to a chat: one fact, at its commit."""

from collections.abc import Sequence
from dataclasses import dataclass

from server.chats.events import Change, ChatChanged
from server.chats.model import Chat, Message
from server.kit.db import Tx


@dataclass(frozen=True, slots=True)
class Told:
    """What a transaction did to a chat, for the listeners of this replica."""

    chat: Chat
    """The row as it is since."""
    changes: frozenset[Change]
    ids: Sequence[int]
    """The rows that were added."""
    rows: Sequence[Message]
    """The same, where they are at hand: they need not be read then."""


async def tell(
    tx: Tx,
    chat: Chat,
    *changes: Change,
    ids: Sequence[int] = (),
    rows: Sequence[Message] = (),
) -> None:
    """Announce ``changes`` of a chat as it is now; ``ids`` are the rows that were added.

    A chat that waits for a runner wakes workers with the same fact. With ``rows`` listeners of
    this replica get by without reading them.
    """
    tx.show(Told(chat, frozenset(changes), ids, rows))
    fact = ChatChanged(
        chat_id=chat.id,
        owner_id=chat.owner_id,
        changes=tuple(dict.fromkeys(changes)),
        status=chat.status.value,
        snapshot_version=chat.snapshot_version,
        history_version=chat.history_version,
        queue_version=chat.queue_version,
        runner_id=chat.runner_id,
        parent_chat_id=chat.parent_chat_id,
        runnable=chat.runnable,
        origin=tx.origin,
    )
    await tx.announce(fact)
