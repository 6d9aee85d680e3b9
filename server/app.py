"""The composition root: settings become rooms, rooms become one app and its background work."""

import socket
from dataclasses import dataclass
from ipaddress import ip_network
from urllib.parse import urlsplit

import structlog
from fastapi import Depends, FastAPI
from starlette.types import ASGIApp

from coder_cli.kit.build import version
from server import (
    agents,
    chats,
    identity,
    models,
    network,
    provisioning,
    templates,
    terraform,
    tools,
    web,
    workspaces,
)
from server.kit.db import Database
from server.kit.guard import Guard
from server.kit.limits import Limiter
from server.kit.pubsub import Pubsub
from server.kit.realip import TrustedProxies
from server.kit.routing import Authenticator, Limits, install, limit_requests, provide, services
from server.kit.sealing import Sealer
from server.kit.tasks import Workers
from server.llm import CallLimits, Clients
from server.settings import Settings

log = structlog.get_logger()


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
    daemons: provisioning.Daemons

    async def stop(self, grace: float) -> None:
        """Take no new jobs; give running ones ``grace`` seconds, then hand them back."""
        await self.daemons.stop(grace)


@dataclass(frozen=True, slots=True)
class _Ground:
    """What every room stands on."""

    settings: Settings
    access_url: str
    app: FastAPI
    database: Database
    pubsub: Pubsub
    relay: network.Relay


def build(settings: Settings, *, dsn: str, access_url: str) -> House:
    """Build a replica on the migrated database at ``dsn``, reached by clients at ``access_url``."""
    database = Database(
        dsn, max_open=settings.database.max_open, min_open=settings.database.max_idle or 1
    )
    ground = _Ground(
        settings=settings,
        access_url=access_url,
        app=_app(settings, database),
        database=database,
        pubsub=Pubsub(dsn),
        relay=network.Relay(
            database,
            network.Place(host=settings.networking.cluster_host, hostname=socket.gethostname()),
        ),
    )
    provide(ground.app, Pubsub, ground.pubsub)
    _chat_routes(ground.app)
    metrics = web.Metrics()
    metrics.registry.register(network.RelayCollector(ground.relay))
    linker = _identity(ground)
    daemons = _provisioning(ground, linker)
    board = _agents(ground)
    metrics.registry.register(agents.BoundaryCollector(board.boundaries))
    office = _chats(ground, board, linker)
    office.register(metrics.registry)
    web.install(ground.app, web.Deployment(settings, access_url), database)
    workers = Workers()
    workers.add("facts", ground.pubsub.run)
    workers.add("relay", ground.relay.run)
    workers.add("provisioner daemons", daemons.run)
    workers.add("agents", agents.Monitor(board).run)
    for name, loop in office.loops().items():
        workers.add(name, loop)
    return House(
        app=ground.app,
        asgi=Guard(ground.app, metrics.observe, hosts=[urlsplit(access_url).netloc]),
        database=database,
        pubsub=ground.pubsub,
        workers=workers,
        relay=ground.relay,
        metrics=metrics,
        daemons=daemons,
    )


