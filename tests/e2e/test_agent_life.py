"""What an agent does while it lives, with real Terraform: values, health, times, and its end."""

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
LIFE = Path(__file__).parent / "agent_life" / "life.tf"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, module_dsn: str) -> Generator[House]:
    """A deployment with a workspace that is ready."""
    house = House(tmp_path_factory.mktemp("house"), module_dsn)
    try:
        house.start()
        house.coder(
            *("login", house.url, "--first-user-username", "ann"),
            *("--first-user-email", "ann@example.com"),
            *("--first-user-password", "Correct-Horse-9-Battery"),
        )
        template = house.root / "life"
        template.mkdir()
        main = LOCAL.read_text().replace("interval     = 15", "interval     = 1", 1)
        (template / "main.tf").write_text(main)
        shutil.copy(LIFE, template)
        house.coder("templates", "push", "life", "-d", str(template), "--yes")
        house.coder("create", "dev", "--template", "life", "--yes")
        until("the start", lambda: house.agent("dev").get("lifecycle_state") == "ready")
        yield house
    finally:
        house.close()


def curl(house: House, path: str, *flags: str) -> str:
    token = (house.home / "config" / "session").read_text()
    words = ["curl", "-sS", *flags, "-H", f"Coder-Session-Token: {token}"]
    return house.run(*words, f"{house.url}/api/v2{path}", check=False).stdout


def loads(house: House) -> list[dict[str, Any]]:
    """Return what a few seconds of watching tell of the value ``load``."""
    path = f"/workspaceagents/{house.agent('dev')['id']}/watch-metadata"
    told = curl(house, path, "-N", "--max-time", "5").split("\n\n")
    arrays = [event.partition("data: ")[2] for event in told if event.startswith("event: data")]
    return [
        item["result"]
        for array in arrays
        for item in json.loads(array)
        if item["description"]["key"] == "load"
    ]


def test_values_are_watched_as_they_change(house: House) -> None:
    found = until("a second value", lambda: fresh(loads(house)))
    assert all(result["error"] == "" for result in found)
    assert found[-1]["value"]


def fresh(results: list[dict[str, Any]]) -> list[dict[str, Any]]:
    times = {result["collected_at"] for result in results if result["value"]}
    return results if len(times) > 1 else []


def test_health_of_apps_is_shown(house: House) -> None:
    def healths() -> dict[str, str]:
        return {app["slug"]: app["health"] for app in house.agent("dev")["apps"]}

    want = {"web": "healthy", "sick": "unhealthy"}
    until("the health of both apps", lambda: healths() == want)


def test_a_script_runs_at_its_times_and_that_is_timed(house: House) -> None:
    build = house.workspace("dev")["latest_build"]["id"]

    def stages() -> list[str]:
        timings = json.loads(curl(house, f"/workspacebuilds/{build}/timings"))
        return [each["stage"] for each in timings["agent_script_timings"]]

    until("the second time", lambda: stages().count("cron") >= 2)
    logs = json.loads(curl(house, f"/workspaceagents/{house.agent('dev')['id']}/logs"))
    assert [line["output"] for line in logs].count("tick") >= 2


def test_stop_scripts_run_before_the_workspace_goes(house: House) -> None:
    workspace = house.workspace("dev")
    house.coder("stop", "dev", "--yes")
    [stopped] = house.home.glob(f".local/share/coder/workspaces/{workspace['id']}/**/stopped")
    assert stopped.read_text() == "stopped\n"
