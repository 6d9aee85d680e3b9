"""A user's chats as events: who listens here hears what happened, read once for all of them.

What this replica commits itself is not read at all. Source: reference, chats, section 2.8.
"""

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Final
from uuid import UUID

import structlog

from coder_cli.sdk.chats.events import ChatStreamToolCall, ChatWatchEvent, ChatWatchEventKind
from server.chats.actions import listing, turns
from server.chats.actions.telling import Told
from server.chats.convert.chats import shown as to_sdk
from server.chats.events import Change, owner_topic
from server.chats.model import Chat
from server.chats.model.shown import Shown
from server.chats.store import looking
from server.kit.authz import as_system
from server.kit.db import Database, Outcome
from server.kit.errors import ApiError
from server.kit.pubsub import Bell, Pubsub
from server.llm import ToolCall

log = structlog.get_logger()

ME = as_system("chats")
MOST_AT_ONCE = 100
"""What others did to as many chats is read together."""
MOST_KEPT = 4096
"""Events kept for those who are slow; whoever falls further behind is told to begin anew."""

KINDS: Final[Mapping[Change, ChatWatchEventKind]] = {
    Change.CREATED: ChatWatchEventKind.CREATED,
    Change.UNARCHIVED: ChatWatchEventKind.CREATED,
    Change.ARCHIVED: ChatWatchEventKind.DELETED,
    Change.STATUS: ChatWatchEventKind.STATUS_CHANGE,
    Change.TITLE: ChatWatchEventKind.TITLE_CHANGE,
    Change.DIFF: ChatWatchEventKind.DIFF_STATUS_CHANGE,
    Change.ACTION: ChatWatchEventKind.ACTION_REQUIRED,
}
READ_ANYWAY: Final = frozenset({Change.CREATED, Change.UNARCHIVED, Change.DIFF, Change.ACTION})
"""What a row alone does not tell: what belongs to the chat is read."""


def kinds(changes: Sequence[Change]) -> list[ChatWatchEventKind]:
    """Return what watchers are told of; a chat that was made or put away has no other news."""
    found = dict.fromkeys(KINDS[change] for change in changes if change in KINDS)
    for whole in (ChatWatchEventKind.CREATED, ChatWatchEventKind.DELETED):
        if whole in found:
            return [whole]
    return list(found)


@dataclass(slots=True)
class _Heard:
    """Something that happened to a chat, and its row where this replica knows it."""

    chat_id: UUID
    changes: tuple[Change, ...]
    chat: Chat | None

    @property
    def unread(self) -> bool:
        """Tell whether more is told than is known here."""
        return self.chat is None or bool(READ_ANYWAY & set(self.changes))


@dataclass(frozen=True, slots=True)
class _Read:
    """A chat as it is now, and the calls that its client shall answer."""

    chat: Shown
    calls: Sequence[ChatStreamToolCall] = ()


@dataclass(slots=True)
class Outlook:
    """One user's chats on one replica, as long as somebody watches them here."""

    owner_id: UUID
    users: int = 0
    stack: ExitStack = field(default_factory=ExitStack)
    first: int = 0
    """The number of the oldest event that is kept."""
    events: list[str] = field(default_factory=list[str])
    heard: list[_Heard] = field(default_factory=list[_Heard])
    bells: set[Bell] = field(default_factory=set[Bell])
    reading: bool = False

    @property
    def next(self) -> int:
        """Return the number of the event to come."""
        return self.first + len(self.events)

    def ring(self) -> None:
        """Wake everybody who watches."""
        for bell in self.bells:
            bell.ring()

    def add(self, event: str) -> None:
        """Keep an event, and let the oldest go when there are too many."""
        self.events.append(event)
        if len(self.events) > MOST_KEPT:
            self.first += len(self.events) - MOST_KEPT
            del self.events[:-MOST_KEPT]


