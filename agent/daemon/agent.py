"""The agent as a whole: its rooms, its life from the first connection to the last word."""

import asyncio
import logging
import os
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Final
from uuid import UUID

from agent.daemon.api import Api
from agent.daemon.dock import Dock
from agent.daemon.secrets import write_secret_files
from agent.daemon.settings import Settings
from agent.daemon.terminals import prepare
from agent.daemon.vitals import Vitals
from agent.daemon.watchers import Banners, Stats
from agent.kit.child import Children, within
from agent.kit.paths import home
from agent.network import Dialer
from agent.processes import Environment
from agent.pty import PtyOptions, Terminals
from agent.scripts import Crontab, Directories, Runner, Verdict
from agent.socket import BoundaryProxy, Socket
from agent.ssh import PLACE, SshDoor, SshOptions, host_key
from agent.upstream import (
    NOBODY,
    CallFailed,
    Life,
    Line,
    LogSender,
    Outbox,
    Streams,
    until_claimed,
)
from coder_cli.kit.build import version
from coder_cli.kit.clock import Clock
from coder_cli.sdk.agentapi import (
    AppStatus,
    Empty,
    Json,
    LifecycleState,
    Manifest,
    Method,
    Port,
    ScriptStage,
    Startup,
)
from coder_cli.sdk.agentapi.boundary import BoundaryLogs

LAST_WORDS_WITHIN: Final = 5.0
"""How long the end may wait for the server to take the final state and the logs."""
_STARTED: Final[Mapping[Verdict, LifecycleState]] = {
    Verdict.OK: LifecycleState.READY,
    Verdict.ERROR: LifecycleState.START_ERROR,
    Verdict.TIMEOUT: LifecycleState.START_TIMEOUT,
}
_STOPPED: Final[Mapping[Verdict, LifecycleState]] = {
    Verdict.OK: LifecycleState.OFF,
    Verdict.ERROR: LifecycleState.SHUTDOWN_ERROR,
    Verdict.TIMEOUT: LifecycleState.SHUTDOWN_TIMEOUT,
}
log = logging.getLogger("agent")


