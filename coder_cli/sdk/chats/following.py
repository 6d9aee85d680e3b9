"""Follow a chat: its events in their order, each once, however often the line breaks.

The server's stream begins with all that came after ``after_id`` and goes on live. A new connection
therefore brings again what the last one brought in part; this is where that is sorted out, so that
whoever shows events need not think of it. Source: reference, chats, section 2.7.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from threading import Event
from typing import TYPE_CHECKING, TypeAlias, cast
from uuid import UUID

from pydantic import ValidationError
from pydantic_core import from_json

from coder_cli.sdk.chats.events import ChatStreamEvent, ChatStreamEventType, ChatStreamMessagePart
from coder_cli.sdk.errors import ApiError, BadAnswer, Unreachable
from coder_cli.sdk.transport import Transport

if TYPE_CHECKING:
    from websockets.sync.client import ClientConnection

TICK = 0.2
"""Seconds without an event after which the caller gets a turn."""
FIRST_PAUSE = 2.0
PAUSE = 5.0
PATIENCE = 120
"""How often a server that went away is looked for, at ten minutes in all."""


@dataclass(frozen=True, slots=True)
class Lost:
    """The line broke; it is tried again in ``seconds``."""

    why: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Found:
    """The line is there again."""


Happening: TypeAlias = ChatStreamEvent | Lost | Found | None
"""None: nothing happened for a moment."""


_VOID = frozenset({ChatStreamEventType.RETRY, ChatStreamEventType.PREVIEW_RESET})
_STATES = frozenset(
    {
        ChatStreamEventType.STATUS,
        ChatStreamEventType.ERROR,
        ChatStreamEventType.QUEUE_UPDATE,
        ChatStreamEventType.ACTION_REQUIRED,
    }
)
"""Types whose latest event says all."""


class Unreadable(BadAnswer):
    """A frame is no batch of events; a new connection would bring the same."""


@dataclass(slots=True)
class Seen:
    """What was passed on already. Pure: events in, those that are new out."""

    last_id: int = 0
    """The highest message; where a new connection begins."""
    unnumbered: bool = False
    """Whether pieces came without numbers: then nobody knows which of them come again."""
    _messages: dict[int, str] = field(default_factory=dict[int, str])
    _latest: dict[str, str] = field(default_factory=dict[str, str])
    _step: tuple[int, int] | None = None
    _begun: bool = False
    """Whether pieces came since the last message: a new step begins them anew."""
    _seq: int = -1
    _holes: bool = False

    def is_new(self, event: ChatStreamEvent) -> bool:
        """Say whether the event tells something that no event before it told."""
        if event.message is not None:
            return self._is_new_message(event.message.id, event.message.model_dump_json())
        if event.message_part is not None:
            return self._is_new_part(event.message_part)
        if event.type in _VOID:
            self._holes = False
        elif event.type == ChatStreamEventType.HISTORY_RESET:
            self._messages.clear()
        elif event.type in _STATES:
            if event.type == ChatStreamEventType.STATUS:
                self._latest.pop(ChatStreamEventType.ERROR, None)
            return self._is_new_state(event)
        return True

    def voids(self, event: ChatStreamEvent) -> bool:
        """Say whether the event begins a step anew: what was said of it before is void."""
        piece = event.message_part
        if piece is None or piece.seq is None or not self._begun:
            return False
        return self._step is not None and _step_of(piece) > self._step

    def _is_new_message(self, message_id: int, told: str) -> bool:
        self._begun = False
        self.last_id = max(self.last_id, message_id)
        if self._messages.get(message_id) == told:
            return False
        self._messages[message_id] = told
        return True

    def _is_new_state(self, event: ChatStreamEvent) -> bool:
        told = event.model_dump_json()
        known = self._latest.get(event.type) == told
        self._latest[event.type] = told
        return not known

    def _is_new_part(self, piece: ChatStreamMessagePart) -> bool:
        self.unnumbered = piece.seq is None
        if piece.seq is None:
            return True
        step = _step_of(piece)
        if step != self._step:
            # Sequences begin anywhere: a listener may come late, the server's buffer is bounded.
            if self._step is not None and step < self._step:
                return False
            self._step, self._seq, self._holes = step, piece.seq - 1, False
        if piece.seq <= self._seq:
            return False
        # After a hole the preview would be wrong; the message itself brings all of it.
        self._holes = self._holes or piece.seq > self._seq + 1
        self._seq = piece.seq
        self._begun = True
        return not self._holes


def _step_of(piece: ChatStreamMessagePart) -> tuple[int, int]:
    return piece.history_version or 0, piece.generation_attempt or 0


@dataclass(slots=True)
class Follower:
    """Yield what happens in a chat until the caller has enough."""

    client: Transport
    chat_id: UUID
    after_id: int = 0
    wait: Callable[[float], object] = field(default=lambda seconds: Event().wait(seconds))
    """How time is spent between two attempts; tests do without."""

    def happenings(self) -> Iterator[Happening]:
        """Connect, and connect again, and yield events in between.

        Raises:
            ApiError: the server refuses to let us follow.
            Unreachable: the server stayed away.
        """
        seen = Seen(self.after_id)
        lost = 0
        while True:
            try:
                path = f"/chats/{self.chat_id}/stream"
                with self.client.follow(path, after_id=seen.last_id or None) as line:
                    if lost:
                        yield Found()
                        if seen.unnumbered:
                            yield self._reset()
                    lost = 0
                    yield from self._read(line, seen)
                why = "the connection was closed"
            except (Unreachable, BadAnswer, ConnectionError, ApiError) as error:
                refused = isinstance(error, ApiError) and error.status < 500
                if refused or isinstance(error, Unreadable) or lost >= PATIENCE:
                    raise
                why = str(error)
            pause = PAUSE if lost else FIRST_PAUSE
            lost += 1
            yield Lost(why, pause)
            while pause > 0:
                self.wait(min(TICK, pause))
                pause -= TICK
                yield None

    def _reset(self) -> ChatStreamEvent:
        return ChatStreamEvent(type=ChatStreamEventType.PREVIEW_RESET, chat_id=self.chat_id)

    def _read(self, line: "ClientConnection", seen: Seen) -> Iterator[Happening]:
        from websockets.exceptions import ConnectionClosed

        while True:
            try:
                frame = line.recv(timeout=TICK)
            except TimeoutError:
                yield None
                continue
            except ConnectionClosed:
                return
            for event in events_of(frame):
                if seen.voids(event):
                    yield self._reset()
                if seen.is_new(event):
                    yield event


def events_of(frame: str | bytes) -> list[ChatStreamEvent]:
    """Return the events of one frame: an array, or the older ``{type, data}`` around one.

    Raises:
        Unreadable: the frame is neither.
    """
    try:
        read: object = from_json(frame)
        if isinstance(read, dict):
            read = cast("dict[str, object]", read).get("data") or []
        return [ChatStreamEvent.model_validate(one) for one in cast("list[object]", read)]
    except (ValueError, ValidationError, TypeError) as error:
        raise Unreadable(f"the chat's stream is not understood by this version: {error}") from error
