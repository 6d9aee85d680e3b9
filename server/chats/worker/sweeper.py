"""Take back what was left behind: chats of dead runners, and tools that no client ran.

Source: reference, chats, sections 1.7 and 3.17.
"""

from collections.abc import Callable, Collection
from uuid import UUID

import structlog

from coder_cli.kit.clock import Clock
from server.chats.actions import leasing, turns
from server.chats.store import leases
from server.chats.worker.ledger import ME
from server.kit.db import Database
from server.kit.errors import ApiError

log = structlog.get_logger()

SWEEP_SECONDS = 5.0


class Sweeper:
    """Looks at once when it starts, and every few seconds after that. Every replica has one."""

    def __init__(
        self, database: Database, clock: Clock, living: Callable[[], Collection[UUID]] = tuple
    ) -> None:
        """Leave the runners of this replica alone: ``living``, however late their heartbeat is."""
        self._database = database
        self._clock = clock
        self._living = living

    async def run(self) -> None:
        """Sweep until cancelled."""
        while True:
            try:
                await self.sweep()
            except ApiError as error:
                log.warning("chats that were left behind were not looked for", error=error.message)
            await self._clock.sleep(SWEEP_SECONDS)

    async def sweep(self) -> int:
        """Take chats from runners that fell silent, end what waited too long; return how many."""
        async with self._database.tx(ME) as tx:
            left = await leases.recover(tx, self._living())
            await leasing.left(tx, left)
            overdue = await leases.overdue(tx)
        if left:
            log.warning("chats were taken from runners that fell silent", count=len(left))
        for chat_id in overdue:
            async with self._database.tx(ME) as tx:
                await turns.expire_requires_action(tx, chat_id)
        return len(left) + len(overdue)
