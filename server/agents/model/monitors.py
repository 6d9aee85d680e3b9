"""When memory or a volume is said to run full, and when that is over. Pure.

One high measurement is no news, nor is one low one: a window of them decides, and what lies between
leaves things as they were.

Source: reference, agent and provisioner, section 1.12.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import groupby
from typing import Any, Final

from coder_cli.sdk import agentapi as api

DATAPOINTS: Final = 20
EVERY: Final = 10.0
LEAST_FULL: Final = 20
"""Percent of the window, wherever in it, that make an alarm."""
LEAST_IN_A_ROW: Final = 50
"""Percent of the window, one after the other, that make an alarm."""
QUIET_FOR: Final = timedelta(minutes=30)
"""After an alarm the next one of the same monitor is not told for so long."""
MEMORY: Final = "memory"
VOLUME: Final = "volume"


class State(StrEnum):
    OK = "OK"
    NOK = "NOK"


@dataclass(frozen=True, slots=True)
class Monitor:
    """Something that the template wants watched. ``path`` is empty for memory."""

    kind: str
    path: str
    threshold: int


@dataclass(frozen=True, slots=True)
class Watched:
    """A monitor's state as it is stored."""

    state: State = State.OK
    quiet_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Moved:
    """A monitor went from one state to another. ``alert``: somebody is to be told."""

    monitor: Monitor
    watched: Watched
    alert: bool


def monitors(wanted: Mapping[str, Any]) -> list[Monitor]:
    """Return what the template wants watched, of the agent's stored settings."""
    found: list[Monitor] = []
    memory = wanted.get("memory")
    if memory and memory["enabled"]:
        found.append(Monitor(MEMORY, "", memory["threshold"]))
    found += [
        Monitor(VOLUME, volume["path"], volume["threshold"])
        for volume in wanted.get("volumes") or ()
        if volume["enabled"]
    ]
    return found


def configuration(wanted: Mapping[str, Any]) -> api.Monitoring:
    """Return what the agent is told to measure."""
    watched = monitors(wanted)
    volumes = tuple(api.VolumeMonitor(one.path, enabled=True) for one in watched if one.path)
    memory = api.MemoryMonitor(enabled=True) if any(not one.path for one in watched) else None
    return api.Monitoring(api.MonitoringConfig(DATAPOINTS, EVERY), memory, volumes)


def judge(
    monitor: Monitor, watched: Watched, points: Sequence[api.Datapoint], now: datetime
) -> Moved | None:
    """Return the move that a window of measurements makes, or None when all stays as it was."""
    state = next_state(watched.state, [_state(monitor, point) for point in points])
    if state is watched.state:
        return None
    quiet = watched.quiet_until is not None and now < watched.quiet_until
    alert = state is State.NOK and not quiet
    until = now + QUIET_FOR if alert else watched.quiet_until
    return Moved(monitor, Watched(state, until), alert)


def next_state(before: State, states: Sequence[State | None]) -> State:
    """Return the state after a window of them; None is a measurement that failed."""
    if not states:
        return before
    full = sum(state is State.NOK for state in states)
    runs = (len(list(run)) for state, run in groupby(states) if state is State.NOK)
    if max(runs, default=0) * 100 >= LEAST_IN_A_ROW * len(states):
        return State.NOK
    if full * 100 >= LEAST_FULL * len(states):
        return State.NOK
    # With a failed measurement nobody knows that all is well.
    if all(state is State.OK for state in states):
        return State.OK
    return before


def _state(monitor: Monitor, point: api.Datapoint) -> State | None:
    measured: Iterable[api.MemoryUsage | api.VolumeUsage | None] = (
        [volume for volume in point.volumes if volume.volume == monitor.path]
        if monitor.path
        else [point.memory]
    )
    for usage in measured:
        if usage is not None and usage.total > 0:
            full = usage.used * 100 >= monitor.threshold * usage.total
            return State.NOK if full else State.OK
    return None
