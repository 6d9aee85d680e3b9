"""What the agent knows of containers: definitions at once, the rest once the scripts have run.

Templates' definitions are served from the start. Docker and the devcontainer CLI may be installed
by a start script, so nothing runs either of them before ``start``.
"""

import asyncio
import logging
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol
from uuid import UUID

from agent.containers.cli import Customization, DevcontainerCli
from agent.containers.discovery import Project, discover
from agent.containers.docker import Runtime
from agent.containers.known import CONFIG_FILE, LOCAL_FOLDER, Definition, Known, name_for
from agent.containers.tools import ToolFailed
from coder_cli.kit.clock import Clock
from coder_cli.sdk.agentapi.containers import (
    Container,
    Containers,
    DevcontainerAgent,
    DevcontainerStatus,
)

EVERY: Final = 10.0
AFTER_TROUBLE: Final = 60.0
"""A daemon that is not there now will hardly be in ten seconds, and asking costs the CPU."""
MOST: Final = 500
log = logging.getLogger("agent.containers")


class NotKnown(Exception):
    """No dev container has this id."""


class Busy(Exception):
    """It is being made already."""


class Inside(Protocol):
    """Whoever makes agents inside containers."""

    async def forget_old(self) -> None: ...

    async def forget(self, agent_id: UUID) -> None: ...

    async def put_in(
        self, container: Container, name: str, custom: Customization, assigned: UUID | None
    ) -> DevcontainerAgent: ...


@dataclass(frozen=True, slots=True)
class Options:
    """Where projects are looked for, and whether."""

    directory: Callable[[], str]
    discover: bool = True
    autostart: bool = False


