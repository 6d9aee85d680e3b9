"""The starter template ``local``: a workspace is a process tree, and nothing of it stays behind."""

import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from server.terraform import Built
from tests.server.terraform.conftest import Driver
from tests.server.terraform.world import (
    WORKSPACE,
    alive,
    cut_short,
    needs_terraform,
    tar,
    until,
)

pytestmark = [
    needs_terraform,
    pytest.mark.skipif(os.name != "posix", reason="the template runs on Linux and macOS"),
]

STARTER = Path(__file__).parents[3] / "server/templates/starters/local"
MARKER = f"CODER_LOCAL_WORKSPACE={WORKSPACE}"

AGENT = """#!/bin/sh
# Stands in for the agent: a process tree that lives long and ends in order.
env > "$HOME/env"
cat "$CODER_AGENT_TOKEN_FILE" > "$HOME/token"
echo "url=${ACCESS_URL} auth=${AUTH_TYPE}" > "$HOME/script"
trap 'echo stopped in order >> "$HOME/log"; exit 0' TERM
(trap '' TERM HUP; while :; do sleep 0.1; done) &
setsid sh -c 'trap "" TERM; cd /; while :; do sleep 0.1; done' &
echo started >> "$HOME/log"
while :; do sleep 0.05; done
"""


@pytest.fixture
def home(host: Mapping[str, str]) -> Path:
    return Path(host["XDG_DATA_HOME"]) / "coder/workspaces" / str(WORKSPACE) / "home"


def archive() -> bytes:
    return tar({path.name: path.read_text() for path in STARTER.iterdir()})


async def build(driver: Driver, transition: str, state: bytes | None = None) -> Built:
    names = [
        f"{system}_{machine}" for system in ("linux", "darwin") for machine in ("amd64", "arm64")
    ]
    scripts = dict.fromkeys(names, AGENT)
    built = await driver.build(archive(), transition, state, agent_scripts=scripts)
    assert built.error is None, built.error
    return built


async def started(home: Path, times: int = 1) -> None:
    log = home / "log"
    await until(lambda: log.exists() and log.read_text().count("started") == times)


def environment(home: Path) -> dict[str, str]:
    lines = (home / "env").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line)


async def test_import_of_the_starter(driver: Driver) -> None:
    found = await driver.learn(archive())
    assert found.error is None
    assert found.readme.startswith("---\n")
    assert "not isolated" in found.readme
    assert [(p.name, p.required) for p in found.parameters] == [("dotfiles_uri", False)]
    homes = {r.address: [a.name for a in r.agents] for r in found.start_resources}
    assert homes == {
        "terraform_data.home": [],
        "terraform_data.processes[0]": [],
        "terraform_data.workspace[0]": ["main"],
    }
    assert [r.address for r in found.stop_resources] == ["terraform_data.home"]


async def test_the_life_of_a_workspace(driver: Driver, home: Path) -> None:
    first = await build(driver, "start")
    try:
        await started(home)
        seen = environment(home)
        assert seen["HOME"] == str(home)
        assert seen["XDG_RUNTIME_DIR"].startswith(str(home.parent))
        assert seen["CODER_LOCAL_WORKSPACE"] == str(WORKSPACE)
        assert "CODER_SECRET" not in seen
        assert "AGENT_TOKEN" not in seen
        assert (home / "token").read_text() == first.resources[2].agents[0].token
        assert (home / "script").read_text() == "url=http://localhost:3000/ auth=token\n"
        assert (home.parent / "token").stat().st_mode & 0o777 == 0o600
        assert home.parent.stat().st_mode & 0o777 == 0o700
        assert len(alive(MARKER)) >= 3

        stopped = await build(driver, "stop", first.state)
        assert alive(MARKER) == []
        assert "stopped in order" in (home / "log").read_text()
        assert not (home.parent / "token").exists()

        again = await build(driver, "start", stopped.state)
        await started(home, times=2)
        deleted = await build(driver, "delete", again.state)
        assert deleted.error is None
        assert not home.parent.exists()
    finally:
        await build(driver, "delete", first.state)
    assert alive(MARKER) == []


async def test_a_second_start_replaces_the_agent_that_a_lost_build_left_behind(
    driver: Driver, home: Path
) -> None:
    first = await build(driver, "start")
    try:
        await started(home)
        before = (home / "token").read_text()
        # The state of the first build was lost: only the home is known.
        second = await build(driver, "start")
        await started(home, times=2)
        await until(lambda: (home / "token").read_text() not in {"", before})
        assert (home / "log").read_text().splitlines() == [
            "started",
            "stopped in order",
            "started",
        ]
        assert second.resources[2].agents[0].token == (home / "token").read_text()
    finally:
        await build(driver, "delete", first.state)
    assert alive(MARKER) == []


@pytest.mark.parametrize("ending", ["stop", "delete"])
async def test_a_start_that_was_cut_short_leaves_no_process_after_its_end(
    driver: Driver, home: Path, ending: str
) -> None:
    first = await build(driver, "start")
    try:
        await started(home)
        await build(driver, ending, cut_short(first.state))
        assert alive(MARKER) == []
        assert home.parent.exists() == (ending == "stop")
    finally:
        await build(driver, "delete", first.state)
