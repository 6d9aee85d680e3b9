"""HTTP edges of the deployment itself: facts, configuration, health, pages and binaries."""

from typing import Annotated
from uuid import UUID

import structlog
from fastapi import APIRouter, Depends, FastAPI, Header, Query, Request, WebSocket
from pydantic import JsonValue
from starlette.responses import FileResponse, HTMLResponse, PlainTextResponse, Response
from starlette.websockets import WebSocketDisconnect

from coder_cli.kit.build import version
from coder_cli.sdk import deployment as sdk
from coder_cli.sdk.common import Response as Message
from server.kit.authz import Action, Actor, Kind, Object
from server.kit.db import Database
from server.kit.errors import NotFound
from server.kit.routing import (
    Db,
    Me,
    current_actor,
    provide,
    provided,
    public,
    session_token,
)
from server.settings import Settings, deployment_config
from server.web import convert, pages, store
from server.web.binaries import Binaries, Binary
from server.web.deployment import Deployment
from server.web.health import Health

log = structlog.get_logger()
PUBLIC = [Depends(public)]
ANYBODY = [Depends(current_actor)]
_NOBODY = Actor(id=None, label="public")

api = APIRouter(prefix="/api/v2", tags=["Deployment"])
outside = APIRouter(include_in_schema=False, dependencies=PUBLIC)

This = Annotated[Deployment, Depends(provided(Deployment))]
Fitness = Annotated[Health, Depends(provided(Health))]
Files = Annotated[Binaries, Depends(provided(Binaries))]


@api.get("/", dependencies=PUBLIC)
async def get_root() -> Message:
    """Say hello."""
    return Message(message="👋")


@api.get("/buildinfo", dependencies=PUBLIC)
async def get_build_info(this: This, db: Db) -> sdk.BuildInfo:
    """Return the versions of this server."""
    return await this.build_info(db, _NOBODY)


@api.get("/updatecheck", dependencies=PUBLIC)
async def get_update_check() -> sdk.UpdateCheckResponse:
    """Return the newest release that this server knows: its own, for it asks nobody."""
    return sdk.UpdateCheckResponse(current=True, version=version(), url="")


@api.post("/csp/reports", dependencies=PUBLIC)
async def post_csp_report(request: Request) -> str:
    """Log what a browser refused to load."""
    body = await request.body()
    log.warning("a browser refused to load something", report=body[:2000].decode(errors="replace"))
    return "ok"


@api.get("/deployment/config")
async def get_config(this: This, me: Me) -> sdk.DeploymentConfig:
    """Return every setting and its source; secrets are blank."""
    me.require(Action.READ, Object(Kind.DEPLOYMENT_CONFIG))
    return sdk.DeploymentConfig.model_validate(deployment_config(this.settings))


@api.get("/deployment/ssh", dependencies=ANYBODY)
async def get_ssh(this: This) -> sdk.SSHConfigResponse:
    """Return what ``coder config-ssh`` writes for everyone."""
    client = this.settings.client
    return sdk.SSHConfigResponse(
        hostname_prefix=client.ssh_hostname_prefix,
        hostname_suffix=client.workspace_hostname_suffix,
        ssh_config_options=client.ssh_config_options,
    )


@api.get("/deployment/stats")
async def get_stats(db: Db, me: Me) -> sdk.DeploymentStats:
    """Count workspaces and the connections to them."""
    me.require(Action.READ, Object(Kind.DEPLOYMENT_STATS))
    async with db.tx(me) as tx:
        counted, sessions = await store.workspaces(tx), await store.sessions(tx)
    return convert.stats(counted, sessions, db.clock.now())


@api.get("/experiments", dependencies=ANYBODY)
async def get_experiments(this: This) -> list[str]:
    """Return the experiments that are switched on."""
    return [name for name in this.settings.server.experiments if name != "*"]


@api.get("/experiments/available", dependencies=ANYBODY)
async def get_available_experiments() -> sdk.AvailableExperiments:
    """Return the experiments that could be switched on."""
    return sdk.AvailableExperiments()


@api.get("/regions")
async def get_regions(this: This, db: Db, me: Me) -> sdk.RegionsResponse:
    """Return where workspaces can be reached: here."""
    info = await this.build_info(db, me)
    region = sdk.Region(
        id=UUID(info.deployment_id),
        name="primary",
        display_name="Default",
        path_app_url=this.access_url,
        wildcard_hostname=this.settings.networking.wildcard_access_url,
    )
    return sdk.RegionsResponse(regions=[region])


@api.get("/applications/host", dependencies=ANYBODY)
async def get_app_host(this: This) -> sdk.AppHostResponse:
    """Return the wildcard host of workspace applications."""
    return sdk.AppHostResponse(host=this.settings.networking.wildcard_access_url)


@api.get("/appearance", dependencies=ANYBODY)
async def get_appearance(this: This) -> sdk.AppearanceConfig:
    """Return how pages present themselves."""
    links = [sdk.LinkConfig(**link._asdict()) for link in this.settings.client.support_links]
    return sdk.AppearanceConfig(docs_url=this.settings.networking.docs_url, support_links=links)


@api.get("/debug/health")
async def get_health(
    request: Request,
    health: Fitness,
    me: Me,
    force: Annotated[bool, Query()] = False,  # noqa: FBT002
) -> sdk.HealthcheckReport:
    """Return how each part of the deployment fares."""
    me.require(Action.READ, Object(Kind.DEBUG_INFO))
    return await health.report(me, session_token(request), force=force)


