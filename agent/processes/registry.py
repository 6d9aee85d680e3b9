"""All processes that were started through the API, by chat; they outlive whoever asked for them."""

import asyncio
import logging
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Final
from uuid import UUID

from agent.kit.child import Children, Launch, within
from agent.kit.paths import expand_path
from agent.processes.environment import Environment, NoManifest
from agent.processes.errors import (
    NoSuchProcess,
    NotRunning,
    NotStarted,
    OtherInput,
    TooMany,
    WrongRequest,
)
from agent.processes.priority import Priority
from agent.processes.process import Running
from coder_cli.kit.clock import Clock
from coder_cli.sdk.agentapi.processes import ProcessSignal, StartProcess

MOST_RUNNING: Final = 256
MOST_ENDED: Final = 128
"""How many processes that have ended are remembered, the newest; each holds 32 KiB at most."""
MOST_LISTED: Final = 10
SHELL: Final = "/bin/sh"
_SIGNALS: Final[Mapping[ProcessSignal, signal.Signals]] = {
    ProcessSignal.KILL: signal.SIGKILL,
    ProcessSignal.TERMINATE: signal.SIGTERM,
}
log = logging.getLogger("agent.processes")


class Registry:
    """Starts, knows and ends processes. ``chat`` is None for whoever may see all of them."""

    def __init__(self, environment: Environment, children: Children, clock: Clock) -> None:
        self._environment = environment
        self._children = children
        self._clock = clock
        self._priority = Priority.of(environment.base)
        self._processes: dict[UUID, Running] = {}
        self._tokens: dict[tuple[UUID | None, str], UUID] = {}
        self._group = asyncio.TaskGroup()
        self._closing = asyncio.Event()
        self._attending: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Attend to processes until ``close``."""
        async with self._group:
            await self._closing.wait()
            for task in self._attending:
                task.cancel()

    def close(self) -> None:
        """Let go of all processes; whoever ends the agent ends them."""
        self._closing.set()

    def start(self, wanted: StartProcess, chat: UUID | None) -> Running:
        """Start a process, or return the one that was started for the same token before.

        Raises:
            WrongRequest: there is no command, or it cannot be one.
            OtherInput: the token belongs to another command.
            TooMany: too many are running.
            NotStarted: the system cannot start it.
        """
        if not wanted.command:
            raise WrongRequest("Command is required.")
        before = self._tokens.get((chat, wanted.client_token)) if wanted.client_token else None
        if before is not None:
            process = self._processes[before]
            if process.wanted != wanted:
                raise OtherInput
            return process
        if len(self._attending) >= MOST_RUNNING or self._closing.is_set():
            raise TooMany(MOST_RUNNING)
        process = self._launch(wanted, chat)
        self._processes[process.id] = process
        if wanted.client_token:
            self._tokens[chat, wanted.client_token] = process.id
        task = self._group.create_task(self._attend(process))
        self._attending.add(task)
        task.add_done_callback(self._attending.discard)
        return process

    def list(self, chat: UUID | None) -> list[Running]:
        """Return the newest processes of a chat, those that run before the others."""
        newest = sorted(self._of(chat), key=lambda one: one.started_at, reverse=True)
        newest.sort(key=lambda one: not one.running)
        return newest[:MOST_LISTED]

    def get(self, name: str, chat: UUID | None) -> Running:
        """Return a process.

        Raises:
            NoSuchProcess: there is none, or it is another chat's.
        """
        try:
            process = self._processes.get(UUID(name))
        except ValueError:
            process = None
        if process is None or chat not in (None, process.chat):
            raise NoSuchProcess(name)
        return process

    async def wait(self, process: Running, seconds: float) -> None:
        """Wait until it has ended, for at most ``seconds``."""
        await within(process.ended.wait(), seconds, self._clock)

    def signal(self, name: str, number: str, chat: UUID | None) -> None:
        """Send a signal to all of a process's group.

        Raises:
            WrongRequest: there is no such signal.
            NoSuchProcess: there is none, or it is another chat's.
            NotRunning: it has ended.
        """
        process = self.get(name, chat)
        if not number:
            raise WrongRequest("Signal is required.")
        if number not in set(ProcessSignal):
            raise WrongRequest(f'Unsupported signal "{number}". Use "kill" or "terminate".')
        if not process.running:
            raise NotRunning(name)
        process.signal(_SIGNALS[ProcessSignal(number)])

    async def end_all(self, chat: UUID) -> int:
        """End and forget all processes of a chat that is closed; return how many ran."""
        running = [process for process in self._of(chat) if process.running]
        await asyncio.gather(*(process.end(self._clock) for process in running))
        for process in self._of(chat):
            self._forget(process)
        return len(running)

    def _of(self, chat: UUID | None) -> "list[Running]":
        # The newest first, for those that started within one tick of the clock.
        known = reversed(self._processes.values())
        return [process for process in known if chat in (None, process.chat)]

    def _launch(self, wanted: StartProcess, chat: UUID | None) -> Running:
        process = Running(wanted, chat, self._clock.now())
        env, directory = self._surroundings()
        _check(wanted.env)
        cwd = expand_path(wanted.workdir, env, directory) if wanted.workdir else directory
        if not Path(cwd).is_dir():
            raise WrongRequest(f"The working directory {cwd} does not exist.")
        launch = Launch([SHELL, "-c", wanted.command], {**env, **wanted.env}, cwd)
        try:
            process.start(launch, self._children, self._priority)
        except (OSError, ValueError) as error:
            raise NotStarted(str(error)) from error
        return process

    def _surroundings(self) -> tuple[dict[str, str], str]:
        """Return environment and directory, as every session of the workspace has them."""
        try:
            return self._environment.build(), self._environment.directory()
        except NoManifest as error:
            log.warning("a process gets the agent's own environment: %s", error)
            return dict(self._environment.base), self._environment.home()

    async def _attend(self, process: Running) -> None:
        await process.attend(self._clock)
        ended = [one for one in self._processes.values() if not one.running]
        ended.sort(key=lambda one: one.ended_at or one.started_at)
        for one in ended[: max(len(ended) - MOST_ENDED, 0)]:
            self._forget(one)

    def _forget(self, process: Running) -> None:
        self._processes.pop(process.id, None)
        self._tokens.pop((process.chat, process.wanted.client_token), None)


def _check(env: Mapping[str, str]) -> None:
    for name, value in env.items():
        if not name or "=" in name or "\0" in name + value:
            raise WrongRequest(f"{name!r} cannot be set in an environment.")
