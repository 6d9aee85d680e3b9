"""Titles that a model gives: by itself after the first message, and when somebody asks for one."""

import asyncio
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

import structlog

from server.chats import policy
from server.chats.actions import find, spending
from server.chats.actions.telling import tell
from server.chats.errors import NoTitle, TitleFailed, TitleUnderWay
from server.chats.events import Change, Runnable
from server.chats.model import Chat
from server.chats.model.titles import BUDGET, SCHEMA, answered, context, deterministic
from server.chats.store import chats, patching, titles
from server.kit.authz import Actor
from server.kit.db import Database, Tx
from server.kit.errors import ApiError
from server.llm import (
    Finished,
    Message,
    Model,
    ModelError,
    Prices,
    Request,
    Role,
    Text,
    Usage,
    cost_micros,
)
from server.loop import Prompt, prompt

log = structlog.get_logger()

SCRIPTED = "scripted"


@dataclass(frozen=True, slots=True)
class Namer:
    """A model that gives titles, ready to be called, and what its tokens cost."""

    model: Model
    prices: Prices | None = None


class Namers(Protocol):
    """Find the model that gives a chat its title."""

    async def __call__(self, owner_id: UUID, config_id: UUID) -> Namer:
        """Return a model to call for the owner, limited to ``model.titles.OUTPUT_TOKENS``.

        Raises:
            ModelError: there is no key, or the provider is disabled.
            ApiError: there is no such model.
        """
        ...


@dataclass(frozen=True, slots=True)
class Named:
    """A title and what it cost; without usage it was free."""

    title: str
    usage: Usage | None = None
    cost: int | None = None
    prices: Prices | None = None


@dataclass(frozen=True, slots=True)
class Titles:
    """Ask models for titles. No transaction is open meanwhile."""

    database: Database
    namers: Namers

    async def suggest(self, owner: Actor, chat_id: UUID) -> None:
        """Give a chat a title if it has none but its first words; whatever fails is logged only.

        For chats whose first message is their only one. Bounded by ``BUDGET``.
        """
        async with self.database.tx(owner) as tx:
            chat = await chats.by_id(tx, chat_id)
            first = await titles.first(tx, chat_id)
        if chat is None or first is None or chat.title_source != "fallback":
            return
        try:
            named = await self._ask(owner, chat, first.text, first.text)
        except (ModelError, ApiError, TimeoutError) as error:
            log.info("a chat keeps its first words as title", chat=chat_id, reason=str(error))
            return
        async with self.database.tx(owner) as tx:
            await _keep(tx, chat, named)
            # Workers pass over a chat whose row is locked, as it was just now: they look again.
            await tx.announce(Runnable(chat_id=chat_id))

    async def regenerate(self, actor: Actor, chat_id: UUID) -> Chat:
        """Give a chat a new title made from all that was said; return it.

        Raises:
            NotFound: the chat is hidden.
            TitleUnderWay: somebody else waits for one already.
            NoTitle: there are no words to make one from.
            TitleFailed: the model did not give one.
            UsageLimitExceeded, ChatsPaused: the owner's money is spent, or chats are stopped.
        """
        async with self.database.tx(actor) as tx:
            chat = await _changeable(tx, chat_id)
            if not await titles.begin(tx, chat_id):
                raise TitleUnderWay
            since = tx.now
        try:
            named = await self._from_all(actor, chat)
            async with self.database.tx(actor) as tx:
                await _keep(tx, chat, named)
        finally:
            async with self.database.tx(actor) as tx:
                await titles.end(tx, chat_id, since)
        async with self.database.tx(actor) as tx:
            return await _changeable(tx, chat_id)

    async def propose(self, actor: Actor, chat_id: UUID) -> str:
        """Return a title for a chat without giving it: only its cost is kept.

        Raises:
            NotFound: the chat is hidden.
            NoTitle: there are no words to make one from.
            TitleFailed: the model did not give one.
            UsageLimitExceeded, ChatsPaused: the owner's money is spent, or chats are stopped.
        """
        async with self.database.tx(actor) as tx:
            chat = await _changeable(tx, chat_id)
        named = await self._from_all(actor, chat)
        async with self.database.tx(actor) as tx:
            await _pay(tx, chat, named)
        return named.title

    async def _from_all(self, actor: Actor, chat: Chat) -> Named:
        async with self.database.tx(actor) as tx:
            said = await titles.said(tx, chat.id)
        if not (text := context(said)):
            raise NoTitle("Nothing was said in it yet.")
        newest = next(one.text for one in reversed(said) if one.role == Role.USER)
        try:
            named = await self._ask(actor, chat, text, newest)
        except ModelError as error:
            raise TitleFailed(error.message) from error
        except TimeoutError as error:
            raise TitleFailed("The model took too long.") from error
        if not named.title:
            raise TitleFailed("The model gave none.")
        return named

    async def _ask(self, actor: Actor, chat: Chat, text: str, newest: str) -> Named:
        namer = await self.namers(chat.owner_id, chat.last_model_config_id)
        if namer.model.provider == SCRIPTED:
            return Named(deterministic(newest))
        async with self.database.tx(actor) as tx:
            await spending.check(tx, chat.owner_id)
        request = Request(
            messages=(
                Message(Role.SYSTEM, (Text(prompt(Prompt.TITLE)),)),
                Message(Role.USER, (Text(text),)),
            ),
            schema=SCHEMA,
        )
        async with asyncio.timeout(BUDGET.total_seconds()):
            finished = await _finished(namer.model, request)
        words = "".join(part.text for part in finished.parts if isinstance(part, Text))
        cost = finished.cost_micros
        if cost is None:
            cost = cost_micros(finished.usage, namer.prices)
        return Named(answered(words), finished.usage, cost, namer.prices)


async def _finished(model: Model, request: Request) -> Finished:
    stream = model.stream(request)
    try:
        async for event in stream:
            if isinstance(event, Finished):
                return event
    finally:
        await stream.aclose()
    raise TimeoutError("the model's answer ended early")


async def _changeable(tx: Tx, chat_id: UUID) -> Chat:
    found = await find.chat(tx, chat_id)
    policy.may_update(tx.actor, found)
    return found


async def _keep(tx: Tx, chat: Chat, named: Named) -> None:
    """Write a title if the chat still has its former one, and what it cost in any case."""
    await _pay(tx, chat, named)
    changed = await patching.retitle(tx, chat, named.title) if named.title else None
    if changed is not None:
        await tell(tx, changed, Change.TITLE)


async def _pay(tx: Tx, chat: Chat, named: Named) -> None:
    if named.usage is not None:
        await titles.add_cost(
            tx, chat.id, chat.last_model_config_id, named.usage, named.cost, named.prices
        )
