"""Files of chats: taken in, used by messages, given out, and forgotten when no chat has them."""

from collections.abc import Sequence
from uuid import UUID

from server.chats import policy
from server.chats.model import Chat
from server.chats.model.files import KEPT_UNLINKED, FileContent, StoredFile, Upload, fit
from server.chats.model.rules import USUAL
from server.chats.store import files
from server.kit.db import Tx
from server.kit.errors import NotFound

known = files.known
link = files.link
load = files.load
of_chat = files.of_chat

PURGED_AT_ONCE = 1000


async def save(tx: Tx, organization_id: UUID, upload: Upload) -> UUID:
    """Store a checked upload of the actor's.

    Raises:
        Forbidden: the actor may not have chats in the organization.
    """
    policy.may_create(tx.actor, organization_id)
    return await files.insert(tx, tx.actor.user_id, organization_id, upload)


async def keep(
    tx: Tx,
    chat: Chat,
    upload: Upload,
    most: int = USUAL.most_files,
) -> StoredFile | None:
    """Store a file that a tool made for a chat whose row is held; None when the chat is full."""
    kept = Upload(fit(upload.name), upload.mimetype, upload.data)
    file_id = await files.insert(tx, chat.owner_id, chat.organization_id, kept)
    if await files.link(tx, chat.id, chat.owner_id, [file_id], most):
        return None
    return (await files.known(tx, [file_id], chat.owner_id))[file_id]


async def read(tx: Tx, file_id: UUID) -> FileContent:
    """Return a file of the actor's, or of a chat that it may read.

    Raises:
        NotFound: there is none, or it is hidden.
    """
    found = await files.readable(tx, file_id)
    if found is None:
        raise NotFound
    return found


async def warnings(
    tx: Tx, chat_id: UUID, owner_id: UUID, ids: Sequence[UUID], most: int = USUAL.most_files
) -> list[str]:
    """Link files to a chat whose row is held; return what to tell about those that were not."""
    left = await files.link(tx, chat_id, owner_id, ids, most)
    if not left:
        return []
    return [f"{len(left)} files could not be linked: a chat has {most} files at most."]


async def purge(tx: Tx) -> int:
    """Delete files that no chat uses and that are past their window; return how many."""
    return await files.purge(tx, tx.now - KEPT_UNLINKED, PURGED_AT_ONCE)
