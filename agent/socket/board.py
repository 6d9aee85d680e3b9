"""The units of this agent, and the starts that are held until they are possible."""

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Generator, Sequence
from typing import Final

from agent.kit.child import within
from agent.units import Dependency, NotReady, Unit, UnitError, Units
from coder_cli.kit.clock import Clock
from coder_cli.kit.quoting import bare

LONGEST_WAIT: Final = 7 * 24 * 3600.0


class Unready(UnitError):
    """The unit could not start, now or in time."""

    def __init__(self, words: str, missing: Sequence[Dependency]) -> None:
        super().__init__(words)
        self.missing = missing


class Ending(Exception):
    """The agent ends; nothing that waits will start any more."""


class Board:
    """Units, with starts that wait. Who waits is woken when its unit changes; nobody polls."""

    def __init__(self, clock: Clock) -> None:
        self._units = Units()
        self._clock = clock
        self._bells: defaultdict[str, set[asyncio.Event]] = defaultdict(set)
        self._ended = False

    def want(self, name: str, on: Sequence[str]) -> None:
        """Let ``name`` wait for ``on``; raises as ``Units.want`` does."""
        self._units.want(name, on)
        self._ring(name)

    async def start(self, name: str, seconds: float) -> tuple[str, ...]:
        """Start ``name`` as soon as it is ready, and return what it waited for.

        Raises:
            Unready: it was not ready within ``seconds``.
            UnitError: it cannot start, or somebody else has started it meanwhile.
            Ending: the agent ends.
        """
        self._units.check_start(name)
        self._units.register(name)
        deadline = self._clock.monotonic() + seconds
        waited: dict[str, None] = {}
        with self._bell(name) as bell:
            while not (unit := self._units.check_start(name)).ready:
                waited |= dict.fromkeys(one.on for one in unit.missing)
                if self._ended:
                    raise Ending
                left = deadline - self._clock.monotonic()
                if left <= 0:
                    raise _unready(unit, waiting=seconds > 0)
                await within(bell.wait(), left, self._clock)
                bell.clear()
            self._units.start(name)
        self._ring(name)
        return tuple(waited)

    def complete(self, name: str) -> None:
        """Say that ``name`` is done; raises as ``Units.complete`` does."""
        for each in (*self._units.complete(name), name):
            self._ring(each)

    def get(self, name: str) -> Unit:
        """Return how ``name`` stands; raises as ``Units.get`` does."""
        return self._units.get(name)

    def all(self) -> tuple[Unit, ...]:
        """Return every registered unit."""
        return self._units.all()

    def end(self) -> None:
        """Let go of everybody who waits."""
        self._ended = True
        for name in tuple(self._bells):
            self._ring(name)

    @contextlib.contextmanager
    def _bell(self, name: str) -> Generator[asyncio.Event]:
        bell = asyncio.Event()
        self._bells[name].add(bell)
        try:
            yield bell
        finally:
            self._bells[name].discard(bell)
            if not self._bells[name]:
                del self._bells[name]

    def _ring(self, name: str) -> None:
        for bell in self._bells.get(name, ()):
            bell.set()


def _unready(unit: Unit, *, waiting: bool) -> Unready:
    if not waiting:
        return Unready(str(NotReady(unit.name)), unit.missing)
    missing = ", ".join(
        f"{bare(one.on)} ({one.current or 'not registered'})" for one in unit.missing
    )
    words = f"timeout waiting for dependencies of unit '{bare(unit.name)}': {missing}"
    return Unready(words, unit.missing)
