"""Tell that chats were taken by a runner, or lost theirs."""

from collections.abc import Sequence

from server.chats.actions.telling import Told
from server.chats.events import Change, ChatChanged
from server.chats.model import Chat
from server.chats.store.leases import Left
from server.kit.db import Tx


async def taken(tx: Tx, chats: Sequence[Chat]) -> None:
    """Announce who runs these chats since now."""
    for chat in chats:
        tx.show(Told(chat, frozenset({Change.STATUS}), (), ()))
    await tx.announce_all([_fact(chat, origin=tx.origin) for chat in chats])


async def left(tx: Tx, chats: Sequence[Left]) -> None:
    """Announce that these chats wait for a runner again."""
    await tx.announce_all([_fact(chat, runnable=True) for chat in chats])


def _fact(chat: Chat | Left, *, runnable: bool = False, origin: str = "") -> ChatChanged:
    return ChatChanged(
        chat_id=chat.id,
        owner_id=chat.owner_id,
        changes=(Change.STATUS,),
        status=str(chat.status),
        snapshot_version=chat.snapshot_version,
        history_version=chat.history_version,
        queue_version=chat.queue_version,
        runner_id=chat.runner_id if isinstance(chat, Chat) else None,
        parent_chat_id=chat.parent_chat_id,
        runnable=runnable,
        origin=origin,
    )
