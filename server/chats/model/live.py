"""What a replica keeps of a chat that somebody listens to: the step under way, the newest messages.

Pure. Listeners hold a place in it and take what came since, at their own speed: nobody waits for
them, and nothing is kept for each of them. Source: reference, chats, sections 5.2, 5.3 and 5.5.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

MOST_PARTS = 10_000
MOST_BYTES = 1 << 20
"""What is kept of one step while it is said; of a longer one the oldest part goes."""
MOST_MESSAGES = 256


class Place(NamedTuple):
    """How far a listener heard: so many parts of this episode."""

    episode: int = 0
    heard: int = 0


@dataclass(frozen=True, slots=True)
class News:
    """What was said since a place. ``reset``: what the listener heard of it before is void."""

    place: Place
    events: Sequence[str]
    reset: bool = False


@dataclass(slots=True)
class Parts:
    """The events of the attempt under way, as JSON, in the order they were said."""

    episode: int = 0
    """Counts attempts, on this replica only."""
    history_version: int = 0
    """The history that the attempt goes on from."""
    attempt: int = 0
    dropped: int = 0
    """Events at the begin that are no longer kept."""
    _void: int = 0
    _bytes: int = 0
    _events: list[str] = field(default_factory=list[str])

    @property
    def void(self) -> bool:
        """Tell whether nothing of the attempt before this one will ever be stored."""
        return self._void == self.episode

    @property
    def said(self) -> int:
        """Return how many events the attempt has; the next one has this number."""
        return self.dropped + len(self._events)

    def begin(self, history_version: int, attempt: int, *, void: bool = False) -> None:
        """Begin an attempt; with ``void``, nothing of the one before will ever be stored."""
        self.episode += 1
        self.history_version, self.attempt = history_version, attempt
        if void:
            self._void = self.episode
        self._events, self._bytes, self.dropped = [], 0, 0

    def add(self, event: str) -> bool:
        """Add an event; return False when older ones had to go for it."""
        self._events.append(event)
        self._bytes += len(event)
        if len(self._events) <= MOST_PARTS and self._bytes <= MOST_BYTES:
            return True
        # A quarter at a time: what goes one by one from the front of a list costs all of it.
        keep = max(1, len(self._events) * 3 // 4)
        while keep > 1 and sum(map(len, self._events[-keep:])) > MOST_BYTES:
            keep //= 2
        self.dropped += len(self._events) - keep
        self._events = self._events[-keep:]
        self._bytes = sum(map(len, self._events))
        return False

    def since(self, place: Place) -> News:
        """Return what was said since ``place``."""
        now = Place(self.episode, self.said)
        if place.episode != self.episode:
            reset = place.heard > 0 and place.episode < self._void
            return News(now, tuple(self._events), reset or self.dropped > 0)
        if place.heard < self.dropped:
            return News(now, tuple(self._events), reset=True)
        return News(now, tuple(self._events[place.heard - self.dropped :]))


class Kept(NamedTuple):
    """A message as an event, and the id it has."""

    id: int
    event: str


def _id(kept: Kept) -> int:
    return kept.id


@dataclass(slots=True)
class Tail:
    """The newest messages of a chat, whole from ``floor`` on; bounded."""

    version: int = -1
    """The history that this is the end of; -1 knows nothing."""
    floor: int = 0
    """Every message that listeners see and that has a greater id is here."""
    _kept: list[Kept] = field(default_factory=list[Kept])

    @property
    def last(self) -> int:
        """Return the newest message's id, or the floor."""
        return self._kept[-1].id if self._kept else self.floor

    def learn(self, version: int, floor: int, messages: Sequence[Kept]) -> None:
        """Take what was read: at ``version``, ``messages`` are all after ``floor``."""
        if version < self.version or (version == self.version and floor >= self.floor):
            return
        joins = self.version >= 0 and self.floor <= floor <= self.last
        before = [one for one in self._kept if one.id <= floor] if joins else []
        self.version, self.floor = version, self.floor if joins else floor
        self._kept = [*before, *messages]
        self._trim()

    def append(self, before: int, version: int, messages: Sequence[Kept]) -> None:
        """Take messages that were stored just now, and led from one history to the next."""
        if version <= self.version:
            return
        if self.version < 0 or self.version != before:
            # Ids rise within a chat, and its row was locked: nothing is between these and them.
            self._kept = []
            self.floor = messages[0].id - 1 if messages else 0
        self.version = version if self.version == before or messages else -1
        last = self.last
        self._kept.extend(one for one in messages if one.id > last)
        self._trim()

    def forget(self) -> None:
        """Know nothing any more: the history was cut."""
        self.version, self.floor, self._kept = -1, 0, []

    def since(self, after: int) -> list[Kept] | None:
        """Return the messages after id ``after``, or None when not all of them are here."""
        if self.version < 0 or after < self.floor:
            return None
        if after >= self.last:
            return []
        return self._kept[bisect_right(self._kept, after, key=_id) :]

    def _trim(self) -> None:
        if len(self._kept) > MOST_MESSAGES:
            self.floor = self._kept[-MOST_MESSAGES - 1].id
            del self._kept[:-MOST_MESSAGES]
