"""Chats that a chat makes: its sub-agents. One level only; all act for the same owner.

Source: reference, chats, sections 1.9 and 4.6.
"""

from dataclasses import replace
from uuid import UUID, uuid4

from server import models
from server.chats import policy
from server.chats.actions import creating, sending, spending, stopping
from server.chats.model import Chat, NewMessage
from server.chats.model.config import TurnConfig
from server.chats.model.orders import Busy, check_effort
from server.chats.model.rules import USUAL, ChatRules
from server.chats.model.titles import fallback
from server.chats.store import chats, messages
from server.chats.store.chats import NewChat
from server.kit.db import Tx
from server.kit.errors import Invalid, NotFound
from server.llm import Role, Text, decode, encode
from server.tools import Child, ChildOrder

EXPLORE = "explore"


class NoDescendant(Invalid):
    """A chat may look after its own sub-agents only."""

    def __init__(self) -> None:
        super().__init__("target chat is not a descendant of current chat")


async def spawn(tx: Tx, parent_id: UUID, prompts: TurnConfig, order: ChildOrder) -> Child:
    """Make a sub-agent and begin its first turn.

    Raises:
        NotFound: the parent is gone.
        Invalid: the parent is a sub-agent itself, or archived, or the order makes no sense.
        UsageLimitExceeded: the owner's money is spent.
    """
    parent = await chats.lock(tx, parent_id)
    if parent is None:
        raise NotFound
    if not parent.is_root:
        raise Invalid("delegated chats cannot create child subagents")
    policy.takes_messages(parent)
    await spending.check(tx, parent.owner_id)
    model = await models.choose(tx, order.model_config_id, parent.last_model_config_id)
    new = NewChat(
        id=uuid4(),
        organization_id=parent.organization_id,
        owner_id=parent.owner_id,
        title=order.title or fallback(order.prompt),
        title_source="user" if order.title else "fallback",
        model_config_id=model.id,
        workspace_id=parent.workspace_id,
        build_id=parent.build_id,
        agent_id=parent.agent_id,
        parent_chat_id=parent.id,
        root_chat_id=parent.id,
        reasoning_effort=check_effort(order.reasoning_effort),
        mode=EXPLORE if order.type == EXPLORE else None,
        plan_mode=parent.plan_mode,
        client_type=parent.client_type,
        mcp_server_ids=parent.mcp_server_ids,
    )
    rows = creating.child_rows(prompts, attached=parent.workspace_id is not None)
    first = NewMessage(
        Role.USER,
        encode([Text(order.prompt)]),
        created_by=parent.owner_id,
        model_config_id=model.id,
        reasoning_effort=new.reasoning_effort,
    )
    return _child(await creating.begin(tx, new, [*rows, first]))


async def child(tx: Tx, parent_id: UUID, chat_id: UUID) -> Child:
    """Return a sub-agent; what it came to is told once it is done.

    Raises:
        NoDescendant: the chat is not one of the parent's.
    """
    found = _child(await _owned(tx, parent_id, chat_id))
    if not found.done:
        return found
    answer = await messages.last_answer(tx, chat_id)
    parts = decode(answer.content, answer.content_version) if answer else ()
    report = "\n\n".join(part.text for part in parts if isinstance(part, Text) and part.text)
    return replace(found, report=report)


async def message(
    tx: Tx,
    parent_id: UUID,
    chat_id: UUID,
    words: str,
    *,
    interrupt: bool,
    rules: ChatRules = USUAL,
) -> Child:
    """Say something to a sub-agent.

    Raises:
        NoDescendant: the chat is not one of the parent's.
        ChatArchived, QueueFull, UsageLimitExceeded: it cannot be said now.
    """
    await _owned(tx, parent_id, chat_id)
    chat = await chats.lock(tx, chat_id)
    if chat is None:
        raise NoDescendant
    policy.takes_messages(chat)
    await spending.check(tx, chat.owner_id)
    said = NewMessage(
        Role.USER,
        encode([Text(words)]),
        created_by=chat.owner_id,
        model_config_id=chat.last_model_config_id,
    )
    busy = Busy.INTERRUPT if interrupt else Busy.QUEUE
    return _child((await sending.deliver(tx, chat, said, busy, rules)).chat)


async def interrupt(tx: Tx, parent_id: UUID, chat_id: UUID) -> Child:
    """Stop a sub-agent's turn.

    Raises:
        NoDescendant: the chat is not one of the parent's.
    """
    await _owned(tx, parent_id, chat_id)
    return _child(await stopping.interrupt(tx, chat_id))


async def listed(tx: Tx, parent_id: UUID, limit: int, offset: int) -> tuple[list[Child], int]:
    """Return sub-agents, newest first, and how many there are."""
    found = await chats.children(tx, parent_id)
    return [_child(one) for one in found[offset : offset + limit]], len(found)


async def _owned(tx: Tx, parent_id: UUID, chat_id: UUID) -> Chat:
    found = await chats.by_id(tx, chat_id)
    if found is None or found.parent_chat_id != parent_id:
        raise NoDescendant
    return found


def _child(chat: Chat) -> Child:
    return Child(
        chat_id=chat.id,
        title=chat.title,
        status=chat.status.value,
        type=EXPLORE if chat.mode == EXPLORE else "general",
        created_at=chat.created_at,
        updated_at=chat.updated_at,
        error=chat.last_error,
    )
