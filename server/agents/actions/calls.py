"""What an agent may ask and tell over its line: one function for each method."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import structlog

from coder_cli.kit.addresses import plain_address
from coder_cli.sdk import agentapi as api
from coder_cli.sdk.agentapi.boundary import BoundaryLogs
from coder_cli.sdk.agentapi.subagents import CreateSubAgent, DeleteSubAgent
from coder_cli.sdk.agents import AgentSubsystem
from server.agents import convert
from server.agents.actions import boundary, logs, subagents
from server.agents.actions.caller import Caller
from server.agents.errors import UnknownAgent, UnknownApp
from server.agents.events import MetadataChanged
from server.agents.model import (
    DATAPOINTS,
    Line,
    Watched,
    advance,
    clip,
    configuration,
    host_key,
    judge,
    monitors,
)
from server.agents.store import monitors as monitors_store
from server.agents.store import reports as store
from server.provisioning import agents as agents_as_clients_see
from server.workspaces import use as use_workspace

log = structlog.get_logger()

P = TypeVar("P")
MAX_METADATA_KEYS = 6144
"""Bytes of all keys in one report."""
MAX_STATUS_MESSAGE = 160
MAX_URI = 2048


async def manifest(caller: Caller, _params: api.Empty) -> api.Manifest:
    """Tell an agent all about itself."""
    agent_id = caller.identity.agent_id
    async with caller.board.database.tx(caller.board.actor) as tx:
        own = await store.own(tx, agent_id)
        views = await agents_as_clients_see(tx, [agent_id])
    if own is None or not views:
        raise UnknownAgent
    host = caller.board.options.wildcard_host
    return convert.manifest(caller.identity, own, views[0], host)


async def startup(caller: Caller, params: api.Startup) -> api.Empty:
    """Keep who the agent is."""
    known = [name for name in params.subsystems if name in set(AgentSubsystem)]
    started = store.Started(
        version=clip(params.version),
        directory=clip(params.expanded_directory, 4096),
        subsystems=sorted(set(known)),
        host_key=host_key(params.host_key),
    )
    async with caller.board.database.tx(caller.board.actor) as tx:
        await store.startup(tx, caller.identity.agent_id, started)
        await caller.tell(tx)
    return api.Empty()


async def lifecycle(caller: Caller, params: api.Lifecycle) -> api.Empty:
    """Keep how far the agent's life went."""
    agent_id = caller.identity.agent_id
    async with caller.board.database.tx(caller.board.actor) as tx:
        life = await store.lock_life(tx, agent_id)
        later = life and advance(life, params.state, params.changed_at)
        if later is not None:
            await store.live(tx, agent_id, later)
            await caller.tell(tx)
    return api.Empty()


async def write_logs(caller: Caller, params: api.Logs) -> api.LogsStored:
    """Keep lines of a log."""
    lines = [Line(line.created_at, line.level.value, line.output) for line in params.logs]
    async with caller.board.database.tx(caller.board.actor) as tx:
        fitted = await logs.write(tx, caller.identity.agent_id, params.log_source_id, lines)
    return api.LogsStored(log_limit_exceeded=not fitted)


async def script_completed(caller: Caller, params: api.ScriptTiming) -> api.Empty:
    """Keep how a run of a script went."""
    async with caller.board.database.tx(caller.board.actor) as tx:
        await store.script_timing(tx, caller.identity.agent_id, params)
    return api.Empty()


async def connection(caller: Caller, params: api.ConnectionReport) -> api.Empty:
    """Keep who comes to the workspace and goes."""
    identity = caller.identity
    if plain_address(params.ip) is None:
        log.error("address of a connection cannot be read", ip=clip(params.ip, 100))
    async with caller.board.database.tx(caller.board.actor) as tx:
        await store.connection(tx, identity.agent_id, identity.workspace_id, params)
    return api.Empty()


async def stats(caller: Caller, params: api.Stats) -> api.StatsTaken:
    """Take an agent's figures; whoever has a session open uses the workspace."""
    sessions = (
        params.session_count_ssh
        + params.session_count_vscode
        + params.session_count_jetbrains
        + params.session_count_reconnecting_pty
    )
    if sessions > 0:
        async with caller.board.database.tx(caller.board.actor) as tx:
            await use_workspace(tx, caller.identity.workspace_id)
    interval = caller.board.options.stats_interval
    return api.StatsTaken(report_interval_ms=round(interval.total_seconds() * 1000))


async def metadata(caller: Caller, params: api.MetadataUpdate) -> api.Empty:
    """Keep what the agent collected."""
    if sum(len(item.key.encode()) for item in params.metadata) > MAX_METADATA_KEYS:
        raise api.BadShape(f"keys of metadata are more than {MAX_METADATA_KEYS} bytes")
    agent_id = caller.identity.agent_id
    async with caller.board.database.tx(caller.board.actor) as tx:
        if await store.metadata(tx, agent_id, params.metadata):
            await tx.announce(MetadataChanged(agent_id=agent_id))
    return api.Empty()


