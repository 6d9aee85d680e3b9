"""The agent's HTTP API, on port 4 of its streams: every room's routes in one table."""

from collections.abc import Sequence
from typing import Protocol

from agent.network.http import Answer, Front, Request, Table
from coder_cli.kit.clock import Clock


class Room(Protocol):
    """Whoever has routes."""

    def mount(self, table: Table) -> None:
        """Add them."""
        ...


def api(rooms: Sequence[Room], clock: Clock) -> Front:
    """Return what answers on port 4, with the routes of ``rooms``."""
    table = Table()
    table.add("GET", "/", _hello)
    for room in rooms:
        room.mount(table)
    return Front(table, clock)


async def _hello(_: Request) -> Answer:
    return Answer(200, {"message": "Hello from the agent!"})
