"""Rate limits: so many takes of one key in a minute. Per process, not shared between replicas."""

from collections import OrderedDict

from coder_cli.kit.clock import Clock, SystemClock

WINDOW = 60.0
MAX_KEYS = 50_000
"""Keys remembered at most; the oldest are forgotten first, so that nobody can fill the memory."""


class Limiter:
    """Count takes in fixed windows of a minute."""

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._windows: OrderedDict[str, tuple[float, int]] = OrderedDict()

    def take(self, key: str, per_minute: int) -> int:
        """Count one take of ``key``; return 0, or the seconds to wait when it is one too many."""
        now = self._clock.monotonic()
        began, count = self._windows.pop(key, (now, 0))
        if now - began >= WINDOW:
            began, count = now, 0
        self._windows[key] = (began, count + 1)
        while len(self._windows) > MAX_KEYS:
            self._windows.popitem(last=False)
        return 0 if count < per_minute else max(1, int(began + WINDOW - now + 0.999))