class Yard:
    """All containers and dev containers of the workspace."""

    def __init__(
        self, runtime: Runtime, cli: DevcontainerCli, inside: Inside, clock: Clock, options: Options
    ) -> None:
        self._runtime = runtime
        self._cli = cli
        self._inside = inside
        self._clock = clock
        self._options = options
        self._known: dict[UUID, Known] = {}
        self._containers: tuple[Container, ...] = ()
        self._trouble = ""
        self._tried: dict[UUID, str] = {}
        """Containers into which an agent was put, or could not be."""
        self._begun = asyncio.Event()
        self._bells: set[asyncio.Event] = set()
        self._group: asyncio.TaskGroup | None = None
        self._turn = asyncio.Lock()

    def init(self, definitions: Iterable[Definition]) -> None:
        """Tell of these from now on; a template's come anew with each manifest."""
        for definition in definitions:
            if definition.id not in self._known:
                self._add(definition)
        self._ring()

    def start(self) -> None:
        """Begin to look at what runs: whatever scripts install is there."""
        self._begun.set()

    def told(self) -> Containers:
        """Return what is known now."""
        devcontainers = sorted(self._known.values(), key=lambda one: one.name)
        return Containers(
            tuple(one.told() for one in devcontainers),
            self._containers,
            (self._trouble,) if self._trouble else (),
        )

    @contextmanager
    def watched(self) -> Generator[asyncio.Event]:
        """Yield an event that is set whenever something may be new."""
        bell = asyncio.Event()
        self._bells.add(bell)
        try:
            yield bell
        finally:
            self._bells.discard(bell)

    async def run(self) -> None:
        """Look for ever."""
        async with asyncio.TaskGroup() as group:
            self._group = group
            await self._begun.wait()
            await self._prepare()
            await self.refresh()
            self._start_declared()
            while True:
                await self._clock.sleep(AFTER_TROUBLE if self._trouble else EVERY)
                await self.refresh()

    async def refresh(self) -> None:
        """Look at what runs now."""
        async with self._turn:
            trouble = ""
            try:
                containers = await self._runtime.containers()
            except ToolFailed as error:
                trouble, containers = str(error), list(self._containers)
            if trouble and trouble != self._trouble:
                # Once for each trouble: the next look is seconds away.
                log.warning("containers cannot be listed: %s", trouble)
            self._trouble, self._containers = trouble, tuple(containers)
            if not trouble:
                self._meet(containers)
                times = await asyncio.to_thread(_changed_at, list(self._known.values()))
                for one in self._known.values():
                    one.see(containers, times.get(one.definition.id))
            self._ring()
        for one in list(self._known.values()):
            await self._look_after(one)

    def recreate(self, devcontainer: UUID) -> Known:
        """Begin to make a dev container anew, or for the first time.

        Raises:
            NotKnown: there is none of this id.
            Busy: that is under way.
        """
        one = self._find(devcontainer)
        if one.busy or self._group is None:
            raise Busy(one.name)
        one.busy, one.status, one.error = True, DevcontainerStatus.STARTING, ""
        self._ring()
        self._group.create_task(self._make(one))
        return one

    async def delete(self, devcontainer: UUID) -> None:
        """Stop and delete a dev container and the agent in it; its definition stays known.

        Raises:
            NotKnown: there is none of this id.
            Busy: it is being made.
            ToolFailed: it cannot be deleted; the message says why.
        """
        one = self._find(devcontainer)
        if one.busy:
            raise Busy(one.name)
        one.busy = True
        try:
            await self._drop_agent(one)
            if one.container is not None:
                await self._runtime.remove(one.container.id)
            one.container, one.dirty, one.error = None, False, ""
            one.status = DevcontainerStatus.STOPPED
        finally:
            one.busy = False
            self._ring()

    async def _prepare(self) -> None:
        try:
            await self._inside.forget_old()
        except ToolFailed as error:
            log.info("old agents of dev containers stay known: %s", error)
        if not self._options.discover:
            return
        for project in await asyncio.to_thread(discover, self._options.directory()):
            await self._find_project(project)

    def _start_declared(self) -> None:
        """Start what the template declares; a person has the others started."""
        for one in list(self._values()):
            if one.definition.from_template and one.status is DevcontainerStatus.STOPPED:
                self.recreate(one.definition.id)

    async def _find_project(self, project: Project) -> None:
        if any(_same(one.definition, project.folder, project.config) for one in self._values()):
            return
        one = self._add(Definition(project.folder, project.config))
        if one is None or not self._options.autostart:
            return
        try:
            custom = await self._cli.read(project.folder, project.config)
        except ToolFailed as error:
            log.info("a dev container is not started by itself: %s", error)
            return
        if custom.ignore:
            del self._known[one.definition.id]
        elif custom.auto_start:
            self.recreate(one.definition.id)

    async def _make(self, one: Known) -> None:
        definition = one.definition
        try:
            await self._cli.up(
                definition.workspace_folder, definition.config_path, anew=one.container is not None
            )
        except ToolFailed as error:
            log.warning("dev container %s was not made: %s", one.name, error)
            one.status, one.error = DevcontainerStatus.ERROR, str(error)
        else:
            self._tried.pop(definition.id, None)
            one.status = DevcontainerStatus.STOPPED
        finally:
            one.busy = False
            self._ring()
        await self.refresh()

    async def _look_after(self, one: Known) -> None:
        container = one.container
        alive = container if container and container.running and not one.busy else None
        if alive is None:
            if one.agent and not one.busy:
                await self._dropped(one)
            return
        if self._tried.get(one.definition.id) == alive.id:
            return
        self._tried[one.definition.id] = alive.id
        await self._dropped(one)
        await self._put_agent(one, alive)

    async def _put_agent(self, one: Known, container: Container) -> None:
        definition = one.definition
        try:
            custom = await self._cli.read(definition.workspace_folder, definition.config_path)
            if custom.ignore:
                return
            if custom.name and not definition.from_template:
                others = {each.name for each in self._values() if each is not one}
                one.name = name_for(custom.name, others)
            one.agent = await self._inside.put_in(
                container, one.name, custom, definition.subagent_id
            )
        except ToolFailed as error:
            log.warning("there is no agent in dev container %s: %s", one.name, error)
            one.error = str(error)
        self._ring()

    async def _dropped(self, one: Known) -> None:
        try:
            await self._drop_agent(one)
        except ToolFailed as error:
            log.info("the agent of dev container %s stays known: %s", one.name, error)

    async def _drop_agent(self, one: Known) -> None:
        agent, one.agent = one.agent, None
        self._tried.pop(one.definition.id, None)
        if agent is not None:
            await self._inside.forget(agent.id)

    def _meet(self, containers: Iterable[Container]) -> None:
        """Take in dev containers that somebody made without us."""
        for container in containers:
            folder = container.labels.get(LOCAL_FOLDER)
            if folder and not any(one.belongs(container) for one in self._values()):
                self._add(Definition(folder, container.labels.get(CONFIG_FILE, "")))

    def _add(self, definition: Definition) -> Known | None:
        if len(self._known) >= MOST:
            return None
        taken = {one.name for one in self._values()}
        name = definition.name or name_for(definition.workspace_folder, taken)
        one = self._known[definition.id] = Known(definition, name)
        return one

    def _find(self, devcontainer: UUID) -> Known:
        try:
            return self._known[devcontainer]
        except KeyError:
            raise NotKnown(str(devcontainer)) from None

    def _values(self) -> Iterable[Known]:
        return self._known.values()

    def _ring(self) -> None:
        for bell in self._bells:
            bell.set()


def _same(definition: Definition, folder: str, config: str) -> bool:
    if definition.workspace_folder != folder:
        return False
    return definition.config_path in ("", config)


def _changed_at(known: Iterable[Known]) -> dict[UUID, float]:
    found: dict[UUID, float] = {}
    for one in known:
        path = one.definition.config_path
        try:
            if path:
                found[one.definition.id] = Path(path).stat().st_mtime
        except OSError:
            continue
    return found
