"""Numbers for Prometheus: requests, the pool, jobs and agents, at an address of their own."""

from dataclasses import dataclass, field

from prometheus_client import (
    CollectorRegistry,
    Gauge,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from server.kit.authz import as_system
from server.kit.db import Database
from server.web import store

_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


@dataclass(slots=True)
class Metrics:
    """Every number that this process shows."""

    registry: CollectorRegistry = field(default_factory=CollectorRegistry)
    requests: Histogram = field(init=False)
    sockets: Gauge = field(init=False)
    pool: Gauge = field(init=False)
    jobs: Gauge = field(init=False)
    agents: Gauge = field(init=False)
    users: Gauge = field(init=False)

    def __post_init__(self) -> None:
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        self.requests = Histogram(
            "coderd_api_request_latencies_seconds",
            "Latency of requests in seconds, by route.",
            ["method", "path", "code"],
            registry=self.registry,
            buckets=_BUCKETS,
        )
        self.sockets = Gauge(
            "coderd_api_websocket_durations_last_seconds",
            "How long the last closed WebSocket of a route was open.",
            ["path"],
            registry=self.registry,
        )
        self.pool = Gauge(
            "coderd_db_pool", "Counters of the connection pool.", ["name"], registry=self.registry
        )
        self.jobs = Gauge(
            "coderd_provisioner_jobs_current",
            "Provisioner jobs of the deployment, by state.",
            ["state"],
            registry=self.registry,
        )
        self.agents = Gauge(
            "coderd_agents_up",
            "Workspace agents of the deployment that are connected.",
            registry=self.registry,
        )
        self.users = Gauge(
            "coderd_api_active_users_total",
            "Active users of the deployment.",
            registry=self.registry,
        )

    def observe(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one answer; routes, not paths, so that nobody can make new series."""
        if method == "WS":
            self.sockets.labels(route).set(seconds)
        else:
            self.requests.labels(method, route or "none", str(status)).observe(seconds)

    async def page(self, database: Database) -> bytes:
        """Return every number as Prometheus reads it."""
        for name, value in database.stats().items():
            self.pool.labels(name).set(value)
        async with database.tx(as_system("metrics")) as tx:
            load = await store.load(tx)
        self.jobs.labels("pending").set(load.jobs_pending)
        self.jobs.labels("running").set(load.jobs_running)
        self.agents.set(load.agents)
        self.users.set(load.users)
        return generate_latest(self.registry)


def metrics_app(metrics: Metrics, database: Database) -> Starlette:
    """Return the app that serves ``/metrics``, for a listener of its own."""

    async def show(_: Request) -> Response:
        return Response(await metrics.page(database), media_type=CONTENT_TYPE_LATEST)

    return Starlette(routes=[Route("/metrics", show), Route("/", show)])
