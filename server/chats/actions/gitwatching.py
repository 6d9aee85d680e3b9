"""Whose repositories a chat's git watch shows: those that the chat and its parents work on.

Source: reference, chats, section 2.9.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from uuid import UUID

import structlog

from coder_cli.sdk.agentapi.http import ChatContext
from server.agents import WrongState
from server.chats.actions import find
from server.identity import access_topic
from server.kit.authz import Action, Actor
from server.kit.db import Database, Tx
from server.kit.errors import ApiError, Forbidden, Gone, Invalid, NotFound, Unauthorized
from server.kit.pubsub import Pubsub
from server.provisioning import AgentStatus
from server.tools import NoAgent, choose_agent
from server.workspaces import standing, topic

log = structlog.get_logger()

LOOK_EVERY = 60.0
"""Seconds between looks at a right that nobody said has changed."""


@dataclass(frozen=True, slots=True)
class Watched:
    """Where to look, and for whom."""

    workspace_id: UUID
    agent_id: UUID
    chat: ChatContext


async def watched(tx: Tx, chat_id: UUID) -> Watched:
    """Return where the repositories of a chat are watched.

    Raises:
        NotFound: the chat is hidden.
        Forbidden: the actor may not enter the workspace.
        Invalid: there is nothing to watch; the message says why.
    """
    chat = await find.chat(tx, chat_id)
    if chat.workspace_id is None:
        raise Invalid("Chat has no workspace to watch.")
    try:
        now = await standing(tx, chat.workspace_id)
    except (Gone, NotFound):
        raise Invalid("Chat workspace not found.") from None
    tx.actor.require(Action.SSH, now.build.object)
    bound = [agent for agent in now.agents if agent.id == chat.agent_id]
    try:
        agent = bound[0] if bound else choose_agent(now.agents)
    except NoAgent:
        raise Invalid("No eligible agent found for chat workspace.") from None
    status = agent.status(now.now)
    if status is not AgentStatus.CONNECTED:
        raise WrongState(status.value)
    family = dict.fromkeys(one for one in (chat.parent_chat_id, chat.root_chat_id) if one)
    return Watched(chat.workspace_id, agent.id, ChatContext(chat.id, tuple(family)))


@dataclass(frozen=True, slots=True)
class Watcher:
    """Somebody who watches for long, and how to find out who they are by now."""

    user_id: UUID
    ask_again: Callable[[], Awaitable[Actor]]


async def until_lost(
    database: Database, pubsub: Pubsub, watcher: Watcher, watched_now: Watched
) -> None:
    """Return when the watcher may no longer see the chat, or no longer enter its workspace."""
    topics = (access_topic(watcher.user_id), topic(watched_now.workspace_id))
    with pubsub.bell(*topics) as bell:
        while True:
            await bell.wait(LOOK_EVERY)
            try:
                actor = await watcher.ask_again()
                async with database.tx(actor) as tx:
                    await watched(tx, watched_now.chat.id)
            except (Unauthorized, Forbidden, NotFound):
                return
            except ApiError as error:
                # Whether the agent is there is for the connection to it to say.
                log.debug("a watch of git goes on", reason=error.message)
