"""Values that are good for a while, and not more of them than a number."""

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


@dataclass(slots=True)
class Cache(Generic[K, V]):
    """A bounded map whose entries go after ``seconds``; one event loop uses it, without a lock."""

    seconds: float
    most: int
    _kept: OrderedDict[K, tuple[float, V]] = field(default_factory=OrderedDict[K, tuple[float, V]])

    def get(self, key: K, now: float) -> V | None:
        """Return the value if it is there and still good."""
        held = self._kept.get(key)
        if held is None or now - held[0] >= self.seconds:
            return None
        return held[1]

    def put(self, key: K, value: V, now: float) -> None:
        """Keep a value, in the place of the oldest one if there are too many."""
        self._kept.pop(key, None)
        self._kept[key] = (now, value)
        while len(self._kept) > self.most:
            self._kept.popitem(last=False)

    def drop(self, key: K) -> None:
        """Forget a value."""
        self._kept.pop(key, None)
