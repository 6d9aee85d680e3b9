"""What the graph refuses, in the words that people and their scripts read."""

from collections.abc import Sequence

from coder_cli.kit.quoting import bare, quoted


class UnitError(Exception):
    """The graph refused, and is as it was before."""


class WrongName(UnitError):
    """A unit cannot be called so."""


class UnknownUnit(UnitError):
    """Nobody has registered the unit."""

    def __init__(self, doing: str, name: str) -> None:
        super().__init__(f"{doing} unit {quoted(name)}: unit not found")


class SameStatus(UnitError):
    """The unit has this status already: it was started, or completed, before."""

    def __init__(self, doing: str, name: str) -> None:
        super().__init__(f"{doing} unit {quoted(name)}: same status already set")


class AlreadyCompleted(UnitError):
    """The unit is done, and nothing is done twice."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"cannot start unit {quoted(name)}: it has completed. "
            "A unit runs once in the life of an agent."
        )


class NotReady(UnitError):
    """A dependency of the unit has not completed."""

    def __init__(self, name: str) -> None:
        super().__init__(f"cannot start unit {quoted(name)}: unit not ready")


class Cycle(UnitError):
    """The dependency would make a unit wait for itself."""

    def __init__(self, path: Sequence[str]) -> None:
        unit, on = path[0], path[1]
        around = " -> ".join(bare(name) for name in path)
        super().__init__(
            f"cannot add dependency: adding edge for unit {quoted(unit)}: "
            f"failed to add dependency: adding edge ({bare(unit)} -> {bare(on)}) "
            f"would create a cycle: {around}"
        )


class TooMany(UnitError):
    """The graph is at its limit."""

    def __init__(self, what: str, limit: int) -> None:
        super().__init__(f"the agent keeps {limit} {what} at most")
