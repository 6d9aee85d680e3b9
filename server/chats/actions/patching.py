"""Change a chat besides talking to it: its name, labels, place, mode and workspace."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from server import workspaces
from server.chats import policy
from server.chats.actions import archiving, find
from server.chats.actions.telling import tell
from server.chats.errors import (
    BadPin,
    BadTitle,
    WorkspaceElsewhere,
    WorkspaceUnknown,
)
from server.chats.events import Change
from server.chats.model import Chat
from server.chats.model.labels import checked
from server.chats.model.shown import Prompt
from server.chats.model.titles import one_line
from server.chats.store import chats, patching
from server.kit.authz import Action
from server.kit.db import Tx
from server.kit.errors import Gone, NotFound

LONGEST_TITLE = 200


@dataclass(frozen=True, slots=True)
class Patch:
    """What is to be different; None stays as it is."""

    title: str | None = None
    archived: bool | None = None
    workspace_id: UUID | None = None
    pin_order: int | None = None
    labels: Mapping[str, str] | None = None
    plan_mode: str | None = None


async def patch(tx: Tx, chat_id: UUID, wanted: Patch) -> None:
    """Change a chat; everything or nothing.

    Raises:
        NotFound: the chat is hidden.
        Forbidden: the actor may see it only.
        Invalid: one of the changes cannot be made; nothing was.
    """
    if wanted.pin_order is not None:
        await patching.begin_pinning(tx, (await find.chat(tx, chat_id)).owner_id)
    chat = await find.locked(tx, chat_id)
    if wanted.workspace_id is not None or wanted.plan_mode is not None:
        policy.may_speak(tx.actor, chat)
    chat = await _described(tx, chat, wanted)
    if wanted.workspace_id is not None:
        chat = await _move_in(tx, chat, wanted.workspace_id)
    if wanted.archived is not None:
        chat = await _archive(tx, chat, archived=wanted.archived)
    if wanted.pin_order is not None:
        await _pin(tx, chat, wanted.pin_order)


async def mark_read(tx: Tx, chat_id: UUID) -> None:
    """Remember that the chat's owner saw everything up to the newest message."""
    if await patching.read(tx, chat_id):
        found = await chats.by_id(tx, chat_id)
        if found is not None:
            await tell(tx, found, Change.READ)


async def prompts(tx: Tx, chat_id: UUID, limit: int) -> list[Prompt]:
    """Return what the actor said in a chat, newest first.

    Raises:
        NotFound: the chat is hidden.
    """
    await find.chat(tx, chat_id)
    return await patching.prompts(tx, chat_id, limit)


async def _described(tx: Tx, chat: Chat, wanted: Patch) -> Chat:
    if wanted.title is None and wanted.labels is None and wanted.plan_mode is None:
        return chat
    changed = await patching.change(
        tx,
        chat,
        title=None if wanted.title is None else _title(wanted.title),
        labels=None if wanted.labels is None else checked(wanted.labels),
        plan_mode=wanted.plan_mode,
    )
    titled = (Change.TITLE,) if wanted.title is not None else ()
    await tell(tx, changed, *titled, Change.SETTINGS)
    return changed


async def _move_in(tx: Tx, chat: Chat, workspace_id: UUID) -> Chat:
    """Have the chat work elsewhere; what it knew of the former workspace's agent goes."""
    await may_work_in(tx, workspace_id, chat.organization_id)
    moved = await chats.bind(tx, chat, workspace_id, None, None)
    await tell(tx, moved, Change.BINDING)
    return moved


async def may_work_in(tx: Tx, workspace_id: UUID, organization_id: UUID) -> None:
    """Refuse a workspace that a chat of the actor's cannot work in.

    Raises:
        WorkspaceUnknown: there is none, or the actor may not log in to it.
        WorkspaceElsewhere: it belongs to another organization.
    """
    try:
        workspace = await workspaces.workspace(tx, workspace_id)
    except (NotFound, Gone):
        raise WorkspaceUnknown from None
    if not tx.actor.can(Action.SSH, workspace.object):
        raise WorkspaceUnknown
    if workspace.organization_id != organization_id:
        raise WorkspaceElsewhere


async def _archive(tx: Tx, chat: Chat, *, archived: bool) -> Chat:
    if archived:
        return await archiving.archive(tx, chat)
    return await archiving.unarchive(tx, chat)


async def _pin(tx: Tx, chat: Chat, order: int) -> None:
    if order < 0:
        raise BadPin("Pin order must be non-negative.")
    if order and chat.archived:
        raise BadPin("Cannot pin an archived chat.")
    if order and not chat.is_root:
        raise BadPin("Only a root chat can be pinned.")
    if order:
        # A chat that was not pinned goes to the end, wherever it was wished.
        await patching.place(tx, chat, order if chat.pin_order else None)
    elif chat.pin_order:
        await patching.unpin(tx, chat)
        await chats.close_pin_gaps(tx, chat.owner_id)
    await tell(tx, await find.chat(tx, chat.id), Change.SETTINGS)


def _title(text: str) -> str:
    title = one_line(text)
    if not title:
        raise BadTitle("Title cannot be empty.")
    if len(title) > LONGEST_TITLE:
        raise BadTitle(f"Title must be at most {LONGEST_TITLE} characters.")
    return title
