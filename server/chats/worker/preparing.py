"""Make a turn ready: its owner's rights, its model and key, its tools, its workspace's context.

One transaction reads all that the database knows; what a workspace tells is asked beside it.
Source: reference, chats, sections 1.15 and 3.4.
"""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any, cast
from uuid import UUID

from server import identity, models, tools, workspaces
from server.chats.actions import config as settings
from server.chats.actions.streaming.feed import Feed
from server.chats.model import Chat
from server.chats.model.config import TurnConfig
from server.chats.model.rules import USUAL, ChatRules
from server.chats.store import messages as message_store
from server.chats.worker.ledger import ME
from server.chats.worker.looking import Looker
from server.chats.worker.minding import Minder
from server.chats.worker.port import OwnChat
from server.chats.worker.titling import TitleDesk
from server.chats.worker.turning import Prepared
from server.kit.authz import Action, Actor
from server.kit.db import Database
from server.kit.errors import ApiError, Forbidden
from server.kit.pubsub import Bell
from server.kit.sealing import Sealer
from server.llm import Clients, Json, ToolSpec
from server.loop import Engine, Layers, Turn

KNOWN_FOR = 2.0
"""Seconds for which the owner's rights, key and settings hold for the turns that begin."""
MOST_KNOWN = 1000
BLOCKS: Mapping[str, str] = {"azure": "openai", "bedrock": "anthropic"}
"""Whose provider options these providers use."""


@dataclass(frozen=True, slots=True)
class Pantry:
    """What turns are made from."""

    database: Database
    means: tools.Means
    clients: Clients
    sealer: Sealer
    max_steps: int = 1200
    rules: ChatRules = USUAL
    max_calls: int = 25


@dataclass(frozen=True, slots=True)
class _Found:
    """What the database knows about a turn."""

    owner: Actor
    resolved: models.Resolved
    config: TurnConfig
    chain_from: str


