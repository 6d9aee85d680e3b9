"""Fixtures of this room: people with templates' routes, and a daemon with a scripted terraform."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from server import identity, provisioning, templates
from server.kit.db import Database
from server.kit.pubsub import Pubsub
from server.kit.routing import provide
from server.provisioning import DaemonOptions, Daemons, JobType, Means, Registry
from server.templates.model.archives import TAR, pack
from server.terraform import FakeTerraform, Imported
from tests.support.clock import FakeClock
from tests.support.people import People, Person, gathered

ROUTERS = (identity.routes, provisioning.routes, templates.routes)
ARCHIVE = pack({"main.tf": b'resource "null_resource" "x" {}\n', "README.md": b"# Hello\n"})
ORG = "/organizations/default"


@dataclass
class Workshop:
    """A deployment where versions are pushed and imported."""

    people: People
    terraform: FakeTerraform
    daemons: Daemons
    clock: FakeClock
    versions: list[str] = field(default_factory=list[str])

    async def upload(self, by: Person, archive: bytes = ARCHIVE) -> str:
        """Upload an archive; return its file's id."""
        answer = await by.api.post("/files", content=archive, headers={"Content-Type": TAR})
        assert answer.status_code in (200, 201), answer.text
        return answer.json()["hash"]

    async def push(
        self, by: Person, imported: Imported | None = None, **fields: Any
    ) -> dict[str, Any]:
        """Push a version and let its import run; return the version afterwards."""
        body = {
            "storage_method": "file",
            "provisioner": "terraform",
            "file_id": await self.upload(by),
            **fields,
        }
        answer = await by.api.post(f"{ORG}/templateversions", json=body)
        assert answer.status_code == 201, answer.text
        await self.clock.advance(1)
        self.terraform.script(imports=[imported or Imported()])
        assert await self.daemons.turn("host-0")
        return await self.version(by, answer.json()["id"])

    async def version(self, by: Person, version_id: str) -> dict[str, Any]:
        """Return a version."""
        answer = await by.api.get(f"/templateversions/{version_id}")
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def template(
        self, by: Person, name: str = "docker", imported: Imported | None = None, **fields: Any
    ) -> dict[str, Any]:
        """Make a template of a freshly pushed version."""
        version = await self.push(by, imported)
        body = {"name": name, "template_version_id": version["id"], **fields}
        answer = await by.api.post(f"{ORG}/templates", json=body)
        assert answer.status_code == 201, answer.text
        return answer.json()


@pytest.fixture
async def timed(dsn: str, clock: FakeClock) -> AsyncGenerator[Database]:
    """A database whose clock is the test's."""
    database = Database(dsn, clock=clock, max_open=4)
    await database.open()
    yield database
    await database.close()


@pytest.fixture
async def shop(timed: Database, clock: FakeClock, tmp_path: Path) -> AsyncGenerator[Workshop]:
    """A deployment without people."""
    terraform = FakeTerraform()
    kind = templates.ImportKind("http://coder.test")
    registry = Registry(
        {
            JobType.TEMPLATE_VERSION_IMPORT: kind,
            JobType.TEMPLATE_VERSION_DRY_RUN: templates.DryRunKind(),
        }
    )
    pubsub = Pubsub(timed.dsn)
    means = Means(timed, pubsub, registry, terraform, clock)
    async with gathered(timed, routers=ROUTERS) as people:
        provide(people.app, Pubsub, pubsub)
        desk = templates.FormDesk(timed, None, "http://coder.test")
        provide(people.app, templates.FormDesk, desk)
        daemons = Daemons(means, DaemonOptions(tmp_path, "host", 1))
        await people.home()
        await daemons.register()
        yield Workshop(people, terraform, daemons, clock)


@pytest.fixture
async def admin(shop: Workshop) -> Person:
    """Somebody who may make templates everywhere."""
    return await shop.people.add("ann", "template-admin")


@pytest.fixture
async def member(shop: Workshop, admin: Person) -> Person:
    """Somebody who may use templates."""
    return await shop.people.add("bob")
