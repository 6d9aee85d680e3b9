"""End what a chat left running in its workspace, once the chat is put away.

Best effort: a chat that is put away while nobody hears of it leaves its processes, which end with
the workspace.
"""

from uuid import UUID

import structlog

from server import tools
from server.chats.events import AWAY
from server.chats.store import chats
from server.chats.worker.ledger import ME
from server.kit.db import Database
from server.kit.errors import ApiError
from server.kit.pubsub import Pubsub

log = structlog.get_logger()


class Closer:
    """Hears of chats that this replica put away."""

    def __init__(self, database: Database, pubsub: Pubsub, means: tools.Means) -> None:
        self._database = database
        self._pubsub = pubsub
        self._means = means

    async def run(self) -> None:
        """Close until cancelled."""
        with self._pubsub.mailbox(AWAY) as box:
            while True:
                fact = await box.get()
                if fact.get("origin") in {"", self._database.origin}:
                    await self._close(UUID(fact["chat_id"]))

    async def _close(self, chat_id: UUID) -> None:
        try:
            async with self._database.tx(ME) as tx:
                chat = await chats.by_id(tx, chat_id)
        except ApiError as error:
            log.warning("a chat that was put away was not closed", error=error.message)
            return
        # Sub-agents share the workspace, but each has processes of its own.
        if chat is not None and chat.archived:
            await tools.close_chat(self._means, chat.id, chat.agent_id)
