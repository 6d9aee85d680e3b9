"""Add what somebody in a workspace wants a chat to know, and take it back.

Whoever holds the agent's token may do so, with the rights of the workspace's owner: for chats of
theirs that work in this workspace, and no others. Source: reference, chats, section 6.2.
"""

from collections.abc import Sequence
from pathlib import PurePosixPath
from uuid import UUID

from coder_cli.sdk.chats import context as sdk
from server.chats import policy
from server.chats.actions import find
from server.chats.actions.telling import tell
from server.chats.errors import ContentRequired, InvalidPart
from server.chats.events import Change
from server.chats.model import Chat, NewMessage
from server.chats.store import context, messages
from server.identity import actor_of
from server.kit.authz import Actor, as_system
from server.kit.db import Database, Tx
from server.kit.errors import NotFound
from server.llm import ContextFile, Part, Role, Skill, encode

MOST_HELD = 2 * sdk.LARGEST_ALL
"""Bytes that a chat holds of it: each is in every prompt, and agents have no rate."""
LONGEST_NAME = 64
LONGEST_DESCRIPTION = 1024
LONGEST_PATH = 4096


async def owner(database: Database, owner_id: UUID) -> Actor:
    """Return the owner of a workspace, whose rights its agent has here.

    Raises:
        Forbidden: they are suspended, or gone.
    """
    async with database.tx(as_system("chat context")) as tx:
        return await actor_of(tx, owner_id)


async def add(
    tx: Tx, chat_id: UUID, workspace_id: UUID, agent_id: UUID, given: Sequence[sdk.ChatContextPart]
) -> int:
    """Tell the model of a chat about files and skills; return how many.

    Raises:
        NotFound: the chat is hidden from the actor, or works elsewhere.
        ContentRequired, InvalidPart: there is nothing to tell, or a part makes no sense.
        ChatArchived: the chat takes no messages.
    """
    parts = parts_of(given, agent_id)
    content = encode(parts)
    chat = await _here(tx, chat_id, workspace_id)
    policy.takes_messages(chat)
    if await context.size(tx, chat.id) + len(content.encode()) > MOST_HELD:
        told = f"would be more than {MOST_HELD} bytes with what the chat has; clear that first"
        raise InvalidPart("parts", told)
    row = NewMessage(Role.USER, content, visibility="model", created_by=tx.actor.user_id)
    ids = await messages.append(tx, chat.id, [row])
    now = await find.locked(tx, chat.id)
    await tell(tx, now, Change.MESSAGES, ids=ids)
    return len(parts)


async def clear(tx: Tx, chat_id: UUID, workspace_id: UUID) -> int:
    """Take back all that was told of workspaces; return how many messages that were.

    What the next turn finds in its workspace by itself is told anew.

    Raises:
        NotFound: the chat is hidden from the actor, or works elsewhere.
    """
    chat = await _here(tx, chat_id, workspace_id)
    gone = await context.clear(tx, chat.id)
    if gone:
        await tell(tx, await find.locked(tx, chat.id), Change.HISTORY)
    return gone


def parts_of(given: Sequence[sdk.ChatContextPart], agent_id: UUID) -> tuple[Part, ...]:
    """Return parts of a message.

    Raises:
        ContentRequired: there are none.
        InvalidPart: one of them makes no sense, or there are too many.
    """
    if not given:
        raise ContentRequired
    if len(given) > sdk.MOST_PARTS:
        raise InvalidPart("parts", f"has more than {sdk.MOST_PARTS} entries")
    return tuple(_part(place, one, agent_id) for place, one in enumerate(given))


def _part(place: int, given: sdk.ChatContextPart, agent_id: UUID) -> Part:
    where = f"parts[{place}]"
    match given.type:
        case "context-file":
            return _file(where, given)
        case "skill":
            return _skill(where, given, agent_id)
        case _:
            raise InvalidPart(f"{where}.type", f'"{given.type}" is neither context-file nor skill')


def _file(where: str, given: sdk.ChatContextPart) -> ContextFile:
    # No agent: whatever it shows by itself would count as told already.
    _absolute(f"{where}.context_file_path", given.context_file_path)
    if len(given.context_file_content.encode()) > sdk.LARGEST_FILE:
        raise InvalidPart(
            f"{where}.context_file_content", f"has more than {sdk.LARGEST_FILE} bytes"
        )
    return ContextFile(
        given.context_file_path,
        given.context_file_content,
        truncated=given.context_file_truncated,
        os=given.context_file_os[:LONGEST_NAME],
        directory=given.context_file_directory[:LONGEST_PATH],
    )


def _skill(where: str, given: sdk.ChatContextPart, agent_id: UUID) -> Skill:
    if not given.skill_name or len(given.skill_name) > LONGEST_NAME:
        raise InvalidPart(f"{where}.skill_name", f"has 1 to {LONGEST_NAME} characters")
    _absolute(f"{where}.skill_dir", given.skill_dir)
    meta = given.context_file_skill_meta_file or f"{given.skill_dir}/SKILL.md"
    _absolute(f"{where}.context_file_skill_meta_file", meta)
    # Nobody finds it by its name where it was not looked for: its file says where it is.
    about = given.skill_description[:LONGEST_DESCRIPTION]
    return Skill(
        given.skill_name,
        f"{about} (read_file {meta})".strip(),
        dir=given.skill_dir,
        meta_file=meta,
        agent_id=agent_id,
    )


def _absolute(where: str, path: str) -> None:
    if len(path) > LONGEST_PATH or "\0" in path or not PurePosixPath(path).is_absolute():
        raise InvalidPart(where, "is not an absolute path")


async def _here(tx: Tx, chat_id: UUID, workspace_id: UUID) -> Chat:
    chat = await find.locked(tx, chat_id)
    if chat.workspace_id != workspace_id or chat.owner_id != tx.actor.user_id:
        raise NotFound
    return chat
