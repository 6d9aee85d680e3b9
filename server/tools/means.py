"""What tools of every turn stand on: one set for each replica."""

from dataclasses import dataclass, field
from uuid import UUID

from coder_cli.kit.clock import Clock, SystemClock
from server.agents import Dialer
from server.kit.db import Database
from server.kit.pubsub import Pubsub
from server.templates import FormDesk
from server.tools.cache import Cache
from server.tools.found import Found


@dataclass(frozen=True, slots=True)
class Patience:
    """How long tools wait for what, in seconds."""

    attempt: float = 5.0
    """One dial; a slower one asks whether its agent is still the one to dial."""
    pause: float = 2.0
    dial: float = 30.0
    agent: float = 120.0
    """Until the agent of a workspace that was just built answers."""
    build: float = 600.0
    scripts: float = 600.0


@dataclass(frozen=True, slots=True)
class Means:
    """The house, as far as tools use it."""

    database: Database
    pubsub: Pubsub
    dialer: Dialer
    desk: FormDesk
    clock: Clock = field(default_factory=SystemClock)
    patience: Patience = field(default_factory=Patience)
    contexts: Cache[UUID, Found] = field(default_factory=lambda: Cache[UUID, Found](300.0, 256))
    """What was found in workspaces, by agent."""
