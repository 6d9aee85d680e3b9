"""A deployment with templates and a worker that a test turns by hand."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from server import identity, provisioning, workspaces
from server.kit.authz import as_system
from server.kit.db import Database, jsonb
from server.kit.pubsub import Pubsub
from server.kit.routing import provide
from server.provisioning import DaemonOptions, Daemons, JobType, Means, Registry
from server.templates import FormDesk
from server.terraform import Agent, App, Built, FakeTerraform, Parameter, Resource, Terraform
from server.workspaces import BuildKind, BuildOptions, WorkspaceRules
from tests.support.people import People, Person, gathered

SYSTEM = as_system("test")
TOKEN = "6f2ad1d4-9e2f-4b37-8dd6-1c6f1f1f7a01"
ACCESS_URL = "http://coder.test"

TEMPLATE = """
    WITH file AS (
        INSERT INTO files (id, hash, created_by, mimetype, data, created_at)
        VALUES (%(file)s, %(file)s::text, %(by)s, 'application/x-tar', %(data)s, %(now)s)
    ), job AS (
        INSERT INTO provisioner_jobs (id, organization_id, initiator_id, type, file_id, input,
                                      created_at, updated_at, started_at, completed_at, error)
        VALUES (%(job)s, %(organization)s, %(by)s, 'template_version_import', %(file)s, '{}',
                %(now)s, %(now)s, %(now)s, %(now)s, %(error)s)
    )
    INSERT INTO template_versions (id, template_id, organization_id, name, job_id, created_by,
                                   created_at, updated_at)
    VALUES (%(version)s, %(template)s, %(organization)s, %(name)s, %(job)s, %(by)s, %(now)s,
            %(now)s)
