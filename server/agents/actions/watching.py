"""Long answers end when whoever gets them may no longer see the agent."""

from dataclasses import dataclass
from uuid import UUID

from server.agents.actions.streams import LOOK_EVERY, WhoAsks
from server.agents.actions.switchboard import Switchboard
from server.identity import access_topic
from server.kit.authz import Actor
from server.kit.errors import NotFound, Unauthorized, Unavailable
from server.workspaces import agent as find_agent


@dataclass(frozen=True, slots=True)
class Watcher:
    """Somebody who reads of an agent over a long connection."""

    actor: Actor
    agent_id: UUID
    ask_again: WhoAsks


async def require_sight(board: Switchboard, watcher: Watcher) -> None:
    """Refuse whoever may not see the agent.

    Raises:
        NotFound: it may not, or there is none.
    """
    if not await _sees(board, watcher.actor, watcher.agent_id):
        raise NotFound


async def until_hidden(board: Switchboard, watcher: Watcher) -> None:
    """Return when the watcher may no longer see the agent."""
    with board.pubsub.bell(access_topic(watcher.actor.user_id)) as bell:
        while True:
            await bell.wait(timeout=LOOK_EVERY)
            try:
                actor = await watcher.ask_again()
                if not await _sees(board, actor, watcher.agent_id):
                    return
            except Unauthorized:
                return
            except Unavailable:
                continue


async def _sees(board: Switchboard, actor: Actor, agent_id: UUID) -> bool:
    async with board.database.tx(actor) as tx:
        return await find_agent(tx, agent_id) is not None
