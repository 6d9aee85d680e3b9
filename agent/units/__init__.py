"""Units: which script of a workspace waits for which. Pure. See README.md."""

from agent.units.errors import (
    AlreadyCompleted,
    Cycle,
    NotReady,
    SameStatus,
    TooMany,
    UnitError,
    UnknownUnit,
    WrongName,
)
from agent.units.graph import Dependency, Status, Unit, Units

__all__ = [
    "AlreadyCompleted",
    "Cycle",
    "Dependency",
    "NotReady",
    "SameStatus",
    "Status",
    "TooMany",
    "Unit",
    "UnitError",
    "Units",
    "UnknownUnit",
    "WrongName",
]
