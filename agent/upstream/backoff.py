"""How long to wait before the next attempt to reach the server. Pure."""

from dataclasses import dataclass

FIRST = 0.1
LONGEST = 10.0
REFUSED = 30.0
"""After a refusal nothing gets better within seconds; asking in haste only fills logs."""


@dataclass(slots=True)
class Backoff:
    """Double the wait with each failure, from 100 ms to 10 s, and spread it by chance."""

    _next: float = FIRST

    def failed(self, luck: float) -> float:
        """Return how long to wait now; ``luck`` is a random number in [0, 1).

        The wait is between half and all of the step, so that the agents of a restarted server do
        not come back in one wave.
        """
        step, self._next = self._next, min(self._next * 2, LONGEST)
        return step * (0.5 + luck / 2)

    def refused(self, luck: float) -> float:
        """Return how long to wait after the server said no."""
        self._next = LONGEST
        return REFUSED * (0.5 + luck / 2)

    def succeeded(self) -> None:
        """Begin anew: the line was up."""
        self._next = FIRST