class Agent:
    """One workspace agent. ``run`` it once; ``stop`` ends it in good order."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._stopping = asyncio.Event()
        self._introduced = asyncio.Event()
        self._started = asyncio.Event()
        self.claimed = False
        """The workspace is somebody's now: its agent is to begin anew when this one has ended."""
        at_home = Path(home(settings.env))
        directories = Directories.prepare(settings.script_data_dir, settings.log_dir, at_home)
        self.children = Children(clock)
        shown = settings.tokens.environment()
        self.environment = Environment(
            settings.env,
            shown.get("CODER_AGENT_TOKEN", ""),
            settings.executable,
            directories.bin,
            auth=shown.get("CODER_AGENT_AUTH", ""),
        )
        self._dialer = dialer = Dialer(settings.url, settings.tokens, settings.headers)
        self._line = Line(
            dialer.control,
            clock,
            handlers={Method.OPEN: self._open, Method.PING: self._pong},
            greet=self._introduce,
        )
        self._life = Life()
        self._lifecycle = Outbox(self._line, Method.LIFECYCLE)
        self._timings = Outbox(self._line, Method.SCRIPT_COMPLETED)
        self._connections = Outbox(self._line, Method.CONNECTION)
        self._logs = LogSender(self._line, clock)
        self._banners = Banners(self._line, clock)
        self._key = host_key(at_home / PLACE)
        self._ssh = SshDoor(self._ssh_options())
        services = dict.fromkeys((int(Port.SSH), int(Port.SSH_STANDARD)), self._ssh.serve)
        self._boundaries = BoundaryProxy(settings.boundary_paths, self._line, self._tell_accesses)
        self._api = Api(settings, self.environment, self.children, clock)
        self._dock = Dock(settings, self.environment, self.children, self._line, clock)
        self._api.mount([self._boundaries, self._dock])
        self._terminals = Terminals(self._pty_options())
        services[int(Port.RECONNECTING_PTY)] = self._terminals.serve
        services[int(Port.HTTP_API)] = self._api.serve
        self._streams = Streams(dialer, services)
        self._stats = Stats(self._line, clock, self._streams, self._ssh, self._terminals)
        self._socket = Socket(settings.socket_paths, clock, self._tell_status)
        self._vitals = Vitals(self._line, clock, self.environment, self.children)
        self._runner = Runner(
            self.environment,
            self.children,
            directories,
            clock,
            self._logs,
            self._timings.post,
        )
        self._crontab = Crontab(self._runner, clock)

    def stop(self) -> None:
        """Begin the ordered end; ``run`` returns when it is done."""
        self._stopping.set()

    async def run(self) -> None:
        """Live until ``stop``."""
        await self._socket.open()
        self.environment.socket_path = self._socket.path
        self._boundaries.open()
        self.environment.boundary_path = self._boundaries.path
        async with asyncio.TaskGroup() as group:
            # What reports stays until the last word; what serves ends with the shutdown.
            reporting = [
                group.create_task(run())
                for run in (
                    self._line.run,
                    self._lifecycle.run,
                    self._timings.run,
                    self._connections.run,
                    self._logs.run,
                    self._boundaries.run,
                )
            ]
            serving = [
                group.create_task(run())
                for run in (
                    self._banners.run,
                    self._dock.run,
                    self._stats.run,
                    self._vitals.run,
                    self._keep_times,
                    self._hear_of_claim,
                )
            ]
            group.create_task(self._ssh.run())
            group.create_task(self._terminals.run())
            group.create_task(self._streams.run())
            group.create_task(self._api.run())
            living = group.create_task(self._live())
            await self._stopping.wait()
            await self._end(serving)
            for task in (living, *reporting):
                task.cancel()
            await self.children.end_all()
            self._api.close()

    async def _live(self) -> None:
        await self._introduced.wait()
        self._enter(LifecycleState.STARTING)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._ssh.warm())
            verdict = await self._run_scripts(ScriptStage.START)
            self._enter(_STARTED[verdict])
            self._started.set()
            self._dock.start()

    async def _keep_times(self) -> None:
        await self._started.wait()
        await self._crontab.run(self._manifest.scripts)

    async def _hear_of_claim(self) -> None:
        await self._introduced.wait()
        if self._manifest.owner_username == NOBODY:
            await until_claimed(self._dialer.reinit, self._clock)
            self._begin_anew()

    def _begin_anew(self) -> None:
        if self._stopping.is_set():
            return  # Whoever told us to stop means to stop.
        log.info("the workspace was claimed; the agent begins anew")
        self.claimed = True
        self._stopping.set()

    async def _end(self, serving: "list[asyncio.Task[None]]") -> None:
        log.info("shutting down")
        self._enter(LifecycleState.SHUTTING_DOWN)
        self._lifecycle.say_once()
        self._line.hurry()
        await self._terminals.close()
        await self._ssh.close()
        self._streams.close()
        for task in serving:
            task.cancel()
        verdict = Verdict.OK
        if self._introduced.is_set():
            verdict = await self._run_scripts(ScriptStage.STOP)
        await self._socket.close()
        self._enter(_STOPPED[verdict])
        if not await within(self._flush(), LAST_WORDS_WITHIN, self._clock):
            log.warning("the server did not take the last reports in time")
        await self._line.close()

    async def _flush(self) -> None:
        outboxes = (self._lifecycle, self._timings, self._connections)
        await asyncio.gather(self._logs.flush(), *(each.flushed() for each in outboxes))

    def _enter(self, state: LifecycleState) -> None:
        report = self._life.enter(state, self._clock.now())
        # The server knows the claimed workspace's agent as a new one, whose life is only to begin.
        if report and not self.claimed:
            log.info("lifecycle: %s", state)
            self._lifecycle.post(report)

    async def _run_scripts(self, stage: ScriptStage) -> Verdict:
        manifest = self._manifest
        starting = stage is ScriptStage.START
        wanted = [
            script
            for script in manifest.scripts
            if (script.run_on_start if starting else script.run_on_stop)
        ]
        return await self._runner.run(wanted, stage)

    async def _introduce(self) -> None:
        """Learn who we are and say who we are, each time that the line came up."""
        manifest = await self._line.call(Method.MANIFEST, Empty(), Manifest)
        if manifest.agent_id == UUID(int=0):
            raise CallFailed("the manifest names no agent")
        before = self.environment.manifest
        if before and before.owner_username == NOBODY != manifest.owner_username:
            self._begin_anew()
        if self.claimed:
            return  # What still runs is the old owner's, until its end.
        self.environment.manifest = manifest
        write_secret_files(manifest.secrets, self.environment)
        startup = Startup(
            version(),
            self.environment.expanded_directory(),
            self._settings.subsystems,
            self._key.public,
        )
        await self._line.call(Method.STARTUP, startup, Empty)
        if before and before.agent_id != manifest.agent_id and not self._stopping.is_set():
            # A build went by that kept us: its row of us knows nothing of our life.
            for report in self._life.history:
                self._lifecycle.post(report)
        self._vitals.know(manifest)
        self._dock.know(manifest)
        self._introduced.set()

    @property
    def _manifest(self) -> Manifest:
        manifest = self.environment.manifest
        assert manifest is not None
        return manifest

    async def _tell_accesses(self, batch: BoundaryLogs) -> None:
        await self._line.call(Method.BOUNDARY_LOGS, batch, Empty)

    async def _tell_status(self, status: AppStatus) -> None:
        await self._line.call(Method.APP_STATUS, status, Empty)

    async def _open(self, params: Mapping[str, Json]) -> object:
        return await self._streams.open(params)

    async def _pong(self, _: Mapping[str, Json]) -> object:
        return Empty()

    def _pty_options(self) -> PtyOptions:
        temporary = self._settings.env.get("TMPDIR") or "/tmp"  # noqa: S108 - made private there
        return PtyOptions(
            partial(prepare, self.environment),
            self.children,
            self._clock,
            self._connections.post,
            Path(temporary, f"coder-screen-{os.getuid()}"),
        )

    def _ssh_options(self) -> SshOptions:
        return SshOptions(
            self.environment,
            self.children,
            self._clock,
            self._key,
            report=self._connections.post,
            banners=lambda: self._banners.now,
            idle_limit=self._settings.ssh_max_timeout,
            block_file_transfer=self._settings.block_file_transfer,
        )
