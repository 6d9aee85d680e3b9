"""Dev containers as the agent tells of them, with everything outside faked."""

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest

from agent.containers.cli import Customization
from agent.containers.known import Definition, name_for
from agent.containers.yard import Busy, NotKnown, Options, Yard
from coder_cli.kit.clock import SystemClock
from coder_cli.sdk.agentapi.containers import Devcontainer, DevcontainerStatus
from tests.agent.containers.fakes import FakeCli, FakeInside, FakeRuntime, container
from tests.agent.waiting import until
from tests.support.clock import FakeClock


@dataclass
class Scene:
    yard: Yard
    runtime: FakeRuntime
    cli: FakeCli
    inside: FakeInside

    @property
    def only(self) -> Devcontainer:
        (one,) = self.yard.told().devcontainers
        return one


def scene(directory: Path, clock: FakeClock | None = None, *, autostart: bool = False) -> Scene:
    runtime, inside = FakeRuntime(), FakeInside()
    cli = FakeCli(runtime)
    options = Options(lambda: str(directory), autostart=autostart)
    return Scene(Yard(runtime, cli, inside, clock or SystemClock(), options), runtime, cli, inside)


@asynccontextmanager
async def running(scene: Scene) -> AsyncGenerator[None]:
    task = asyncio.ensure_future(scene.yard.run())
    await asyncio.sleep(0)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def project(directory: Path, *places: str, git: bool = True) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    if git:
        (directory / ".git").mkdir()
    for place in places:
        (directory / place).parent.mkdir(parents=True, exist_ok=True)
        (directory / place).write_text("{}")


async def test_init_serves_what_terraform_defines_and_runs_nothing_before_start(
    tmp_path: Path,
) -> None:
    made = scene(tmp_path)
    async with running(made):
        made.yard.init([Definition("/work/web", name="web", from_template=True)])
        assert made.only.name == "web"
        assert made.only.status is DevcontainerStatus.STOPPED
        assert made.runtime.looks == 0
        assert not made.inside.old_forgotten
        made.yard.start()
        await until(lambda: made.runtime.looks)
        assert made.inside.old_forgotten


async def test_projects_in_git_repositories_are_shown_as_stopped(tmp_path: Path) -> None:
    project(tmp_path / "shop", ".devcontainer/devcontainer.json")
    made = scene(tmp_path)
    async with running(made):
        made.yard.start()
        await until(lambda: made.yard.told().devcontainers)
        assert made.only.workspace_folder == str(tmp_path / "shop")
        assert made.only.status is DevcontainerStatus.STOPPED
        assert made.only.container is None
        assert made.cli.ups == []


@pytest.mark.parametrize(("flag", "wanted"), [(False, False), (True, True)])
async def test_auto_start_of_a_project_needs_the_agents_flag(
    tmp_path: Path, *, flag: bool, wanted: bool
) -> None:
    project(tmp_path, ".devcontainer.json")
    made = scene(tmp_path, autostart=flag)
    made.cli.custom = Customization(auto_start=True)
    async with running(made):
        made.yard.start()
        await until(lambda: made.runtime.looks >= (2 if wanted else 1))
        assert bool(made.cli.ups) is wanted


async def test_what_the_template_declares_starts_after_the_scripts_and_can_be_made_anew(
    tmp_path: Path,
) -> None:
    made = scene(tmp_path)
    assigned = uuid4()
    definition = Definition("/work/web", name="web", subagent_id=assigned, from_template=True)
    made.yard.init([definition])
    async with running(made):
        made.yard.start()
        await until(lambda: made.only.agent)
        assert made.only.status is DevcontainerStatus.RUNNING
        assert made.inside.put == [("made-1", "web", assigned)]
        assert made.cli.ups == [("/work/web", False)]
        made.yard.recreate(definition.id)
        assert made.only.status is DevcontainerStatus.STARTING
        with pytest.raises(Busy):
            made.yard.recreate(definition.id)
        await until(lambda: len(made.inside.put) == 2)
        assert made.cli.ups[1] == ("/work/web", True)
        assert made.inside.forgotten == [assigned]
    with pytest.raises(NotKnown):
        made.yard.recreate(uuid4())