class RealKitchen:
    """Makes turns with real tools and models."""

    def __init__(self, pantry: Pantry, desk: TitleDesk | None = None) -> None:
        self._pantry = pantry
        self._desk = desk
        self._known: dict[tuple[UUID, UUID], tuple[float, _Found]] = {}
        self._forgot = 0

    @asynccontextmanager
    async def prepare(self, chat: Chat, feed: Feed) -> AsyncGenerator[Prepared]:
        """Return all that a turn of the chat runs with, until its end.

        Raises:
            ModelError: its model cannot be asked.
            ApiError: its owner may no longer have it run.
        """
        pubsub = self._pantry.means.pubsub
        topics = [identity.access_topic(chat.owner_id)]
        if chat.workspace_id is not None:
            topics.append(workspaces.topic(chat.workspace_id))
        # From here on nothing is missed; what is read comes after it.
        with pubsub.bell(*topics) as bell:
            async with self._prepared(chat, feed, bell) as ready:
                yield ready

    @asynccontextmanager
    async def _prepared(self, chat: Chat, feed: Feed, bell: Bell) -> AsyncGenerator[Prepared]:
        found = await self._find(chat)
        if not found.owner.can(Action.UPDATE, chat.object):
            raise Forbidden("The chat's owner may no longer have chats in its organization.")
        if self._desk is not None:
            self._desk.consider(chat, found.owner)
        facts = _facts(chat, found.owner)
        port = OwnChat(
            self._pantry.database,
            self._pantry.means.pubsub,
            chat,
            found.owner,
            found.config,
            lambda: feed.known or chat,
            self._pantry.rules,
        )
        link = tools.WorkspaceLink(self._pantry.means, facts, port)
        minder = Minder(self._pantry.database, bell, found.owner, link)
        try:
            turn = await self._turn(chat, found, facts, port, link)
            yield Prepared(turn, found.resolved.config.id, minder.mind)
        finally:
            await link.close()

    async def run(self) -> None:
        """Forget what is known when models or rights change, until cancelled."""
        pubsub = self._pantry.means.pubsub
        with (
            pubsub.tap(models.CONFIG_TOPIC, self._forget),
            pubsub.tap(identity.EVERYBODYS_ACCESS, self._forget),
        ):
            await asyncio.Event().wait()

    def _forget(self, _: object) -> None:
        self._known.clear()
        self._forgot += 1

    async def _find(self, chat: Chat) -> _Found:
        """Return what the database knows, as it was a moment ago for the owner's other turns."""
        key, now = (chat.owner_id, chat.last_model_config_id), self._pantry.means.clock.monotonic()
        until, known = self._known.get(key, (now, None))
        if known is not None and now < until:
            return known
        before = self._forgot
        found = await self._read(chat)
        if before == self._forgot and not _stores(found.resolved):
            if len(self._known) >= MOST_KNOWN:
                self._known.clear()
            self._known[key] = (now + KNOWN_FOR, found)
        return found

    async def _read(self, chat: Chat) -> _Found:
        async with self._pantry.database.tx(ME) as tx:
            owner = await identity.actor_of(tx, chat.owner_id)
            resolved = await models.resolve(
                tx, self._pantry.sealer, chat.owner_id, None, chat.last_model_config_id
            )
            config = await settings.turn_config(tx, chat.owner_id)
            chain_from = ""
            if _stores(resolved) and not chat.plan_mode:
                last = await message_store.last_answer(tx, chat.id)
                if last is not None and last.model_config_id == resolved.config.id:
                    chain_from = last.provider_response_id or ""
        return _Found(owner, resolved, config, chain_from)

    async def _turn(
        self,
        chat: Chat,
        found: _Found,
        facts: tools.ChatFacts,
        port: OwnChat,
        link: tools.WorkspaceLink,
    ) -> Turn:
        resolved, means = found.resolved, self._pantry.means
        extras = tools.Extras(tuple(_dynamic(one) for one in chat.dynamic_tools))
        look = Looker(link, lambda: tools.workspace_context(means, link))
        context = await look()
        effort = models.effort_of(resolved.config, chat.last_reasoning_effort)
        options = replace(resolved.options, reasoning_effort=effort)
        model = self._pantry.clients.model(resolved.credentials, resolved.config.model, options)
        threshold = resolved.config.compression_threshold
        return Turn(
            chat_id=chat.id,
            engine=Engine(model, resolved.config.context_limit, options, resolved.prices),
            toolbox=tools.toolbox(means, facts, port, link, extras),
            layers=Layers(
                child=not facts.is_root,
                explore=facts.mode == "explore",
                planning=facts.planning,
                plan_path=await _plan_path(facts, link),
                plan_instructions=found.config.plan_mode_instructions,
                personal=found.config.personal_prompt,
                context=context,
            ),
            threshold_percent=found.config.thresholds.get(resolved.config.id, threshold),
            web_search=tools.offers_web_search(facts, enabled=_searches(resolved)),
            stores=_stores(resolved),
            chain_from=found.chain_from,
            compact=chat.compaction_requested_at is not None,
            max_steps=self._pantry.max_steps,
            max_calls=self._pantry.max_calls,
            look=look,
        )


def _facts(chat: Chat, owner: Actor) -> tools.ChatFacts:
    family = (chat.parent_chat_id, chat.root_chat_id)
    return tools.ChatFacts(
        id=chat.id,
        organization_id=chat.organization_id,
        owner=owner,
        owner_name=chat.owner_username,
        title=chat.title,
        workspace_id=chat.workspace_id,
        agent_id=chat.agent_id,
        ancestors=tuple(dict.fromkeys(one for one in family if one is not None)),
        mode=chat.mode or "",
        planning=chat.plan_mode == "plan",
    )


def _dynamic(tool: Mapping[str, Any]) -> ToolSpec:
    schema = cast("Mapping[str, Json]", tool.get("input_schema") or {"type": "object"})
    return ToolSpec(str(tool.get("name", "")), str(tool.get("description", "")), schema)


def _block(resolved: models.Resolved) -> Mapping[str, Json]:
    """Return the options that only this provider knows."""
    blocks = resolved.options.values.get("provider_options")
    provider = resolved.config.provider
    block = blocks.get(BLOCKS.get(provider, provider)) if isinstance(blocks, dict) else None
    return block if isinstance(block, dict) else {}


def _stores(resolved: models.Resolved) -> bool:
    return _block(resolved).get("store") is True


def _searches(resolved: models.Resolved) -> bool:
    return _block(resolved).get("web_search_enabled") is True


async def _plan_path(facts: tools.ChatFacts, link: tools.WorkspaceLink) -> str:
    if not facts.planning or link.workspace_id is None:
        return ""
    try:
        return await tools.plan_path(link)
    except ApiError:
        return ""
