"""The seeds' two scripts as a template: real Terraform, a real agent, and the order in its logs."""

import json
import shutil
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from tests.support.house import House, until

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(240),
    pytest.mark.skipif(shutil.which("terraform") is None, reason="terraform is not on PATH"),
    pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not on PATH"),
]
LOCAL = Path(__file__).parents[2] / "server/templates/starters/local/main.tf"
SCRIPTS = Path(__file__).parent / "local_sync" / "scripts.tf"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, module_dsn: str) -> Generator[House]:
    """A deployment with a workspace of the template ``local-sync``."""
    house = House(tmp_path_factory.mktemp("house"), module_dsn)
    try:
        house.start()
        house.coder(
            *("login", house.url, "--first-user-username", "ann"),
            *("--first-user-email", "ann@example.com"),
            *("--first-user-password", "Correct-Horse-9-Battery"),
        )
        template = house.root / "local-sync"
        template.mkdir()
        for file in (LOCAL, SCRIPTS):
            shutil.copy(file, template)
        house.coder("templates", "push", "local-sync", "-d", str(template), "--yes")
        house.coder("create", "dev", "--template", "local-sync", "--yes")
        until("the end of the scripts", lambda: lifecycle(house) not in ("created", "starting"))
        yield house
    finally:
        house.close()


def lifecycle(house: House) -> str:
    return str(house.agent("dev").get("lifecycle_state", "created"))


def lines(house: House) -> dict[str, list[tuple[str, str]]]:
    """Return time and text of each script's log lines."""
    agent = house.agent("dev")
    names = {source["id"]: source["display_name"] for source in agent["log_sources"]}
    said: dict[str, list[tuple[str, str]]] = {}
    for line in api(house, f"/workspaceagents/{agent['id']}/logs"):
        text = (line["created_at"], line["output"])
        said.setdefault(names[line["source_id"]], []).append(text)
    return said


def api(house: House, path: str) -> Any:
    token = (house.home / "config" / "session").read_text()
    url = f"{house.url}/api/v2{path}"
    return json.loads(house.run("curl", "-fsS", "-H", f"Coder-Session-Token: {token}", url).stdout)


def test_claude_waits_for_git_and_the_logs_show_it(house: House) -> None:
    """Seed: to run claude in a new workspace it must first have a git repository cloned."""
    assert lifecycle(house) == "ready"
    said = until("all lines", lambda: complete(lines(house)))
    for name, log in said.items():
        for when, text in log:
            print(f"{when}  {name:<12} {text}")
    assert [text for _, text in said["git"]] == ["Success", "git begins", "git ends", "Success"]
    assert [text for _, text in said["Claude Code"]] == [
        "Success",
        "Waiting for dependencies of unit 'claude' to be satisfied...",
        "Waiting for: git (not registered)",
        'Unit "claude" waited for: [git]',
        "claude begins, the repository has: README.md",
        "{}",
        "claude ends",
        "Success",
    ]
    in_order(said)


def in_order(said: dict[str, list[tuple[str, str]]]) -> None:
    [git_ends] = [when for when, text in said["git"] if text == "git ends"]
    [claude_begins] = [when for when, text in said["Claude Code"] if "begins" in text]
    assert git_ends < claude_begins


def complete(said: dict[str, list[tuple[str, str]]]) -> Any:
    ends = [log[-1][1] if len(log) > 1 else "" for log in said.values()]
    return said if ends == ["Success", "Success"] else None


def test_an_apps_status_is_visible_in_the_api(house: House) -> None:
    """Seed: UpdateAppStatus on the agent's socket is forwarded to the server."""
    status = until("the status", lambda: house.workspace("dev")["latest_app_status"])
    assert (status["state"], status["message"]) == ("working", "reading the repository")
    [app] = house.agent("dev")["apps"]
    assert [one["state"] for one in app["statuses"]] == ["working"]


def test_sessions_find_the_socket(house: House) -> None:
    assert house.coder("ssh", "dev", "coder exp sync ping").stdout == "Success\n"
    listed = json.loads(house.coder("ssh", "dev", "coder exp sync list -o json").stdout)
    assert {unit["unit_name"]: unit["status"] for unit in listed} == {
        "claude": "completed",
        "git": "completed",
    }


def test_a_restart_forgets_the_units_and_orders_them_anew(house: House) -> None:
    before = house.agent("dev")["id"]
    house.coder("ssh", "dev", "rm waiting")
    house.coder("restart", "dev", "--yes")
    until("another agent", lambda: house.agent("dev").get("id") not in (None, before))
    until("the end of the scripts", lambda: lifecycle(house) not in ("created", "starting"))
    assert lifecycle(house) == "ready"
    said = until("all lines", lambda: complete(lines(house)))
    in_order(said)
