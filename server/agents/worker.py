"""The heartbeat of the agents that hang on this replica."""

import structlog

from server.agents.actions.switchboard import Switchboard
from server.agents.model import BEAT_EVERY
from server.kit.errors import Unavailable

log = structlog.get_logger()


class Monitor:
    """Say every few seconds which agents are there, and notice those that nobody speaks of."""

    def __init__(self, board: Switchboard) -> None:
        self._board = board

    async def run(self) -> None:
        """Watch for ever."""
        while True:
            await self._board.clock.sleep(BEAT_EVERY)
            try:
                await self._board.beat()
            except Unavailable as error:
                log.warning("heartbeat of agents failed", error=error.message)
