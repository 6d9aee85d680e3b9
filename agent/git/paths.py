"""Where chats have worked: what their tool calls touched, in memory only."""

import asyncio
from collections import OrderedDict
from collections.abc import Generator, Iterable
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from agent.network.http import Request
from coder_cli.sdk.agentapi.http import ChatContext

MOST_CHATS: Final = 1000
MOST_PATHS: Final = 1000
LONGEST_PATH: Final = 4096


@dataclass(slots=True)
class Trail:
    """The latest paths of somebody, the oldest first; as many as are kept."""

    paths: "OrderedDict[str, None]" = field(default_factory=OrderedDict[str, None])

    def add(self, paths: Iterable[str]) -> None:
        """Note absolute paths; others say nothing."""
        for path in paths:
            if path.startswith("/") and "\0" not in path and len(path) <= LONGEST_PATH:
                self.paths[path] = None
                self.paths.move_to_end(path)
                if len(self.paths) > MOST_PATHS:
                    self.paths.popitem(last=False)


@dataclass(slots=True)
class _Chat:
    ancestors: frozenset[UUID] = frozenset()
    trail: Trail = field(default_factory=Trail)


class Paths:
    """Who touched what. A chat's are its own, and those of the chats above and below it."""

    def __init__(self) -> None:
        self._chats: OrderedDict[UUID, _Chat] = OrderedDict()
        self._bells: dict[asyncio.Event, UUID] = {}

    def touched(self, chat: ChatContext | None, paths: Iterable[str] = ()) -> None:
        """Note a tool call of ``chat`` that had to do with ``paths``; whoever watches looks."""
        if chat is None:
            return
        own = self._chats.setdefault(chat.id, _Chat())
        self._chats.move_to_end(chat.id)
        if chat.ancestors:
            own.ancestors = frozenset(chat.ancestors)
        own.trail.add(paths)
        if len(self._chats) > MOST_CHATS:
            self._chats.popitem(last=False)
        for bell, watched in self._bells.items():
            if self._related(watched, chat.id):
                bell.set()

    def tell(self, request: Request, paths: Iterable[str]) -> None:
        """Note a request that was served for a chat; others say nothing."""
        with suppress(ValueError):
            self.touched(ChatContext.of(request.headers), paths)

    def of(self, chat_id: UUID) -> list[str]:
        """Return the paths that have to do with a chat."""
        found: dict[str, None] = {}
        for each, chat in self._chats.items():
            if self._related(chat_id, each):
                found |= chat.trail.paths
        return list(found)

    @contextmanager
    def watched(self, chat_id: UUID) -> Generator[asyncio.Event]:
        """Yield what is set after each tool call that has to do with the chat."""
        bell = asyncio.Event()
        self._bells[bell] = chat_id
        try:
            yield bell
        finally:
            del self._bells[bell]

    def _related(self, one: UUID, other: UUID) -> bool:
        return one == other or other in self._above(one) or one in self._above(other)

    def _above(self, chat_id: UUID) -> frozenset[UUID]:
        chat = self._chats.get(chat_id)
        return chat.ancestors if chat else frozenset()
