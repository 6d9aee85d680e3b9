"""The list of ports that are worth opening in a browser, at most one look a second."""

import asyncio
import logging
from collections.abc import Collection, Iterable
from typing import Final

from agent.network.http import Answer, Refusal, Request, Table
from agent.ports.system import Listener, Listeners, SystemListeners
from coder_cli.kit.clock import Clock
from coder_cli.sdk.agentapi import Port, ports, to_json

FRESH_FOR: Final = 1.0
"""Seconds for which what the system said is said again."""
MOST_PORTS: Final = 1000
LONGEST_NAME: Final = 128
IGNORED: Final = frozenset({
    20, 21, 22, 23, 25, 53, 110, 111, 119, 123, 135, 139, 143, 161, 389, 445, 465, 514, 587, 636,
    873, 993, 995, 1433, 1521, 2049, 3306, 3389, 5432, 5900, 5901, 6379, 11211, 27017, 33060,
})  # fmt: skip
"""Ports of services that no browser speaks to: mail, names, files, databases, screens."""
log = logging.getLogger("agent.ports")


class ListeningPorts:
    """Answers which ports are listened on; ``own`` are the agent's."""

    def __init__(
        self, clock: Clock, listeners: Listeners | None = None, own: Collection[int] = ()
    ) -> None:
        self._clock = clock
        self._listeners = listeners or SystemListeners()
        self._hidden = IGNORED | frozenset(own)
        self._looking = asyncio.Lock()
        self._seen: ports.ListeningPorts | None = None
        self._seen_at = 0.0

    def mount(self, table: Table) -> None:
        """Add the route."""
        table.add("GET", ports.LISTENING, self._answer)

    async def now(self) -> ports.ListeningPorts:
        """Return the ports as they were at most a second ago.

        Raises:
            OSError: the system does not tell.
        """
        async with self._looking:
            late = self._clock.monotonic() - self._seen_at >= FRESH_FOR
            if self._seen is None or late:
                found = await asyncio.to_thread(self._listeners.now)
                self._seen = ports.ListeningPorts(_listed(found, self._hidden))
                self._seen_at = self._clock.monotonic()
            return self._seen

    async def _answer(self, _: Request) -> Answer:
        try:
            return Answer(200, to_json(await self.now()))
        except OSError as error:
            log.warning("the system does not tell its listening sockets: %s", error)
            words = "The workspace's system does not tell which ports are listened on."
            raise Refusal(500, words, str(error)) from None


def _listed(found: Iterable[Listener], hidden: Collection[int]) -> tuple[ports.ListeningPort, ...]:
    names: dict[int, str] = {}
    for each in found:
        if each.port >= Port.MINIMUM and each.port not in hidden:
            # One server often listens twice, by IPv4 and IPv6; a name beats none.
            names[each.port] = names.get(each.port) or each.process_name[:LONGEST_NAME]
    listed = (ports.ListeningPort(names[port], port) for port in sorted(names))
    return tuple(listed)[:MOST_PORTS]
