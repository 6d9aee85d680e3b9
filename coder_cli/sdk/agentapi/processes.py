"""Processes that are run through the agent: what is asked for, and what is told of them."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final
from uuid import UUID

START: Final = "/api/v0/processes/start"
LIST: Final = "/api/v0/processes/list"
OUTPUT: Final = "/api/v0/processes/{id}/output"
SIGNAL: Final = "/api/v0/processes/{id}/signal"
OF_CHAT: Final = "/api/v0/processes"
"""``DELETE`` ends and forgets all that the chat of the request has started."""
UNKNOWN_EXIT: Final = -1
LONGEST_WAIT: Final = 300.0
"""Seconds for which an answer about output may be held back until the process has ended."""


class ProcessSignal(StrEnum):
    """What may be sent to a process and everything that it started."""

    KILL = "kill"
    TERMINATE = "terminate"


@dataclass(frozen=True, slots=True)
class StartProcess:
    """Run ``command`` by ``sh -c``."""

    command: str
    workdir: str = ""
    """Where; the agent's directory when empty, which relative paths begin at."""
    env: dict[str, str] = field(default_factory=dict[str, str])
    """Wins over everything that the agent sets."""
    background: bool = False
    """Nobody waits for it; told back in lists."""
    client_token: str = ""
    """Asking again with the same one starts nothing again."""


@dataclass(frozen=True, slots=True)
class ProcessStarted:
    id: UUID
    started: bool = True


@dataclass(frozen=True, slots=True)
class Process:
    """One process in a list."""

    id: UUID
    command: str
    workdir: str
    background: bool
    running: bool
    started_at_unix: int
    exit_code: int | None = None
    exited_at_unix: int | None = None


@dataclass(frozen=True, slots=True)
class Processes:
    processes: tuple[Process, ...] = ()


@dataclass(frozen=True, slots=True)
class Truncation:
    """What of an output is not there any more."""

    original_bytes: int
    retained_bytes: int
    omitted_bytes: int
    strategy: str = "head_tail"


@dataclass(frozen=True, slots=True)
class ProcessOutput:
    """What a process has said so far, standard output and error as they came."""

    output: str
    running: bool
    truncated: Truncation | None = None
    exit_code: int | None = None
    """Not there while it runs; ``UNKNOWN_EXIT`` when a signal ended it."""


@dataclass(frozen=True, slots=True)
class SignalProcess:
    signal: str