"""


@dataclass(frozen=True)
class Made:
    """A template and its active version."""

    id: UUID
    version: UUID


@dataclass
class World:
    """People, a template, and a worker."""

    people: People
    terraform: FakeTerraform
    cache: Path
    pubsub: Pubsub
    driver: Terraform | None = None
    owner: Person = field(init=False)
    ann: Person = field(init=False)
    template: Made = field(init=False)
    organization: UUID = field(init=False)

    @property
    def database(self) -> Database:
        return self.people.database

    async def begin(self) -> None:
        """Add an owner, a member called Ann, and a template without parameters."""
        self.organization = await self.people.home()
        self.owner = await self.people.add("root", "owner")
        self.ann = await self.people.add("ann")
        self.template = await self.add_template("plain")

    async def add_template(
        self, name: str, *parameters: Parameter, archive: bytes = b"tar", **columns: Any
    ) -> Made:
        """Write a template whose import succeeded."""
        made = Made(uuid4(), uuid4())
        organization = columns.pop("organization_id", self.organization)
        async with self.database.tx(SYSTEM) as tx:
            args = {"id": made.id, "organization": organization, "name": name, "now": tx.now}
            await tx.run(
                """
                INSERT INTO templates (id, organization_id, name, active_version_id, created_by,
                                       group_acl, created_at, updated_at)
                VALUES (%(id)s, %(organization)s, %(name)s, %(version)s, %(by)s,
                        jsonb_build_object(%(organization)s::uuid, 'use'), %(now)s, %(now)s)
                """,
                {**args, "version": made.version, "by": self.owner.id},
            )
        await self.set_template(made, **columns)
        await self.add_version(
            made, *parameters, version=made.version, archive=archive, organization=organization
        )
        return made

    async def set_template(self, made: Made, **columns: Any) -> None:
        """Change columns of a template."""
        async with self.database.tx(SYSTEM) as tx:
            for column, value in columns.items():
                await tx.run(
                    f"UPDATE templates SET {column} = %(value)s WHERE id = %(id)s",  # pyright: ignore[reportArgumentType]
                    {"value": value, "id": made.id},
                )

    async def add_version(
        self,
        of: Made | None,
        *parameters: Parameter,
        version: UUID | None = None,
        name: str = "",
        error: str = "",
        archive: bytes = b"tar",
        organization: UUID | None = None,
    ) -> UUID:
        """Write a version whose import ended."""
        version = version or uuid4()
        async with self.database.tx(SYSTEM) as tx:
            args = {
                "file": uuid4(),
                "job": uuid4(),
                "version": version,
                "template": of.id if of else None,
                "organization": organization or self.organization,
                "name": name or f"v{version.hex[:6]}",
                "by": self.owner.id,
                "data": archive,
                "error": error,
                "now": tx.now,
            }
            await tx.run(TEMPLATE, args)
            for position, parameter in enumerate(parameters):
                row = {
                    "version": version,
                    "position": position,
                    "name": parameter.name,
                    "type": parameter.type,
                    "mutable": parameter.mutable,
                    "ephemeral": parameter.ephemeral,
                    "required": parameter.required,
                    "default": parameter.default_value,
                    "options": jsonb([]),
                }
                await tx.run(
                    """
                    INSERT INTO template_version_parameters
                           (template_version_id, position, name, type, mutable, ephemeral,
                            required, default_value, options)
                    VALUES (%(version)s, %(position)s, %(name)s, %(type)s, %(mutable)s,
                            %(ephemeral)s, %(required)s, %(default)s, %(options)s)
                    """,
                    row,
                )
        return version

    def daemons(self) -> Daemons:
        """Return a worker over this world's terraform."""
        terraform = self.driver or self.terraform
        options = BuildOptions(ACCESS_URL, lambda: {"linux_amd64": "start ${ACCESS_URL}"})
        registry = Registry({JobType.WORKSPACE_BUILD: BuildKind(options)})
        means = Means(self.database, self.pubsub, registry, terraform)
        return Daemons(means, DaemonOptions(self.cache, "host", 1))

    async def work(self) -> int:
        """Run every job that waits; return how many there were."""
        daemons, count = self.daemons(), 0
        while await daemons.turn("host-0"):
            count += 1
        return count

    async def create(self, who: Person | None = None, name: str = "dev", **body: Any) -> Any:
        """Create a workspace over HTTP; return its JSON."""
        person = who or self.ann
        wanted = {"name": name, "template_id": str(self.template.id), **body}
        answer = await person.api.post("/users/me/workspaces", json=wanted)
        assert answer.status_code == 201, answer.text
        return answer.json()

    async def running(self, who: Person | None = None, name: str = "dev", **body: Any) -> Any:
        """Create a workspace and have it started; return its JSON."""
        made = await self.create(who, name, **body)
        await self.work()
        return await self.get(who or self.ann, f"/workspaces/{made['id']}")

    async def get(self, who: Person, path: str) -> Any:
        """Return the JSON at ``path``."""
        answer = await who.api.get(path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def build(
        self, workspace: Any, transition: str, who: Person | None = None, **body: Any
    ) -> Any:
        """Order a build over HTTP; return its JSON."""
        path = f"/workspaces/{workspace['id']}/builds"
        answer = await (who or self.ann).api.post(path, json={"transition": transition, **body})
        assert answer.status_code == 201, answer.text
        return answer.json()

    async def value(self, sql: str, **args: Any) -> Any:
        """Return one value of the database."""
        async with self.database.tx(SYSTEM) as tx:
            return await tx.value(sql, args)  # pyright: ignore[reportArgumentType]


def with_agent(state: bytes = b'{"serial": 2}', **agent: Any) -> Built:
    """Return a build that made a container with an agent and an app."""
    made = replace(Agent("main", token=TOKEN, apps=(App("code", "Code"),)), **agent)
    return Built(state=state, resources=(Resource("box", "docker_container", agents=(made,)),))


@asynccontextmanager
async def opened(database: Database, cache: Path) -> AsyncGenerator[World]:
    """Yield a world in which an owner and Ann are members."""
    routers = (identity.routes, provisioning.routes, workspaces.routes)
    async with gathered(database, routers=routers) as people:
        pubsub = Pubsub(database.dsn)
        provide(people.app, Pubsub, pubsub)
        provide(people.app, WorkspaceRules, WorkspaceRules())
        provide(people.app, FormDesk, FormDesk(database, None, ACCESS_URL))
        listening = asyncio.ensure_future(pubsub.run())
        await pubsub.listening.wait()
        world = World(people, FakeTerraform(), cache, pubsub)
        await world.begin()
        try:
            yield world
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)
