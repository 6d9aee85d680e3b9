"""Which values of the template are due. Pure.

Source: reference, agent and provisioner, section 1.8.
"""

from collections.abc import Iterable
from typing import Final

from coder_cli.sdk.agentapi import MetadataSource

TICK: Final = 1.0
UNSAID: Final = 3 * TICK
"""How long a run may take that has neither a timeout nor an interval."""
_EARLY: Final = TICK / 20
"""Ticks are never quite a second apart; a value that is due now is not left for the next one."""


def time_limit(source: MetadataSource) -> float:
    """Return how many seconds one run of ``source`` may take."""
    return source.timeout or source.interval or UNSAID


class Schedule:
    """When each key was last run, and which of them are running."""

    def __init__(self) -> None:
        self._sources: dict[str, MetadataSource] = {}
        self._began: dict[str, float] = {}
        self._running: set[str] = set()

    def know(self, sources: Iterable[MetadataSource]) -> None:
        """Take what the template wants now; keys that were run keep their times."""
        known = {source.key: source for source in sources}
        changed = {key for key, source in known.items() if self._sources.get(key) != source}
        self._began = {
            key: at for key, at in self._began.items() if key in known and key not in changed
        }
        self._sources = known

    def due(self, now: float) -> list[MetadataSource]:
        """Return what is to be run now, and take it for running."""
        found = [source for source in self._sources.values() if self._is_due(source, now)]
        for source in found:
            self._began[source.key] = now
            self._running.add(source.key)
        return found

    def ended(self, key: str) -> None:
        """Note that the run of ``key`` is over."""
        self._running.discard(key)

    @property
    def finished(self) -> bool:
        """Tell whether nothing will ever be due again."""
        return all(
            source.interval <= 0 and source.key in self._began for source in self._sources.values()
        )

    def _is_due(self, source: MetadataSource, now: float) -> bool:
        if source.key in self._running:
            return False
        began = self._began.get(source.key)
        if began is None:
            return True
        return source.interval > 0 and now - began >= source.interval - _EARLY
