"""Lists of chats, complete: roots with their sub-agents and what is known of their branches.

A number of statements that does not grow with the list: page, sub-agents, pull requests.
"""

from collections.abc import Mapping, Sequence
from uuid import UUID

from server.chats.model import Chat
from server.chats.model.diff import DiffStatus
from server.chats.model.search import Part, Search
from server.chats.model.shown import Shown
from server.chats.store import diff, listing
from server.kit.db import Tx


async def search(tx: Tx, wanted: Search, part: Part) -> list[Shown]:
    """Return one page of the actor's chats."""
    return await complete(tx, await listing.page(tx, wanted, part))


async def by_workspace(tx: Tx, workspaces: Sequence[UUID]) -> dict[UUID, Shown]:
    """Return the chat of each workspace that changed last; workspaces without one are absent."""
    found = await listing.latest(tx, workspaces)
    shown = await complete(tx, list(found.values()))
    return dict(zip(found, shown, strict=True))


async def complete(tx: Tx, chats: Sequence[Chat]) -> list[Shown]:
    """Return chats with what belongs to them, in the order given; two statements for any number."""
    roots = [chat.id for chat in chats if chat.is_root]
    below = await listing.children(tx, roots)
    known = await diff.of_chats(tx, [chat.id for chat in (*chats, *below)])
    nested: dict[UUID | None, list[Shown]] = {}
    for child in below:
        nested.setdefault(child.parent_chat_id, []).append(Shown(child, known.get(child.id)))
    return [_shown(chat, known, nested) for chat in chats]


def _shown(
    chat: Chat, known: Mapping[UUID, DiffStatus], nested: Mapping[UUID | None, list[Shown]]
) -> Shown:
    return Shown(chat, known.get(chat.id), tuple(nested.get(chat.id, ())))
