"""What terminals are given by the agent's composition root."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from agent.kit.child import Children
from coder_cli.kit.clock import Clock
from coder_cli.sdk.agentapi import ConnectionReport


class NotReady(Exception):
    """The agent does not know yet who it is; the message is a sentence."""


@dataclass(frozen=True, slots=True)
class Command:
    """What to run on a terminal."""

    argv: Sequence[str]
    env: Mapping[str, str] = field(repr=False)
    cwd: str


@dataclass(frozen=True, slots=True)
class PtyOptions:
    """What terminals work with."""

    prepare: Callable[[str], Command] = field(repr=False)
    """From what somebody wants to run, nothing for a log-in shell. Raises ``NotReady``."""
    children: Children
    clock: Clock
    report: Callable[[ConnectionReport], None] = field(repr=False)
    directory: Path
    """Where ``screen`` keeps its sockets and we its configuration; ours alone."""