class Watches:
    """Everybody of this replica who watches a user's chats."""

    def __init__(self, database: Database, pubsub: Pubsub) -> None:
        self._database = database
        self._pubsub = pubsub
        self._open: dict[UUID, Outlook] = {}
        database.attend(self._saw)

    @contextmanager
    def open(self, owner_id: UUID) -> Generator[tuple[Outlook, Bell]]:
        """Watch a user's chats from here on, until the end."""
        outlook = self._open.get(owner_id)
        if outlook is None:
            outlook = self._open[owner_id] = Outlook(owner_id)
            topic = owner_topic(owner_id)
            outlook.stack.enter_context(self._pubsub.tap(topic, self._hears(outlook)))
        bell = Bell()
        outlook.users += 1
        outlook.bells.add(bell)
        try:
            yield outlook, bell
        finally:
            outlook.bells.discard(bell)
            outlook.users -= 1
            if not outlook.users:
                del self._open[owner_id]
                outlook.stack.close()

    def _hears(self, outlook: Outlook) -> Callable[[dict[str, Any] | None], None]:
        def hear(fact: dict[str, Any] | None) -> None:
            # What this replica committed itself it knows already.
            if fact is not None and fact.get("origin", "") != self._database.origin:
                changes = tuple(Change(one) for one in fact.get("changes", ()))
                self._note(outlook, _Heard(UUID(fact["chat_id"]), changes, None))

        return hear

    def _saw(self, what: object) -> Outcome | None:
        """Take this replica's own commits, whose facts are then nothing new."""
        outlook = self._open.get(what.chat.owner_id) if isinstance(what, Told) else None
        if outlook is None or not isinstance(what, Told):
            return None
        chat = what.chat
        heard = _Heard(chat.id, tuple(what.changes), chat)

        def kept(committed: bool) -> None:  # noqa: FBT001 - the shape of an outcome
            if committed:
                self._note(outlook, heard)

        return kept

    def _note(self, outlook: Outlook, heard: _Heard) -> None:
        if kinds(heard.changes):
            outlook.heard.append(heard)
            outlook.ring()

    async def news(self, outlook: Outlook) -> None:
        """Make events of what was heard; one of those who watch does it for all."""
        if outlook.reading:
            return
        outlook.reading = True
        try:
            while outlook.heard:
                batch = outlook.heard[:MOST_AT_ONCE]
                try:
                    read = await self._read([one for one in batch if one.unread])
                except ApiError as error:
                    log.warning("chats were not read", count=len(batch), error=error.message)
                    read = {}
                del outlook.heard[: len(batch)]
                for event in (event for one in batch for event in _events(one, read)):
                    outlook.add(event)
                outlook.ring()
        finally:
            outlook.reading = False

    async def _read(self, unread: Sequence[_Heard]) -> dict[UUID, _Read]:
        """Return the chats as they are now, all with the same few statements."""
        if not unread:
            return {}
        asking = {one.chat_id for one in unread if Change.ACTION in one.changes}
        async with self._database.tx(ME) as tx:
            chats = await looking.rows(tx, list({one.chat_id for one in unread}))
            read = {one.chat.id: _Read(one) for one in await listing.complete(tx, chats)}
            for chat_id in asking & read.keys():
                calls = await turns.required_calls(tx, chat_id)
                read[chat_id] = replace(read[chat_id], calls=[_call(one) for one in calls])
        return read


def _events(heard: _Heard, read: Mapping[UUID, _Read]) -> list[str]:
    if heard.unread:
        found = read.get(heard.chat_id)
    else:
        found = None if heard.chat is None else _Read(Shown(heard.chat))
    if found is None:
        return []
    return [_event(kind, found.chat, found.calls) for kind in kinds(heard.changes)]


def _call(of: ToolCall) -> ChatStreamToolCall:
    return ChatStreamToolCall(tool_call_id=of.id, tool_name=of.name, args=of.args)


def _event(kind: ChatWatchEventKind, found: Shown, calls: Sequence[ChatStreamToolCall]) -> str:
    told = list(calls) if kind is ChatWatchEventKind.ACTION_REQUIRED else []
    return ChatWatchEvent(kind=kind, chat=to_sdk(found), tool_calls=told).model_dump_json()