@api.get("/debug/health/settings")
async def get_health_settings(db: Db, me: Me) -> sdk.HealthSettings:
    """Return the sections of the health report that were dismissed."""
    me.require(Action.READ, Object(Kind.DEPLOYMENT_CONFIG))
    async with db.tx(me) as tx:
        return sdk.HealthSettings.model_validate(
            {"dismissed_healthchecks": await store.dismissed(tx)}
        )


@api.put("/debug/health/settings", response_model=sdk.HealthSettings)
async def put_health_settings(
    body: sdk.HealthSettings, db: Db, me: Me
) -> sdk.HealthSettings | Response:
    """Dismiss sections of the health report; 204 when nothing changes."""
    me.require(Action.UPDATE, Object(Kind.DEPLOYMENT_CONFIG))
    wanted = list(dict.fromkeys(section.value for section in body.dismissed_healthchecks))
    async with db.tx(me) as tx:
        if sorted(await store.dismissed(tx)) == sorted(wanted):
            return Response(status_code=204)
        await store.dismiss(tx, wanted)
    return body


@api.websocket("/debug/ws")
async def get_echo(websocket: WebSocket, me: Me) -> None:
    """Return each message, so that a health check sees WebSockets work."""
    me.require(Action.READ, Object(Kind.DEBUG_INFO))
    await websocket.accept()
    try:
        async for text in websocket.iter_text():
            await websocket.send_text(text)
    except WebSocketDisconnect:
        return


@outside.get("/healthz")
async def get_healthz() -> PlainTextResponse:
    """Say that the process serves."""
    return PlainTextResponse("OK")


@outside.get("/latency-check")
async def get_latency_check() -> PlainTextResponse:
    """Answer at once, for a client that measures its way here."""
    headers = {
        "Access-Control-Allow-Origin": "*",
        "Access-Control-Allow-Headers": "*",
        "Timing-Allow-Origin": "*",
        "Cache-Control": "no-cache",
    }
    return PlainTextResponse("OK", headers=headers)


@outside.get("/swagger", response_model=None)
async def get_swagger(request: Request, this: This) -> HTMLResponse:
    """Show the API's documentation, where it is switched on."""
    require_swagger(this.settings)
    return pages.answer(pages.routes(request.app.openapi()), this.settings)


@outside.get("/swagger/doc.json")
async def get_swagger_document(request: Request, this: This) -> dict[str, JsonValue]:
    """Return the API's description, where it is switched on."""
    require_swagger(this.settings)
    return request.app.openapi()


def require_swagger(settings: Settings) -> None:
    """Refuse the documentation unless ``--swagger-enable`` is on.

    Raises:
        NotFound: it is off.
    """
    if not settings.server.swagger_enable:
        raise NotFound("Swagger documentation is disabled.")


@outside.api_route("/bin/{name}", methods=["GET", "HEAD"], response_model=None)
async def get_binary(
    name: str, files: Files, if_none_match: Annotated[str, Header()] = ""
) -> Response:
    """Return the program that runs a workspace's agent."""
    return answer_binary(await files.find(name), name, if_none_match)


def answer_binary(binary: Binary, name: str, if_none_match: str) -> Response:
    """Return the binary, or 304 when the caller has it."""
    known = {tag.strip().removeprefix("W/").strip('"') for tag in if_none_match.split(",")}
    headers = {"ETag": f'"{binary.etag}"', "Cache-Control": "no-cache"}
    if binary.etag in known or "*" in known:
        return Response(status_code=304, headers=headers)
    kind = "application/octet-stream"
    headers["Content-Disposition"] = f'attachment; filename="{name}"'
    if binary.path is not None:
        return FileResponse(binary.path, headers=headers, media_type=kind)
    return Response(binary.text, headers=headers, media_type=kind)


@outside.get("/", response_model=None)
async def get_page(this: This) -> HTMLResponse:
    """Show what this is and how to begin."""
    return pages.answer(pages.landing(this), this.settings)


@outside.get("/install.sh", response_model=None)
async def get_installer(this: This) -> Response:
    """Return the script that ``coder users create`` tells new people to run."""
    return pages.installer(this)


@outside.get("/cli-auth", response_model=None)
@outside.get("/login", response_model=None)
async def get_cli_auth(this: This) -> HTMLResponse:
    """Let somebody log in and copy a token for the terminal."""
    return pages.answer(pages.cli_auth(), this.settings)


@outside.get("/external-auth/{provider}", response_model=None)
async def get_external_auth(provider: str, this: This) -> HTMLResponse:
    """Let somebody link their account of another service."""
    return pages.answer(pages.external_auth(provider), this.settings)


@outside.get("/assets/{name}", response_model=None)
async def get_asset(name: str, this: This) -> Response:
    """Return a style sheet or script of the pages."""
    return pages.asset(name, this.settings)


routes = [api, outside]
"""The routers to include."""


def install(app: FastAPI, deployment: Deployment, database: Database) -> None:
    """Add the routes of this room and the services they use."""
    provide(app, Deployment, deployment)
    provide(app, Health, Health(deployment, database))
    provide(app, Binaries, Binaries(deployment.settings.cache_dir / "bin"))
    for router in routes:
        app.include_router(router)