async def app_healths(caller: Caller, params: api.AppHealths) -> api.Empty:
    """Keep how the agent's apps are."""
    async with caller.board.database.tx(caller.board.actor) as tx:
        if await store.healths(tx, caller.identity.agent_id, params.updates):
            await caller.tell(tx)
    return api.Empty()


async def app_status(caller: Caller, params: api.AppStatus) -> api.Empty:
    """Keep what an app of the agent is doing.

    Raises:
        UnknownApp: the agent has no such app.
    """
    status = store.AppStatus(
        slug=params.app_slug,
        state=params.state.value,
        message=clip(params.message, MAX_STATUS_MESSAGE),
        uri=clip(params.uri, MAX_URI),
    )
    identity = caller.identity
    async with caller.board.database.tx(caller.board.actor) as tx:
        known, new = await store.app_status(tx, identity.agent_id, identity.workspace_id, status)
        if new:
            await caller.tell(tx)
    if not known:
        raise UnknownApp(params.app_slug)
    return api.Empty()


async def monitoring(caller: Caller, _params: api.Empty) -> api.Monitoring:
    """Tell what is to be measured."""
    async with caller.board.database.tx(caller.board.actor) as tx:
        return configuration(await monitors_store.wanted(tx, caller.identity.agent_id))


async def usage(caller: Caller, params: api.Usage) -> api.Empty:
    """Keep whether memory and volumes run full.

    Raises:
        BadShape: there are more measurements than were asked for.
    """
    if len(params.datapoints) > DATAPOINTS:
        raise api.BadShape(f"more than {DATAPOINTS} datapoints")
    agent_id = caller.identity.agent_id
    async with caller.board.database.tx(caller.board.actor) as tx:
        watched = monitors(await monitors_store.wanted(tx, agent_id))
        before = await monitors_store.states(tx, agent_id)
        moves = [
            moved
            for one in watched
            if (
                moved := judge(
                    one, before.get((one.kind, one.path), Watched()), params.datapoints, tx.now
                )
            )
        ]
        await monitors_store.move(tx, agent_id, moves)
    return api.Empty()


async def banners(caller: Caller, _params: api.Empty) -> api.Banners:
    """Tell the deployment's announcements."""
    async with caller.board.database.tx(caller.board.actor) as tx:
        return convert.banners(await store.banners(tx))


async def ping(_caller: Caller, _params: api.Empty) -> api.Empty:
    """Say that we are here."""
    return api.Empty()


@dataclass(frozen=True, slots=True)
class _Call(Generic[P]):
    shape: type[P]
    function: Callable[[Caller, P], Awaitable[object]]

    async def __call__(self, caller: Caller, params: Mapping[str, Any]) -> object:
        return await self.function(caller, api.from_json(self.shape, params))


async def _forgiving_logs(caller: Caller, params: Mapping[str, Any]) -> object:
    shape = api.from_json(api.Logs, convert.forgiving(dict(params)))
    return await write_logs(caller, shape)


CALLS: Mapping[str, Callable[[Caller, Mapping[str, Any]], Awaitable[object]]] = {
    api.Method.MANIFEST: _Call(api.Empty, manifest),
    api.Method.STARTUP: _Call(api.Startup, startup),
    api.Method.LIFECYCLE: _Call(api.Lifecycle, lifecycle),
    api.Method.LOGS: _forgiving_logs,
    api.Method.SCRIPT_COMPLETED: _Call(api.ScriptTiming, script_completed),
    api.Method.CONNECTION: _Call(api.ConnectionReport, connection),
    api.Method.STATS: _Call(api.Stats, stats),
    api.Method.METADATA: _Call(api.MetadataUpdate, metadata),
    api.Method.APP_HEALTHS: _Call(api.AppHealths, app_healths),
    api.Method.APP_STATUS: _Call(api.AppStatus, app_status),
    api.Method.BANNERS: _Call(api.Empty, banners),
    api.Method.MONITORING: _Call(api.Empty, monitoring),
    api.Method.USAGE: _Call(api.Usage, usage),
    api.Method.BOUNDARY_LOGS: _Call(BoundaryLogs, boundary.report),
    api.Method.CREATE_SUB_AGENT: _Call(CreateSubAgent, subagents.create),
    api.Method.DELETE_SUB_AGENT: _Call(DeleteSubAgent, subagents.delete),
    api.Method.LIST_SUB_AGENTS: _Call(api.Empty, subagents.listed),
    api.Method.PING: _Call(api.Empty, ping),
}


async def answer(caller: Caller, request: api.Request) -> api.Json:
    """Do what an agent asks; return the result as JSON.

    Raises:
        BadShape: the params do not fit.
        UnknownMethod: there is no such method.
    """
    call = CALLS.get(request.method)
    if call is None:
        raise UnknownMethod(request.method)
    return api.to_json(await call(caller, request.params))


class UnknownMethod(Exception):
    """An agent asked for something that we do not have."""
