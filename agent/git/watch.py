"""The WebSocket on which a chat's repositories are watched: a look now, later, and when told to."""

import asyncio
import json
import logging
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Final
from uuid import UUID

from agent.git.command import Git, GitFailed, GitMissing
from agent.git.diff import total_too_large
from agent.git.paths import Paths, Trail
from agent.git.repository import Gone, candidates, find, look, readable
from agent.kit.child import within
from agent.network.frames import Ended, Frames
from agent.network.http import Refusal, Request, Table, Upgrade
from coder_cli.kit.clock import Clock
from coder_cli.sdk.agentapi import Json, git, to_json
from coder_cli.sdk.agentapi.http import ChatContext

EVERY: Final = 30.0
AT_MOST_EVERY: Final = 1.0
"""Seconds between two looks, whatever happens."""
MOST_REPOSITORIES: Final = 100
MOST_WATCHERS: Final = 50
LOOKING_AT_ONCE: Final = 2
_LARGEST: Final = git.LARGEST_MESSAGE - 1024
log = logging.getLogger("agent.git")


class GitWatch:
    """Serves watchers. ``paths`` say where chats work."""

    def __init__(self, command: Git, paths: Paths, clock: Clock) -> None:
        self._git = command
        self._paths = paths
        self._clock = clock
        self._turn = asyncio.Semaphore(LOOKING_AT_ONCE)
        self._watchers = 0

    def mount(self, table: Table) -> None:
        """Add the route."""
        table.add("GET", git.WATCH, self._watch)

    async def _watch(self, request: Request) -> Upgrade:
        try:
            chat_id = UUID(request.query.get("chat_id", ""))
            chat = ChatContext.of(request.headers)
        except ValueError as error:
            words = "The query names no chat: chat_id must be a UUID."
            raise Refusal(400, words, str(error)) from None
        if self._watchers >= MOST_WATCHERS:
            raise Refusal(503, f"{MOST_WATCHERS} watch git already; close one of them.")
        if chat is not None and chat.id == chat_id:
            self._paths.touched(chat)
        return Upgrade(partial(self._serve, chat_id), git.LARGEST_MESSAGE)

    async def _serve(self, chat_id: UUID, frames: Frames) -> None:
        self._watchers += 1
        try:
            with self._paths.watched(chat_id) as bell:
                watcher = _Watcher(self._git, frames, self._clock, bell)
                own = partial(self._paths.of, chat_id)
                async with asyncio.TaskGroup() as group:
                    group.create_task(watcher.listen())
                    while True:
                        bell.clear()
                        async with self._turn:
                            await watcher.look([*own(), *watcher.asked.paths])
                        await self._clock.sleep(AT_MOST_EVERY)
                        await within(bell.wait(), EVERY - AT_MOST_EVERY, self._clock)
        except* Ended:
            pass
        finally:
            self._watchers -= 1


class _Watcher:
    """One WebSocket, and what was told on it."""

    def __init__(self, command: Git, frames: Frames, clock: Clock, bell: asyncio.Event) -> None:
        self._git = command
        self._frames = frames
        self._clock = clock
        self._bell = bell
        self._places: dict[str, str] = {}
        """Directories with ``.git``, and the roots that git says they belong to."""
        self._told: dict[str, int | None] = {}
        """Roots, and what was told of each of them last."""
        self._said_missing = False
        self.asked = Trail()
        """Paths that the client itself wants to be watched."""

    async def listen(self) -> None:
        """Do what the client asks, until it goes."""
        while True:
            text = await self._frames.recv()
            kind, paths = _asked(text)
            if kind in (git.SUBSCRIBE, git.REFRESH):
                self.asked.add(paths)
                self._bell.set()
            else:
                await self._complain(git.UNKNOWN_TYPE)

    async def look(self, paths: Sequence[str]) -> None:
        """Look at all repositories of ``paths``, and tell what is new."""
        try:
            await self._find(paths)
            message = Message(self._clock.now())
            for root in list(self._told):
                now = await self._new_of(root)
                if now is not None and not message.add(now):
                    await self._frames.send(message.text())
                    message = Message(self._clock.now())
                    message.add(now)
            if message:
                await self._frames.send(message.text())
        except GitMissing as error:
            if not self._said_missing:
                self._said_missing = True
                await self._complain(str(error))

    async def _find(self, paths: Iterable[str]) -> None:
        for place in await asyncio.to_thread(candidates, paths):
            root = self._places.get(place)
            if root is None and len(self._told) < MOST_REPOSITORIES:
                root = await find(self._git, place)
            if root is not None:
                self._places[place] = root
                self._told.setdefault(root, None)

    async def _new_of(self, root: str) -> git.Repository | None:
        try:
            now = await look(self._git, root)
        except Gone:
            del self._told[root]
            self._places = {place: at for place, at in self._places.items() if at != root}
            return git.Repository(readable(root), removed=True)
        except GitFailed as error:
            # A rebase under way, or an index that is just written: the next look may do better.
            log.debug("no look at %r: %s", root, error)
            return None
        seen = hash(now)
        if self._told[root] == seen:
            return None
        self._told[root] = seen
        return now

    async def _complain(self, words: str) -> None:
        await self._frames.send(json.dumps({"type": git.ERROR, "message": words}))


class Message:
    """Repositories on their way, as many as fit."""

    def __init__(self, scanned_at: datetime) -> None:
        self._scanned_at = scanned_at
        self._repositories: list[str] = []
        self._size = 0

    def __bool__(self) -> bool:
        """Say whether there is anything to tell."""
        return bool(self._repositories)

    def add(self, repository: git.Repository) -> bool:
        """Take one more; return False when it needs a message of its own."""
        text, size = _encoded(repository)
        if size > _LARGEST:  # Mostly characters that JSON writes as six.
            words = total_too_large(len(repository.unified_diff.encode()))
            text, size = _encoded(replace(repository, unified_diff=words))
        if self._size + size > _LARGEST:
            return False
        self._repositories.append(text)
        self._size += size
        return True

    def text(self) -> str:
        """Return the message."""
        head = json.dumps({"type": git.CHANGES, "scanned_at": to_json(self._scanned_at)})
        return f'{head[:-1]}, "repositories": [{", ".join(self._repositories)}]}}'


def _encoded(repository: git.Repository) -> tuple[str, int]:
    text = json.dumps(to_json(repository), ensure_ascii=False)
    return text, len(text.encode()) + 2


def _asked(text: bytes | str) -> tuple[str, list[str]]:
    """Return the type of a client's message, and its paths; no type when it has none."""
    try:
        asked: Json = json.loads(text)
        paths: list[Json] = asked.get("paths") or []
        return str(asked.get("type")), [str(each) for each in paths]
    except (ValueError, AttributeError, TypeError, RecursionError):
        return "", []
