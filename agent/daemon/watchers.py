"""Small endless loops beside the agent's life: announcements to fetch, statistics to give."""

import asyncio
import logging
from typing import Final

from agent.pty import Terminals
from agent.ssh import SshDoor
from agent.upstream import CallFailed, Line, LineDown, Streams
from coder_cli.kit.clock import Clock
from coder_cli.sdk import agentapi
from coder_cli.sdk.agentapi import Banner, ConnectionType, Empty, Method, StatsTaken

BANNERS_EVERY: Final = 120.0
LEAST_INTERVAL: Final = 1.0
REFUSED_INTERVAL: Final = 60.0
log = logging.getLogger("agent")


class Banners:
    """The announcements as of two minutes ago at most."""

    def __init__(self, line: Line, clock: Clock) -> None:
        self.now: tuple[Banner, ...] = ()
        self._line = line
        self._clock = clock

    async def run(self) -> None:
        """Fetch them for ever."""
        while True:
            await self._line.up.wait()
            try:
                answer = await self._line.call(Method.BANNERS, Empty(), agentapi.Banners)
            except LineDown:
                await asyncio.sleep(0)
                continue
            except CallFailed as no:
                log.info("no announcements: %s", no)
            else:
                self.now = answer.banners
            await self._clock.sleep(BANNERS_EVERY)


class Stats:
    """What goes over the streams, as often as the server wants to hear it."""

    def __init__(
        self, line: Line, clock: Clock, streams: Streams, ssh: SshDoor, terminals: Terminals
    ) -> None:
        self._line = line
        self._clock = clock
        self._streams = streams
        self._ssh = ssh
        self._terminals = terminals

    async def run(self) -> None:
        """Report for ever. The first, empty report asks for the interval."""
        stats = agentapi.Stats()
        while True:
            await self._line.up.wait()
            try:
                answer = await self._line.call(Method.STATS, stats, StatsTaken)
            except LineDown:
                await asyncio.sleep(0)
                continue
            except CallFailed as no:
                # Without statistics a workspace in use looks idle, and is stopped: never give up.
                log.info("no statistics: %s", no)
                await self._clock.sleep(REFUSED_INTERVAL)
            else:
                await self._clock.sleep(max(answer.report_interval_ms / 1000, LEAST_INTERVAL))
            stats = self._collect()

    def _collect(self) -> agentapi.Stats:
        sessions = self._ssh.sessions
        traffic = self._streams.take_traffic()
        return agentapi.Stats(
            connections_by_proto={"TCP": self._streams.count},
            connection_count=self._streams.count,
            connection_median_latency_ms=self._line.latency_ms,
            rx_packets=traffic.frames_in,
            rx_bytes=traffic.bytes_in,
            tx_packets=traffic.frames_out,
            tx_bytes=traffic.bytes_out,
            session_count_ssh=sessions.get(ConnectionType.SSH, 0),
            session_count_vscode=sessions.get(ConnectionType.VSCODE, 0),
            session_count_jetbrains=sessions.get(ConnectionType.JETBRAINS, 0),
            session_count_reconnecting_pty=self._terminals.count,
        )
