"""Rights that are gone in the middle of a turn: it acts with its owner's rights of now.

Its tools keep the owner that they were made with, and a connection to the workspace. So somebody
asks again while it runs: at once where rights are said to have changed, and now and then.
"""

from collections.abc import Callable
from dataclasses import dataclass

import structlog

from server import identity, tools, workspaces
from server.chats.worker.ledger import ME
from server.kit.authz import Actor
from server.kit.db import Database
from server.kit.errors import ApiError, Forbidden, Gone, NotFound, Unavailable
from server.kit.pubsub import Bell

log = structlog.get_logger()

RIGHTS = "rights"
"""Why such a turn is stopped: the chat goes back to the workers, and begins with what is left."""
LOOK_EVERY = 60.0


@dataclass(frozen=True, slots=True)
class Minder:
    """Looks after the rights of one turn; ``bell`` listens since before these were read."""

    database: Database
    bell: Bell
    owner: Actor
    link: tools.WorkspaceLink

    async def mind(self, stop: Callable[[str], None]) -> None:
        """Stop the turn once its owner's rights are others; cut it off what it may not enter."""
        while True:
            await self.bell.wait(LOOK_EVERY)
            try:
                if await self._changed():
                    log.info("a turn begins anew: rights of its owner changed")
                    stop(RIGHTS)
                    return
                if await self._shut_out():
                    await self.link.drop()
            except ApiError as error:
                # No answer is no reason: the next look is not far.
                log.warning("rights of a turn's owner were not read", error=error.message)

    async def _changed(self) -> bool:
        try:
            async with self.database.tx(ME) as tx:
                return await identity.actor_of(tx, self.owner.user_id) != self.owner
        except Forbidden:
            return True

    async def _shut_out(self) -> bool:
        """Tell whether the owner may no longer enter the workspace of the turn."""
        if self.link.workspace_id is None:
            return False
        try:
            async with self.database.tx(self.owner) as tx:
                await workspaces.standing(tx, self.link.workspace_id)
        except Unavailable:
            raise
        except (Forbidden, NotFound, Gone):
            return True
        return False
