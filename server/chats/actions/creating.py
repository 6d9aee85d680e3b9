"""Make a chat and say its first message; a worker takes it at once.

Source: reference, chats, sections 2.1.2 and 1.15.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import uuid4

from server import models
from server.chats import policy
from server.chats.actions import config, inputs, spending
from server.chats.actions.patching import may_work_in
from server.chats.actions.sending import attached, refuse_mcp
from server.chats.actions.telling import tell
from server.chats.convert.rows import new_message
from server.chats.errors import ContentRequired, OrganizationRequired, SystemPromptTooLong
from server.chats.events import Change
from server.chats.model import Chat, NewMessage
from server.chats.model.config import TurnConfig
from server.chats.model.labels import checked
from server.chats.model.orders import (
    LONGEST_SYSTEM_PROMPT,
    ChatOrder,
    check_effort,
    check_tools,
)
from server.chats.model.rules import USUAL, ChatRules
from server.chats.model.titles import fallback
from server.chats.store import chats, messages
from server.chats.store.chats import NewChat
from server.kit.authz import Actor
from server.kit.db import Database, Tx
from server.llm import Part, Role, encode
from server.loop import Opening, Row, clean, opening


@dataclass(frozen=True, slots=True)
class Created:
    """A new chat, and what could not be done for it."""

    chat: Chat
    warnings: Sequence[str] = ()


async def create(db: Database, actor: Actor, order: ChatOrder, rules: ChatRules = USUAL) -> Created:
    """Make a chat of the actor's own.

    Raises:
        OrganizationRequired, ContentRequired, InvalidPart, SystemPromptTooLong, InvalidEffort,
        UnknownMcpServers, InvalidLabels, BadDynamicTool: the request makes no sense.
        Forbidden: the actor is no member of the organization.
        WorkspaceUnknown, WorkspaceElsewhere: the chat cannot work there.
        NoSuchModelConfig, NoDefaultModel: there is no such model, or none at all.
        UsageLimitExceeded: the actor's money is spent.
    """
    # Before the transaction that makes the chat: it must not wait for a second connection.
    async with db.tx(actor) as tx:
        prompts = await config.turn_config(tx, actor.user_id)
    async with db.tx(actor) as tx:
        new, said = await _checked(tx, order)
        attached_now = order.workspace_id is not None
        system = opening(
            Opening(
                attached=attached_now,
                include_default=prompts.include_default_system_prompt,
                deployment=prompts.system_prompt,
                chat=order.system_prompt,
            )
        )
        chat = await begin(tx, new, [*_rows(system), _first(tx, new, said)])
        return Created(chat, await attached(tx, chat.id, said, rules))


async def begin(tx: Tx, new: NewChat, rows: Sequence[NewMessage]) -> Chat:
    """Write a chat with its first rows, and tell; it waits for a worker."""
    await chats.insert(tx, new)
    ids = await messages.append(tx, new.id, rows)
    chat = await chats.lock(tx, new.id)
    if chat is None:
        raise LookupError(new.id)
    await tell(tx, chat, Change.CREATED, Change.MESSAGES, Change.STATUS, ids=ids)
    return chat


def child_rows(prompts: TurnConfig, *, attached: bool) -> list[NewMessage]:
    """Return the system rows that a sub-agent begins with."""
    return _rows(
        opening(
            Opening(
                child=True,
                attached=attached,
                include_default=prompts.include_default_system_prompt,
                deployment=prompts.system_prompt,
            )
        )
    )


def _rows(system: Sequence[Row]) -> list[NewMessage]:
    return [new_message(row) for row in system]


def _first(tx: Tx, new: NewChat, said: Sequence[Part]) -> NewMessage:
    return NewMessage(
        Role.USER,
        encode(said),
        created_by=tx.actor.user_id,
        model_config_id=new.model_config_id,
        reasoning_effort=new.reasoning_effort,
    )


async def _checked(tx: Tx, order: ChatOrder) -> tuple[NewChat, tuple[Part, ...]]:
    """Check a request in the order of the reference; the first thing that is wrong is told."""
    if order.organization_id is None:
        raise OrganizationRequired
    policy.may_create(tx.actor, order.organization_id)
    if not order.content:
        raise ContentRequired
    said = await inputs.parts(tx, order.content)
    if len(order.system_prompt) > LONGEST_SYSTEM_PROMPT:
        raise SystemPromptTooLong(LONGEST_SYSTEM_PROMPT)
    if order.workspace_id is not None:
        await may_work_in(tx, order.workspace_id, order.organization_id)
    effort = check_effort(order.reasoning_effort)
    model = await models.choose(tx, order.model_config_id)
    refuse_mcp(order.mcp_server_ids)
    labels = checked(order.labels or {})
    check_tools(order.dynamic_tools)
    await spending.check(tx, tx.actor.user_id)
    new = NewChat(
        id=uuid4(),
        organization_id=order.organization_id,
        owner_id=tx.actor.user_id,
        title=fallback(clean(inputs.words(said))),
        model_config_id=model.id,
        workspace_id=order.workspace_id,
        reasoning_effort=effort,
        plan_mode=order.plan_mode,
        client_type=order.client_type,
        labels=labels,
        dynamic_tools=[
            {
                "name": tool.name,
                "description": tool.description,
                "input_schema": dict(tool.input_schema),
            }
            for tool in order.dynamic_tools
        ],
    )
    return new, said
