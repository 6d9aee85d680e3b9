"""What this deployment is and how it fares: facts for clients, and the health report."""

import asyncio
import statistics
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

import httpx
from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

from coder_cli.kit.build import version
from coder_cli.kit.durations import format_duration
from coder_cli.sdk.deployment import (
    AccessURLReport,
    BuildInfo,
    DatabaseReport,
    HealthcheckReport,
    HealthMessage,
    HealthReport,
    HealthSection,
    HealthSeverity,
    WebsocketReport,
)
from server.kit.authz import Actor
from server.kit.db import Database
from server.kit.errors import ApiError
from server.settings import Settings
from server.web import store

_PROBES = 5
_PATIENCE = 5.0


@dataclass(slots=True)
class Deployment:
    """The settings of this server, and the URL under which it is reached."""

    settings: Settings
    access_url: str
    agent_api_version: str = "2.0"
    id: UUID | None = None

    async def build_info(self, database: Database, actor: Actor) -> BuildInfo:
        """Return versions and addresses for a client that has just met us."""
        if self.id is None:
            async with database.tx(actor) as tx:
                self.id = await store.deployment_id(tx)
        return BuildInfo(
            external_url="https://github.com/coder/coder",
            version=version(),
            dashboard_url=self.access_url,
            agent_api_version=self.agent_api_version,
            upgrade_message=self.settings.client.cli_upgrade_message,
            deployment_id=str(self.id),
        )


@dataclass(slots=True)
class Health:
    """The health report, made when the last one is too old."""

    deployment: Deployment
    database: Database
    _last: HealthcheckReport | None = None
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def report(self, actor: Actor, token: str, *, force: bool) -> HealthcheckReport:
        """Return how each part of the deployment fares.

        Args:
            actor: who asks.
            token: their session token, for the WebSocket that is tried.
            force: make a new report even when the last one is fresh.
        """
        now = self.database.clock.now()
        async with self._lock:
            if force or self._last is None or self._is_old(self._last.time, now):
                self._last = await self._make(actor, token, now)
            last = self._last
        async with self.database.tx(actor) as tx:
            dismissed = set(await store.dismissed(tx))
        return _with_dismissed(last, dismissed)

    def _is_old(self, made: datetime, now: datetime) -> bool:
        refresh: timedelta = self.deployment.settings.introspection.health_check_refresh
        return now - made >= refresh

    async def _make(self, actor: Actor, token: str, now: datetime) -> HealthcheckReport:
        access, socket, database, daemons = await asyncio.gather(
            self._access_url(), self._websocket(token), self._database(actor), self._daemons(actor)
        )
        sections = (access, socket, database, daemons)
        return HealthcheckReport(
            time=now,
            healthy=all(section.healthy for section in sections),
            severity=_worst([section.severity for section in sections]),
            access_url=access,
            websocket=socket,
            database=database,
            provisioner_daemons=daemons,
            coder_version=version(),
        )

    async def _access_url(self) -> AccessURLReport:
        url = self.deployment.access_url
        try:
            async with httpx.AsyncClient(timeout=_PATIENCE, trust_env=False) as client:
                answer = await client.get(f"{url}/healthz")
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return AccessURLReport(
                access_url=url,
                healthy=False,
                severity=HealthSeverity.ERROR,
                error=f"EACS03: the access URL cannot be reached: {error or type(error).__name__}",
            )
        well = answer.status_code == 200
        return AccessURLReport(
            access_url=url,
            reachable=True,
            status_code=answer.status_code,
            healthz_response=answer.text[:200],
            severity=HealthSeverity.OK if well else HealthSeverity.WARNING,
            warnings=[] if well else [_message("EACS04", "/healthz did not answer 200 OK.")],
        )

    async def _websocket(self, token: str) -> WebsocketReport:
        url = f"{self.deployment.access_url.replace('http', 'ws', 1)}/api/v2/debug/ws"
        headers = {"Coder-Session-Token": token}
        try:
            async with asyncio.timeout(_PATIENCE), connect(url, additional_headers=headers) as line:
                await line.send("ping")
                echoed = await line.recv()
        except (OSError, TimeoutError, WebSocketException, ValueError) as error:
            return WebsocketReport(
                healthy=False,
                severity=HealthSeverity.ERROR,
                error=f"EWS01: a WebSocket cannot be opened: {error or type(error).__name__}",
            )
        if echoed == "ping":
            return WebsocketReport(code=101)
        return WebsocketReport(
            healthy=False,
            severity=HealthSeverity.ERROR,
            code=101,
            error="EWS02: a WebSocket did not return what was sent.",
        )

    async def _database(self, actor: Actor) -> DatabaseReport:
        span = self.deployment.settings.introspection.health_check_threshold_database
        threshold = int(span.total_seconds() * 1000)
        try:
            median = statistics.median(await self._pings(actor))
        except ApiError as error:
            return DatabaseReport(
                healthy=False,
                severity=HealthSeverity.ERROR,
                threshold_ms=threshold,
                error=f"EDB01: {error.message} {error.detail}".strip(),
            )
        slow = median * 1000 >= threshold
        words = f"The median latency is {median * 1000:.1f} ms; {threshold} ms is the threshold."
        return DatabaseReport(
            reachable=True,
            latency=format_duration(timedelta(seconds=median)),
            latency_ms=round(median * 1000),
            threshold_ms=threshold,
            severity=HealthSeverity.WARNING if slow else HealthSeverity.OK,
            warnings=[_message("EDB02", words)] if slow else [],
        )

    async def _pings(self, actor: Actor) -> list[float]:
        clock, spans = self.database.clock, list[float]()
        async with self.database.tx(actor) as tx:
            for _ in range(_PROBES):
                began = clock.monotonic()
                await store.ping(tx)
                spans.append(clock.monotonic() - began)
        return spans

    async def _daemons(self, actor: Actor) -> HealthReport:
        try:
            async with self.database.tx(actor) as tx:
                live = await store.live_daemons(tx)
        except ApiError as error:
            return HealthReport(
                healthy=False, severity=HealthSeverity.ERROR, error=f"EPD01: {error.message}"
            )
        if live:
            return HealthReport()
        return HealthReport(
            healthy=False,
            severity=HealthSeverity.ERROR,
            error="EPD01: no provisioner daemon is active; no build can run.",
        )


def _message(code: str, text: str) -> HealthMessage:
    return HealthMessage(code=code, message=text)


def _worst(severities: list[HealthSeverity]) -> HealthSeverity:
    order = [HealthSeverity.OK, HealthSeverity.WARNING, HealthSeverity.ERROR]
    return max(severities, key=order.index)


_FIELDS = {
    HealthSection.DERP: "derp",
    HealthSection.ACCESS_URL: "access_url",
    HealthSection.WEBSOCKET: "websocket",
    HealthSection.DATABASE: "database",
    HealthSection.WORKSPACE_PROXY: "workspace_proxy",
    HealthSection.PROVISIONER_DAEMONS: "provisioner_daemons",
}


def _with_dismissed(report: HealthcheckReport, dismissed: set[str]) -> HealthcheckReport:
    """Mark what an owner has dismissed; it no longer counts for the whole."""
    sections: dict[str, HealthReport] = {
        name: getattr(report, name).model_copy(update={"dismissed": section.value in dismissed})
        for section, name in _FIELDS.items()
    }
    counted = [section for section in sections.values() if not section.dismissed]
    severity = _worst([HealthSeverity.OK, *(section.severity for section in counted)])
    healthy = all(section.healthy for section in counted)
    return report.model_copy(update={**sections, "severity": severity, "healthy": healthy})
