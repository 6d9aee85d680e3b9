"""When an agent should begin anew: signs of life, until its workspace is claimed or outdated."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

from server.agents.actions.calls import Caller
from server.agents.model import Reason, Reinit
from server.kit.pubsub import Bell
from server.workspaces import agent as find_agent
from server.workspaces import claim_topic
from server.workspaces import topic as workspace_topic

PING_EVERY = 15.0
CLAIM_WITHIN = 2.0
"""A claim is told with the build that makes it; the build alone may be heard of a moment before."""


async def words(caller: Caller) -> AsyncGenerator[Reinit | None]:
    """Yield None now and every few seconds, and at last the word to begin anew.

    Ends without it when the agent does not belong to the latest build any more.
    """
    identity, board = caller.identity, caller.board
    workspace_id = identity.workspace_id
    with (
        board.pubsub.mailbox(claim_topic(workspace_id)) as claims,
        board.pubsub.bell(workspace_topic(workspace_id)) as bell,
    ):
        claimed = asyncio.ensure_future(claims.get())
        try:
            while not await _within(claimed, 0):
                yield None
                await _either(claimed, bell)
                async with board.database.tx(board.actor) as tx:
                    now = await find_agent(tx, identity.agent_id)
                outdated = now is None or not now.latest
                if outdated and not await _within(claimed, CLAIM_WITHIN):
                    return
            yield Reinit(workspace_id, Reason.PREBUILD_CLAIMED)
        finally:
            claimed.cancel()


async def _within(claimed: "asyncio.Future[dict[str, Any]]", seconds: float) -> bool:
    await asyncio.wait({claimed}, timeout=seconds)
    return claimed.done()


async def _either(claimed: "asyncio.Future[dict[str, Any]]", bell: Bell) -> None:
    ringing = asyncio.ensure_future(bell.wait(timeout=PING_EVERY))
    try:
        await asyncio.wait({claimed, ringing}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        ringing.cancel()
