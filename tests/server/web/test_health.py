"""The health report: each section says how it really is, and what was dismissed counts no more."""

import asyncio
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvicorn

from coder_cli.kit.build import version
from server import web
from server.kit.authz import Actor
from server.kit.db import Database
from server.kit.guard import Guard
from server.provisioning import API_VERSION
from tests.support.people import People, Person

SYSTEM = Actor(id=None, label="test")


@asynccontextmanager
async def served(people: People, deployment: web.Deployment) -> AsyncGenerator[None]:
    """Serve the app at the access URL, over a real socket."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        deployment.access_url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        config = uvicorn.Config(
            Guard(people.app), lifespan="off", log_config=None, ws="websockets-sansio"
        )
        server = uvicorn.Server(config)
        async with asyncio.TaskGroup() as group:
            serving = group.create_task(server.serve([listener]))
            try:
                yield
            finally:
                server.should_exit = True
                await serving


async def add_daemon(
    database: Database, build: str = version(), api: str = API_VERSION, *, alive: bool = True
) -> None:
    async with database.tx(SYSTEM) as tx:
        await tx.run(
            """
            INSERT INTO provisioner_daemons
                   (id, organization_id, name, version, api_version, provisioners, replica_id,
                    created_at, last_seen_at)
            SELECT gen_random_uuid(), id, 'one', %(version)s, %(api)s, '{terraform}',
                   CASE WHEN %(alive)s THEN gen_random_uuid() END, now(), now()
              FROM organizations
            """,
            {"version": build, "api": api, "alive": alive},
        )


@pytest.fixture
async def report_of(
    people: People, owner: Person, deployment: web.Deployment, database: Database
) -> dict[str, dict[str, object]]:
    async with served(people, deployment):
        before = (await owner.api.get("/debug/health")).json()
        await add_daemon(database)
        kept = (await owner.api.get("/debug/health")).json()
        after = (await owner.api.get("/debug/health", params={"force": "true"})).json()
    return {"before": before, "kept": kept, "after": after}


async def test_a_report_is_true_and_kept_for_a_while(
    report_of: dict[str, dict[str, dict[str, object]]],
) -> None:
    before, after = report_of["before"], report_of["after"]
    assert before["provisioner_daemons"]["severity"] == "error"
    assert str(before["provisioner_daemons"]["error"]).startswith("EPD01")
    assert report_of["kept"] == before
    assert after["provisioner_daemons"]["severity"] == "ok"
    assert after["healthy"] is True
    assert after["access_url"]["healthz_response"] == "OK"
    assert after["websocket"]["code"] == 101
    assert after["database"]["reachable"] is True


async def test_what_cannot_be_reached_is_an_error_with_its_code(
    people: People, owner: Person, deployment: web.Deployment
) -> None:
    deployment.access_url = "http://127.0.0.1:1"
    report = (await owner.api.get("/debug/health")).json()
    assert report["healthy"] is False
    assert report["severity"] == "error"
    assert report["access_url"]["error"].startswith("EACS03")
    assert report["websocket"]["error"].startswith("EWS01")
    assert report["database"]["severity"] in {"ok", "warning"}


async def test_a_dismissed_section_no_longer_counts(
    people: People, owner: Person, deployment: web.Deployment
) -> None:
    deployment.access_url = "http://127.0.0.1:1"
    sections = ["AccessURL", "Websocket", "ProvisionerDaemons", "Database"]
    body = {"dismissed_healthchecks": sections}
    assert (await owner.api.put("/debug/health/settings", json=body)).status_code == 200
    assert (await owner.api.get("/debug/health/settings")).json() == body
    report = (await owner.api.get("/debug/health")).json()
    assert report["healthy"] is True
    assert report["access_url"]["dismissed"] is True
    assert report["access_url"]["severity"] == "error", "it is still told"


async def test_health_is_for_operators(people: People, owner: Person) -> None:
    member = await people.add("ben")
    assert (await member.api.get("/debug/health")).status_code == 403
    bad = {"dismissed_healthchecks": ["Weather"]}
    assert (await owner.api.put("/debug/health/settings", json=bad)).status_code == 400


async def daemons_section(owner: Person) -> dict[str, Any]:
    report = (await owner.api.get("/debug/health", params={"force": "true"})).json()
    return report["provisioner_daemons"]


async def test_a_daemon_of_another_release_is_a_warning_with_its_code(
    owner: Person, database: Database
) -> None:
    await add_daemon(database, "v0.0.9")
    section = await daemons_section(owner)
    assert (section["severity"], section["healthy"]) == ("warning", True)
    (warning,) = section["warnings"]
    assert warning["code"] == "EPD02"
    assert "one is v0.0.9" in warning["message"]
    assert section["items"][0]["provisioner_daemon"]["name"] == "one"
    assert section["items"][0]["warnings"] == [warning]


async def test_a_daemon_of_another_provisioner_api_is_a_warning_with_its_code(
    owner: Person, database: Database
) -> None:
    await add_daemon(database, api="2.0")
    section = await daemons_section(owner)
    assert [warning["code"] for warning in section["warnings"]] == ["EPD03"]


async def test_a_daemon_that_has_left_does_not_count(owner: Person, database: Database) -> None:
    await add_daemon(database, alive=False)
    section = await daemons_section(owner)
    assert section["error"].startswith("EPD01")


async def test_sections_of_what_does_not_exist_say_that_they_are_not_used(owner: Person) -> None:
    report = (await owner.api.get("/debug/health")).json()
    for name in ("derp", "workspace_proxy"):
        assert report[name]["severity"] == "ok"
        assert report[name]["note"].startswith("Not used")


async def test_an_access_url_that_is_none_is_told(
    owner: Person, deployment: web.Deployment
) -> None:
    deployment.access_url = "nonsense"
    report = (await owner.api.get("/debug/health")).json()
    assert report["access_url"]["error"].startswith("EACS02")


async def test_dismissing_what_is_dismissed_changes_nothing(owner: Person) -> None:
    body = {"dismissed_healthchecks": ["DERP"]}
    assert (await owner.api.put("/debug/health/settings", json=body)).status_code == 200
    assert (await owner.api.put("/debug/health/settings", json=body)).status_code == 204
    nothing = {"dismissed_healthchecks": list[str]()}
    assert (await owner.api.put("/debug/health/settings", json=nothing)).status_code == 200
