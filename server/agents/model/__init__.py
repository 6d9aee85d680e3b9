"""What agents are to the server, and the rules that need no I/O."""

from server.agents.model.boundary import BoundaryCounts
from server.agents.model.lifecycle import Life, advance
from server.agents.model.line import (
    BEAT_EVERY,
    GONE_AFTER,
    Moved,
    Own,
    Whereabouts,
    check_version,
    is_monitored,
)
from server.agents.model.monitors import (
    DATAPOINTS,
    Monitor,
    State,
    Watched,
    configuration,
    judge,
    monitors,
)
from server.agents.model.monitors import Moved as MonitorMoved
from server.agents.model.platforms import PLATFORMS, script_name
from server.agents.model.ports import action_for
from server.agents.model.proofs import (
    Anchors,
    aws_instance,
    azure_instance,
    google_instance,
    public_keys,
)
from server.agents.model.reinit import Reason, Reinit
from server.agents.model.subagents import Kin, check_sub_agent, sort_out
from server.agents.model.terminals import TerminalWish
from server.agents.model.texts import Line, clean, clip, fitting, host_key
from server.agents.model.views import LogRange, LogSource, MetadataRow, StoredLog

__all__ = [
    "BEAT_EVERY",
    "DATAPOINTS",
    "GONE_AFTER",
    "PLATFORMS",
    "Anchors",
    "BoundaryCounts",
    "Kin",
    "Life",
    "Line",
    "LogRange",
    "LogSource",
    "MetadataRow",
    "Monitor",
    "MonitorMoved",
    "Moved",
    "Own",
    "Reason",
    "Reinit",
    "State",
    "StoredLog",
    "TerminalWish",
    "Watched",
    "Whereabouts",
    "action_for",
    "advance",
    "aws_instance",
    "azure_instance",
    "check_sub_agent",
    "check_version",
    "clean",
    "clip",
    "configuration",
    "fitting",
    "google_instance",
    "host_key",
    "is_monitored",
    "judge",
    "monitors",
    "public_keys",
    "script_name",
    "sort_out",
]