async def test_what_the_cli_says_is_the_error_that_is_shown(tmp_path: Path) -> None:
    made = scene(tmp_path)
    made.cli.trouble = "The devcontainer CLI is not installed"
    made.yard.init([Definition("/work/web")])
    async with running(made):
        made.yard.start()
        await until(lambda: made.runtime.looks)
        made.yard.recreate(made.only.id)
        await until(lambda: made.only.status is DevcontainerStatus.ERROR)
        assert "not installed" in made.only.error
        await until(lambda: made.runtime.looks >= 2)
        assert made.only.status is DevcontainerStatus.ERROR


async def test_running_and_dirty_are_cleared_when_the_container_is_gone(tmp_path: Path) -> None:
    config = tmp_path / "devcontainer.json"
    config.write_text("{}")  # Written now, and the container is of long ago.
    made = scene(tmp_path)
    made.yard.init([Definition("/work/web", str(config))])
    made.runtime.found = [container("/work/web", str(config))]
    await made.yard.refresh()
    assert made.only.status is DevcontainerStatus.RUNNING
    assert made.only.dirty
    agent = made.only.agent
    assert agent
    made.runtime.found = []
    await made.yard.refresh()
    assert made.only.status is DevcontainerStatus.STOPPED
    assert not made.only.dirty
    assert made.only.container is None
    assert made.only.agent is None
    assert made.inside.forgotten == [agent.id]


async def test_a_stopped_container_is_stopped_and_a_foreign_one_is_met(tmp_path: Path) -> None:
    made = scene(tmp_path)
    made.runtime.found = [container("/work/api", running=False), container(number="database")]
    await made.yard.refresh()
    assert made.only.name == "api"
    assert made.only.status is DevcontainerStatus.STOPPED
    assert len(made.yard.told().containers) == 2


async def test_delete_stops_the_container_and_its_agent(tmp_path: Path) -> None:
    made = scene(tmp_path)
    made.yard.init([Definition("/work/web")])
    made.runtime.found = [container("/work/web")]
    await made.yard.refresh()
    agent = made.only.agent
    assert agent
    await made.yard.delete(made.only.id)
    assert made.runtime.removed == ["c1"]
    assert made.inside.forgotten == [agent.id]
    assert made.only.status is DevcontainerStatus.STOPPED


async def test_containers_are_looked_at_by_the_clock_not_by_requests(tmp_path: Path) -> None:
    clock = FakeClock()
    made = scene(tmp_path, clock)
    async with running(made):
        made.yard.start()
        await until(lambda: made.runtime.looks == 1)
        for _ in range(20):
            made.yard.told()
        assert made.runtime.looks == 1
        await clock.wake_within(10)
        await until(lambda: made.runtime.looks == 2)


async def test_the_same_trouble_is_one_line_of_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    made = scene(tmp_path)
    made.runtime.trouble = "Cannot connect to the Docker daemon"
    with caplog.at_level(logging.DEBUG, "agent.containers"):
        for _ in range(5):
            await made.yard.refresh()
    assert len(caplog.records) == 1
    assert made.yard.told().warnings == ("Cannot connect to the Docker daemon",)
    made.runtime.trouble = ""
    await made.yard.refresh()
    assert made.yard.told().warnings == ()


def test_names_come_from_folders_and_are_the_only_ones() -> None:
    assert name_for("/work/My Shop_2", ()) == "my-shop-2"
    assert name_for("/work/web", {"web", "web-2"}) == "web-3"
    assert name_for("/", ()) == "devcontainer"
    assert len(name_for("/" + "x" * 100, {"x" * 64})) <= 64
