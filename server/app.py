"""The composition root: settings become rooms, rooms become one app and its background work."""

import socket
from dataclasses import dataclass
from ipaddress import ip_network

from fastapi import Depends, FastAPI
from starlette.types import ASGIApp

from coder_cli.kit.build import version
from server import identity, network, web
from server.kit.db import Database
from server.kit.guard import Guard
from server.kit.limits import Limiter
from server.kit.pubsub import Pubsub
from server.kit.realip import TrustedProxies
from server.kit.routing import Authenticator, Limits, install, limit_requests, provide
from server.kit.tasks import Workers
from server.settings import Settings


@dataclass(frozen=True, slots=True)
class House:
    """One replica, built but not running.

    Open ``database``, serve ``asgi``, and run ``workers`` beside it until the end.
    """

    app: FastAPI
    asgi: ASGIApp
    """The app inside its guard: this is what is served."""
    database: Database
    pubsub: Pubsub
    workers: Workers
    relay: network.Relay
    metrics: web.Metrics


def build(settings: Settings, *, dsn: str, access_url: str) -> House:
    """Build a replica on the migrated database at ``dsn``, reached by clients at ``access_url``."""
    database = Database(
        dsn, max_open=settings.database.max_open, min_open=settings.database.max_idle or 1
    )
    pubsub = Pubsub(dsn)
    workers = Workers()
    relay = network.Relay(database, network.Place(host="127.0.0.1", hostname=socket.gethostname()))
    workers.add("facts", pubsub.run)
    workers.add("relay", relay.run)
    metrics = web.Metrics()
    app = _app(settings, database)
    _identity(app, settings, database, access_url)
    web.install(app, web.Deployment(settings, access_url), database)
    return House(
        app=app,
        asgi=Guard(app, metrics.observe),
        database=database,
        pubsub=pubsub,
        workers=workers,
        relay=relay,
        metrics=metrics,
    )


def _app(settings: Settings, database: Database) -> FastAPI:
    """Return an app that knows limits, errors and proxies, but no room yet."""
    shown = "/swagger" if settings.server.swagger_enable else None
    app = FastAPI(
        title="Coder API",
        version=version(),
        docs_url=shown,
        redoc_url=None,
        openapi_url="/swagger/doc.json" if shown else None,
        dependencies=[Depends(limit_requests)],
        # A client that forgets its content type still sends JSON.
        strict_content_type=False,
    )
    install(app)
    unlimited = settings.limits.dangerous_disable_rate_limits
    limits = Limits(0, 0, 0) if unlimited else Limits(api=settings.limits.api_rate_limit)
    provide(app, Limits, limits)
    provide(app, Limiter, Limiter())
    provide(app, Database, database)
    app.state.trusted_proxies = TrustedProxies(
        settings.networking.proxy_trusted_headers,
        tuple(ip_network(origin) for origin in settings.networking.proxy_trusted_origins),
    )
    return app


def _identity(app: FastAPI, settings: Settings, database: Database, access_url: str) -> None:
    sessions = settings.sessions
    options = identity.IdentityOptions(
        session_duration=sessions.duration,
        max_token_lifetime=sessions.max_token_lifetime,
        max_admin_token_lifetime=sessions.max_admin_token_lifetime,
        default_token_lifetime=sessions.default_token_lifetime,
        disable_expiry_refresh=sessions.disable_expiry_refresh,
        disable_password_auth=sessions.disable_password_auth,
        secure_cookie=settings.networking.secure_auth_cookie or access_url.startswith("https:"),
        samesite="none" if settings.networking.samesite_auth_cookie == "none" else "lax",
        host_prefix_cookie=settings.networking.host_prefix_cookie,
        ssh_keygen_algorithm=identity.KeygenAlgorithm(settings.provisioning.ssh_keygen_algorithm),
        disable_owner_workspace_access=settings.client.disable_owner_workspace_access,
        terms_of_service_url=sessions.terms_of_service_url,
    )
    provide(app, identity.IdentityOptions, options)
    provide(app, Authenticator, identity.SessionAuthenticator(database, options))
    app.include_router(identity.routes)
