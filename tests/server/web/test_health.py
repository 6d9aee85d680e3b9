"""The health report: each section says how it really is, and what was dismissed counts no more."""

import asyncio
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest
import uvicorn

from server import web
from server.kit.authz import Actor
from server.kit.db import Database
from server.kit.guard import Guard
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


async def add_daemon(database: Database) -> None:
    async with database.tx(SYSTEM) as tx:
        await tx.run(
            """
            INSERT INTO provisioner_daemons
                   (id, organization_id, name, version, api_version, provisioners,
                    created_at, last_seen_at)
            SELECT gen_random_uuid(), id, 'one', 'v', '1.0', '{terraform}', now(), now()
              FROM organizations
            """
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
