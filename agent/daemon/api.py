"""The agent's HTTP API, on port 4 of its streams: every room's routes in one table."""

from collections.abc import Sequence
from typing import Protocol

from agent.daemon.debug import Debug
from agent.daemon.settings import Settings
from agent.desktop import Desktop, DesktopRoutes
from agent.files import FileRoutes
from agent.git import Git, GitWatch, Paths
from agent.kit.child import Children
from agent.network import Frames
from agent.network.http import Answer, Front, Request, Table
from agent.ports import ListeningPorts
from agent.processes import Environment, ProcessRoutes, Registry
from coder_cli.kit.clock import Clock


class Room(Protocol):
    """Whoever has routes."""

    def mount(self, table: Table) -> None:
        """Add them."""
        ...


class Api:
    """What answers on port 4, and what it started there: processes, the desktop."""

    def __init__(
        self, settings: Settings, environment: Environment, children: Children, clock: Clock
    ) -> None:
        self._table = Table()
        self._front = Front(self._table, clock)
        self._processes = Registry(environment, children, clock)
        self._desktop = Desktop(environment.usual, children, clock, shown=environment.show_on)
        self._table.add("GET", "/", _hello)
        touched = Paths()
        blocked = settings.block_file_transfer
        self.mount(
            (
                ProcessRoutes(self._processes, touched.tell),
                FileRoutes(environment.home, block_transfer=blocked, touched=touched.tell),
                GitWatch(Git(environment.usual, children, clock), touched, clock),
                ListeningPorts(clock),
                DesktopRoutes(self._desktop, clock),
                Debug(environment, settings.log_dir),
            )
        )

    def mount(self, rooms: Sequence[Room]) -> None:
        """Add the routes of ``rooms``."""
        for room in rooms:
            room.mount(self._table)

    async def serve(self, frames: Frames) -> None:
        """Serve one stream until it ends."""
        await self._front.serve(frames)

    async def run(self) -> None:
        """Attend to what was started, until ``close``."""
        await self._processes.run()

    def close(self) -> None:
        """Let go of it: after its processes, for who writes to a closed pipe hears of no end."""
        self._processes.close()
        self._desktop.close()


async def _hello(_: Request) -> Answer:
    return Answer(200, {"message": "Hello from the agent!"})
