"""The health report: how each part of the deployment fares, made when the last one is too old."""

import asyncio
import statistics
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import httpx
from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

from coder_cli.kit.build import version
from coder_cli.kit.durations import format_duration
from coder_cli.sdk.deployment import (
    AccessURLReport,
    DatabaseReport,
    HealthcheckReport,
    HealthItem,
    HealthMessage,
    HealthReport,
    HealthSection,
    HealthSeverity,
    ProvisionerDaemonsReport,
    WebsocketReport,
)
from coder_cli.sdk.jobs import ProvisionerDaemon
from server.kit.authz import Actor
from server.kit.db import Database
from server.kit.errors import ApiError
from server.provisioning import API_VERSION
from server.web import store
from server.web.deployment import Deployment

_PROBES = 5
_PATIENCE = 5.0

MOST_WARNINGS = 20
_NO_DERP = "Not used: the server itself relays connections to workspaces."
_NO_PROXIES = "Not used: this deployment has no workspace proxies."


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
            derp=HealthReport(note=_NO_DERP),
            workspace_proxy=HealthReport(note=_NO_PROXIES),
            coder_version=version(),
        )

    async def _access_url(self) -> AccessURLReport:
        url = self.deployment.access_url
        if urlsplit(url).scheme not in {"http", "https"} or not urlsplit(url).hostname:
            return AccessURLReport(
                access_url=url,
                healthy=False,
                severity=HealthSeverity.ERROR,
                error="EACS02: the access URL is not the URL of a web server; set --access-url.",
            )
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

    async def _daemons(self, actor: Actor) -> ProvisionerDaemonsReport:
        try:
            async with self.database.tx(actor) as tx:
                live = await store.live_daemons(tx)
        except ApiError as error:
            return ProvisionerDaemonsReport(
                healthy=False, severity=HealthSeverity.ERROR, error=f"EPD01: {error.message}"
            )
        if not live:
            return ProvisionerDaemonsReport(
                healthy=False,
                severity=HealthSeverity.ERROR,
                error="EPD01: no provisioner daemon is active; no build can run. Set "
                "--provisioner-daemons, or start one with coder provisioner start.",
            )
        items = [_item(daemon) for daemon in live]
        strange = [warning for item in items for warning in item.warnings]
        return ProvisionerDaemonsReport(
            items=items,
            severity=HealthSeverity.WARNING if strange else HealthSeverity.OK,
            warnings=strange[:MOST_WARNINGS],
        )


def _item(daemon: store.LiveDaemon) -> HealthItem:
    """Return a daemon with what is not as it should be: of another release, or another line."""
    warnings: list[HealthMessage] = []
    if daemon.version != version():
        words = f"The provisioner daemon {daemon.name} is {daemon.version}, the server {version()}."
        warnings.append(_message("EPD02", words))
    ours, theirs = (text.partition(".")[0] for text in (API_VERSION, daemon.api_version))
    if ours != theirs:
        words = (
            f"The provisioner daemon {daemon.name} speaks version {daemon.api_version} of the "
            f"provisioner API, the server version {API_VERSION}."
        )
        warnings.append(_message("EPD03", words))
    shown = ProvisionerDaemon.model_validate(daemon, from_attributes=True)
    return HealthItem(provisioner_daemon=shown, warnings=warnings)


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
