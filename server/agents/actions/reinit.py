"""When an agent should begin anew: nothing but signs of life, until its build is outdated."""

from collections.abc import AsyncGenerator

from server.agents.actions.calls import Caller
from server.workspaces import agent as find_agent
from server.workspaces import topic as workspace_topic

PING_EVERY = 15.0


async def pings(caller: Caller) -> AsyncGenerator[None]:
    """Yield now and every few seconds for as long as the agent belongs to the latest build."""
    identity, board = caller.identity, caller.board
    with board.pubsub.bell(workspace_topic(identity.workspace_id)) as bell:
        while True:
            yield
            await bell.wait(timeout=PING_EVERY)
            async with board.database.tx(board.actor) as tx:
                now = await find_agent(tx, identity.agent_id)
            if now is None or not now.latest:
                return