def _app(settings: Settings, database: Database) -> FastAPI:
    """Return an app that knows limits, errors and proxies, but no room yet."""
    app = FastAPI(
        title="Coder API",
        version=version(),
        # The room `web` shows the schema, when it may be seen at all.
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
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


def _identity(ground: _Ground) -> identity.Linker:
    app, settings, database = ground.app, ground.settings, ground.database
    sessions = settings.sessions
    options = identity.IdentityOptions(
        session_duration=sessions.duration,
        max_token_lifetime=sessions.max_token_lifetime,
        max_admin_token_lifetime=sessions.max_admin_token_lifetime,
        default_token_lifetime=sessions.default_token_lifetime,
        disable_expiry_refresh=sessions.disable_expiry_refresh,
        disable_password_auth=sessions.disable_password_auth,
        secure_cookie=settings.networking.secure_auth_cookie
        or ground.access_url.startswith("https:"),
        samesite="none" if settings.networking.samesite_auth_cookie == "none" else "lax",
        host_prefix_cookie=settings.networking.host_prefix_cookie,
        ssh_keygen_algorithm=identity.KeygenAlgorithm(settings.provisioning.ssh_keygen_algorithm),
        disable_owner_workspace_access=settings.client.disable_owner_workspace_access,
        terms_of_service_url=sessions.terms_of_service_url,
    )
    provide(app, identity.IdentityOptions, options)
    provide(app, Authenticator, identity.SessionAuthenticator(database, options))
    app.include_router(identity.routes)
    # Accounts of other services: whoever acts for a user asks here for a token.
    services = identity.Services(ground.access_url)
    linker = identity.Linker(
        database, Sealer(settings.sealing.keys), services, settings.external_auth.providers
    )
    provide(app, identity.Linker, linker)
    return linker


def _provisioning(ground: _Ground, linker: identity.Linker) -> provisioning.Daemons:
    """Add templates, workspaces and the queue that builds both; return who works it off."""
    settings = ground.settings
    options = terraform.Options(
        cache_dir=settings.cache_dir,
        binary=settings.provisioning.terraform_binary,
        provider=settings.provisioning.coder_provider,
        modules_dir=settings.provisioning.terraform_modules_dir,
        force_cancel_interval=settings.provisioning.force_cancel_interval,
    )
    driver = terraform.InstalledTerraform(options)
    if settings.provisioning.daemons and (missing := driver.missing()):
        # Said at the start: the first template would be late to hear it.
        log.warning("templates and workspaces cannot be built yet", reason=missing)
    builds = workspaces.BuildOptions(
        ground.access_url,
        agents.init_scripts,
        settings.sessions.max_token_lifetime,
        linker.tokens,
    )
    registry = provisioning.Registry(
        {
            provisioning.JobType.TEMPLATE_VERSION_IMPORT: templates.ImportKind(ground.access_url),
            provisioning.JobType.TEMPLATE_VERSION_DRY_RUN: templates.DryRunKind(),
            provisioning.JobType.WORKSPACE_BUILD: workspaces.BuildKind(builds),
        }
    )
    rules = workspaces.WorkspaceRules(
        allow_renames=settings.client.allow_workspace_renames,
        access_url=ground.access_url,
        terraform_debug=settings.provisioning.terraform_debug_mode,
    )
    provide(ground.app, workspaces.WorkspaceRules, rules)
    # A server without daemons of its own leaves all of Terraform to other machines, forms too.
    evaluator = terraform.InstalledEvaluator(options) if settings.provisioning.daemons else None
    desk = templates.FormDesk(ground.database, evaluator, ground.access_url)
    provide(ground.app, templates.FormDesk, desk)
    for router in (provisioning.routes, templates.routes, workspaces.routes):
        ground.app.include_router(router)
    hall = provisioning.Hall(
        provisioning.Desk(ground.database, ground.pubsub, registry),
        replica_id=ground.relay.id,
        psk=settings.provisioning.daemon_psk,
        force_cancel=settings.provisioning.force_cancel_interval,
    )
    provide(ground.app, provisioning.Hall, hall)
    means = provisioning.Means(
        db=ground.database, pubsub=ground.pubsub, registry=registry, terraform=driver
    )
    return provisioning.Daemons(
        means,
        provisioning.DaemonOptions(
            cache_dir=settings.cache_dir,
            hostname=socket.gethostname(),
            count=settings.provisioning.daemons,
            reap_seconds=max(settings.provisioning.hang_detector_interval.total_seconds(), 1.0),
            force_cancel=settings.provisioning.force_cancel_interval,
            replica_id=ground.relay.id,
        ),
    )


def _agents(ground: _Ground) -> agents.Switchboard:
    board = agents.Switchboard(
        ground.database,
        ground.pubsub,
        ground.relay,
        agents.Options(
            access_url=ground.access_url,
            hostname_suffix=ground.settings.client.workspace_hostname_suffix,
            wildcard_host=ground.settings.networking.wildcard_access_url,
            stats_interval=ground.settings.provisioning.agent_stats_refresh_interval,
        ),
        branch_seen=chats.Branches(ground.database),
    )
    provide(ground.app, agents.Switchboard, board)
    anchors = ground.settings.provisioning.instance_identity_dir
    provide(ground.app, agents.AnchorShelf, agents.AnchorShelf(anchors))
    ground.app.include_router(agents.routes)
    return board


def _chat_routes(app: FastAPI) -> None:
    """Add chats and models at both bases, before all others: nothing is asked as often."""
    for base in chats.BASES:
        app.include_router(chats.talk, prefix=base)
        # Before what follows: their names are no id of a chat.
        app.include_router(models.routes, prefix=f"{base}/chats")
        app.include_router(chats.routes, prefix=base)


def _chats(ground: _Ground, board: agents.Switchboard, linker: identity.Linker) -> chats.Office:
    """Add models and chats at both of their bases; return what runs for them."""
    app, database, settings = ground.app, ground.database, ground.settings.chats
    sealer = Sealer(ground.settings.sealing.keys)
    silence = settings.stream_silence_timeout.total_seconds()
    clients = Clients(database.clock, CallLimits(silence_seconds=silence))
    desk = services(app)[templates.FormDesk]
    means = tools.Means(database, ground.pubsub, agents.Dialer(board), desk)
    rules = chats.ChatRules(
        settings.max_queued_messages, settings.max_attachments, settings.max_prompt_bytes
    )
    office = chats.Office(
        chats.Ground(
            chats.Pantry(
                database,
                means,
                clients,
                sealer,
                rules=rules,
                max_steps=settings.max_steps_per_turn,
                max_calls=settings.max_generation_retries,
            ),
            ground.pubsub,
            ground.relay,
            chats.LinkedAccounts(linker),
            chats.CrewOptions(settings.acquire_batch_size, settings.concurrent_turns),
        )
    )
    provide(app, Sealer, sealer)
    provide(app, chats.ChatRules, rules)
    provide(app, chats.Feeds, office.feeds)
    provide(app, chats.Watches, office.watches)
    provide(app, chats.Titles, office.titles)
    provide(app, chats.Diffs, office.diffs)
    app.include_router(chats.agent_routes)
    return office
