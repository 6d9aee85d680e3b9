"""Titles for new chats: asked for beside their first turn, and never waited for."""

import asyncio
from dataclasses import dataclass
from uuid import UUID

import structlog

from server.chats.actions.titles import Titles
from server.chats.model import Chat
from server.kit.authz import Actor
from server.kit.errors import ApiError

log = structlog.get_logger()

AT_ONCE = 8
MOST_WAITING = 1000
"""More first turns than that keep their first words as title."""


@dataclass(frozen=True, slots=True)
class _Wish:
    owner: Actor
    chat_id: UUID


class TitleDesk:
    """Takes wishes from turns that begin."""

    def __init__(self, titles: Titles) -> None:
        self._titles = titles
        self._wishes: asyncio.Queue[_Wish] = asyncio.Queue(MOST_WAITING)

    def consider(self, chat: Chat, owner: Actor) -> None:
        """Have a chat named if this is its first turn and nobody named it."""
        if chat.title_source == "fallback" and chat.history_version <= FIRST:
            try:
                self._wishes.put_nowait(_Wish(owner, chat.id))
            except asyncio.QueueFull:
                log.info("a chat keeps its first words as title", chat=str(chat.id))

    async def run(self) -> None:
        """Work until cancelled."""
        async with asyncio.TaskGroup() as group:
            for _ in range(AT_ONCE):
                group.create_task(self._work())

    async def _work(self) -> None:
        while True:
            wish = await self._wishes.get()
            try:
                await self._titles.suggest(wish.owner, wish.chat_id)
            except ApiError as error:
                log.info("a chat got no title", chat=str(wish.chat_id), reason=error.message)


FIRST = 2
"""The ``history_version`` of a chat that has its first message, and nothing else."""
