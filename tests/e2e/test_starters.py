"""Workspaces on the host of the server, plain and sandboxed: their life, and what they leave."""

import json
import shutil
import signal
from collections.abc import Generator
from pathlib import Path

import pytest

from tests.support.bubblewrap import missing
from tests.support.house import House, until

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(240),
    pytest.mark.skipif(shutil.which("terraform") is None, reason="terraform is not on PATH"),
]

NEEDS_PROVIDERS = ("docker", "kubernetes")
"""Starters whose import downloads a provider of somebody else's."""

STARTERS = [
    "local",
    pytest.param("sandbox", marks=pytest.mark.skipif(bool(missing()), reason=missing() or "-")),
]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, module_dsn: str) -> Generator[House]:
    """A deployment with every starter that needs no provider but ours."""
    house = House(tmp_path_factory.mktemp("house"), module_dsn)
    try:
        house.start("--quickstart")
        until("the quickstart", lambda: "is ready. In another terminal" in house.said())
        yield house
    finally:
        house.close()


def pushed(house: House, starter: str) -> None:
    """Make the template ``starter`` from the starter of that name, unless it is there."""
    known = json.loads(house.coder("templates", "list", "-o", "json").stdout)
    if starter in {one.get("Template", one)["name"] for one in known}:
        return
    folder = house.home / starter
    house.coder("templates", "init", str(folder), "--id", starter)
    house.coder("templates", "push", starter, "--directory", str(folder), "--yes")


def created(house: House, starter: str, name: str) -> str:
    """Create a workspace and wait for its agent; return its id."""
    pushed(house, starter)
    house.coder("create", name, "--template", starter, "--yes")
    until("the agent", lambda: house.agent(name).get("status") == "connected")
    return str(house.workspace(name)["id"])


def left_of(house: House, workspace_id: str) -> list[object]:
    """Return the processes and files that a workspace has on this host."""
    return [*house.processes(workspace_id), *house.home.rglob(workspace_id)]


@pytest.mark.parametrize("starter", STARTERS)
def test_a_workspace_lives_stops_restarts_and_leaves_nothing(house: House, starter: str) -> None:
    name = f"life-{starter}"
    workspace_id = created(house, starter, name)
    done = house.coder(
        "ssh", name, "pwd; echo mine > kept; setsid sleep 600 >/dev/null 2>&1 & exit 3", check=False
    )
    assert done.returncode == 3
    assert done.stdout.strip().endswith("home/coder" if starter == "sandbox" else "home")
    house.coder("stop", name, "--yes")
    assert house.processes(workspace_id) == []
    house.coder("start", name, "--yes")
    until("the agent", lambda: house.agent(name).get("status") == "connected")
    assert house.coder("ssh", name, "cat kept").stdout == "mine\n"
    house.coder("restart", name, "--yes")
    until("the agent", lambda: house.agent(name).get("status") == "connected")
    assert house.coder("ssh", name, "cat kept").stdout == "mine\n"
    house.coder("delete", name, "--yes")
    assert left_of(house, workspace_id) == []


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT], ids=["killed", "stopped"])
@pytest.mark.parametrize("starter", STARTERS)
def test_a_workspace_outlives_its_server(
    house: House, starter: str, number: signal.Signals
) -> None:
    name = f"outlives-{starter}-{number.name.lower()}"
    workspace_id = created(house, starter, name)
    house.coder("ssh", name, "nohup sleep 600 >/dev/null 2>&1 & echo $! > pid")
    before = house.processes(workspace_id)
    house.stop(number)
    house.start()
    until("the agent's return", lambda: house.agent(name).get("status") == "connected")
    assert set(before) <= set(house.processes(workspace_id))
    assert house.coder("ssh", name, "kill -0 $(cat pid) && echo alive").stdout == "alive\n"
    house.coder("delete", name, "--yes")
    assert left_of(house, workspace_id) == []


@pytest.mark.skipif(bool(missing()), reason=missing() or "-")
def test_scripts_and_files_of_a_sandboxed_workspace_work(house: House) -> None:
    workspace_id = created(house, "sandbox", "boxed")
    until("the scripts", lambda: house.agent("boxed").get("lifecycle_state") == "ready")
    seen = house.coder("ssh", "boxed", "id -un; hostname; ls /proc | grep -c '^[0-9]'").stdout
    user, host, processes = seen.split()
    assert (user, host) == ("coder", "boxed")
    assert int(processes) < 20, "processes of the host are seen"
    for hidden in (house.root / "cache", house.home / "config", house.home / ".local"):
        assert hidden.exists()
        assert house.coder("ssh", "boxed", f"ls {hidden}", check=False).returncode != 0
    assert "/dev/pts/" in house.coder("ssh", "boxed", "script -qec tty /dev/null").stdout
    house.coder("delete", "boxed", "--yes")
    assert left_of(house, workspace_id) == []


def test_every_starter_is_written_and_those_without_foreign_providers_are_imported(
    house: House,
) -> None:
    refused = house.coder("templates", "init", "x", "--id", "no-such", check=False)
    starters = refused.stderr.partition("There are: ")[2].strip().rstrip(".").split(", ")
    assert starters == [
        "docker",
        "externally-managed",
        "kubernetes",
        "local",
        "sandbox",
        "scratch",
    ]
    for starter in starters:
        folder = house.root / "written" / starter
        done = house.coder("templates", "init", str(folder), "--id", starter)
        assert sorted(path.name for path in folder.iterdir()) == ["README.md", "main.tf"]
        assert f"cd {folder}" in done.stderr
        assert "coder templates push" in done.stderr
        if starter not in NEEDS_PROVIDERS and not (starter == "sandbox" and missing()):
            house.coder("templates", "push", f"w-{starter}", "--directory", str(folder), "--yes")
    listed = house.coder("templates", "list").stdout
    assert "w-externally-managed" in listed
    assert Path(house.root / "written" / "docker" / "main.tf").stat().st_size > 0
