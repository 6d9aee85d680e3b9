"""Whose repositories a chat's git watch shows: those that the chat and its parents work on.

Source: reference, chats, section 2.9.
"""

from dataclasses import dataclass
from uuid import UUID

from coder_cli.sdk.agentapi.http import ChatContext
from server.agents import WrongState
from server.chats.actions import find
from server.kit.authz import Action
from server.kit.db import Tx
from server.kit.errors import Gone, Invalid, NotFound
from server.provisioning import AgentStatus
from server.tools import NoAgent, choose_agent
from server.workspaces import standing


@dataclass(frozen=True, slots=True)
class Watched:
    """Where to look, and for whom."""

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
    return Watched(agent.id, ChatContext(chat.id, tuple(family)))
