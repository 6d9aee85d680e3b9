"""A runtime, a devcontainer CLI and a server of the test's own."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID, uuid4

from agent.containers.cli import Customization
from agent.containers.known import CONFIG_FILE, LOCAL_FOLDER
from agent.containers.tools import ToolFailed
from coder_cli.sdk.agentapi.containers import Container, DevcontainerAgent

LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


def container(
    folder: str = "", config: str = "", *, running: bool = True, number: str = "c1"
) -> Container:
    labels = {LOCAL_FOLDER: folder, CONFIG_FILE: config} if folder else {}
    return Container(number, number, "alpine", LONG_AGO, labels, running)


@dataclass
class FakeRuntime:
    found: list[Container] = field(default_factory=list[Container])
    trouble: str = ""
    looks: int = 0
    removed: list[str] = field(default_factory=list[str])

    async def containers(self) -> list[Container]:
        self.looks += 1
        if self.trouble:
            raise ToolFailed(self.trouble)
        return list(self.found)

    async def remove(self, container: str) -> None:
        self.removed.append(container)
        self.found = [one for one in self.found if one.id != container]


@dataclass
class FakeCli:
    runtime: FakeRuntime
    custom: Customization = field(default_factory=Customization)
    trouble: str = ""
    ups: list[tuple[str, bool]] = field(default_factory=list[tuple[str, bool]])

    async def up(self, folder: str, config: str, *, anew: bool) -> str:
        self.ups.append((folder, anew))
        if self.trouble:
            raise ToolFailed(self.trouble)
        made = container(folder, config, number=f"made-{len(self.ups)}")
        self.runtime.found = [one for one in self.runtime.found if LOCAL_FOLDER not in one.labels]
        self.runtime.found.append(made)
        return made.id

    async def read(self, folder: str, config: str) -> Customization:
        return self.custom


@dataclass
class FakeInside:
    put: list[tuple[str, str, UUID | None]] = field(
        default_factory=list[tuple[str, str, UUID | None]]
    )
    forgotten: list[UUID] = field(default_factory=list[UUID])
    old_forgotten: bool = False

    async def forget_old(self) -> None:
        self.old_forgotten = True

    async def forget(self, agent_id: UUID) -> None:
        self.forgotten.append(agent_id)

    async def put_in(
        self, container: Container, name: str, custom: Customization, assigned: UUID | None
    ) -> DevcontainerAgent:
        self.put.append((container.id, name, assigned))
        return DevcontainerAgent(assigned or uuid4(), name, custom.folder)
