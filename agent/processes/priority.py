"""Let the processes of others go first into the out-of-memory killer, and wait for the agent.

When memory or processors run short, an agent that is killed or starved takes everybody's way into
the workspace with it. Switched on by ``CODER_PROC_PRIO_MGMT`` in the agent's environment, on Linux.
"""

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

SWITCH: Final = "CODER_PROC_PRIO_MGMT"
OOM_VARIABLE: Final = "CODER_PROC_OOM_SCORE"
NICE_VARIABLE: Final = "CODER_PROC_NICE_SCORE"
_MOST_NICE: Final = 19
_NICER_BY: Final = 5
_LIKELY: Final = 998
_FIRST: Final = 1000
# The shell changes itself and becomes the command: nothing runs unchanged in between.
_WRAPPER: Final = (
    'echo "$0" 2>/dev/null >/proc/self/oom_score_adj; n=$1; shift; '
    '[ "$n" = 0 ] || ! command -v nice >/dev/null || exec nice -n "$n" "$@"; exec "$@"'
)


@dataclass(frozen=True, slots=True)
class Priority:
    """The scores of new processes."""

    oom_score: int
    nice: int

    @classmethod
    def of(cls, env: Mapping[str, str]) -> "Priority | None":
        """Return what ``env`` asks for; None when it does not, or the system cannot."""
        if SWITCH not in env or sys.platform != "linux":
            return None
        nice = min(os.getpriority(os.PRIO_PROCESS, 0) + _NICER_BY, _MOST_NICE)
        return cls(_number(env, OOM_VARIABLE, _oom_score()), _number(env, NICE_VARIABLE, nice))

    def wrap(self, argv: Sequence[str]) -> list[str]:
        """Return how to start ``argv`` with its scores."""
        more = self.nice - os.getpriority(os.PRIO_PROCESS, 0)
        if more < 0 and os.geteuid():
            more = 0  # Only root may be less nice, and the command's output is no place to say so.
        return ["/bin/sh", "-c", _WRAPPER, str(self.oom_score), str(more), *argv]


def _oom_score() -> int:
    try:
        own = int(Path("/proc/self/oom_score_adj").read_text())
    except (OSError, ValueError):
        return _LIKELY
    if own < 0:
        return 0  # The agent is spared; its children are like everybody else.
    return _FIRST if own >= _LIKELY else _LIKELY


def _number(env: Mapping[str, str], name: str, otherwise: int) -> int:
    try:
        return int(env.get(name, ""))
    except ValueError:
        return otherwise
