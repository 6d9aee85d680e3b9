"""Lists: two hundred workspaces, every search key, and a number of queries that stays."""

from dataclasses import dataclass, replace
from typing import Any
from uuid import uuid4

from server.kit.authz import Actor
from server.kit.db import Database, Tx
from server.kit.routing import Page
from server.workspaces import WorkspaceRules
from server.workspaces.actions import show
from tests.bench import bench_list_workspaces as many
from tests.server.workspaces.world import World, with_agent

RULES = WorkspaceRules()


@dataclass
class Counting:
    """A connection that counts the statements that go through it."""

    conn: Any
    statements: int = 0

    def cursor(self, **options: Any) -> Any:
        self.statements += 1
        return self.conn.cursor(**options)

    async def execute(self, *args: Any) -> Any:
        self.statements += 1
        return await self.conn.execute(*args)


async def seed(database: Database, rows: int) -> Actor:
    """Fill the database like the benchmark does; return a member with workspaces."""
    async with database.tx(many.ADMIN) as tx:
        await tx.conn.execute(many.seed(rows))
        member = await tx.value(many.MEMBER_ID)
    return Actor(member, "user7", frozenset(), {many.ORGANIZATION: frozenset()})


async def queries(database: Database, limit: int) -> int:
    """Return how many statements a page takes."""
    async with database.tx(many.ADMIN) as tx:
        counting = Counting(tx.conn)
        counted: Tx = replace(tx, conn=counting)
        page = await show.search(counted, "status:running", Page(limit, 0, None), RULES)
    assert len(page.workspaces) == limit
    return counting.statements


async def test_the_number_of_queries_does_not_depend_on_the_number_of_workspaces(
    database: Database,
) -> None:
    await seed(database, 200)
    assert await queries(database, 3) in {MOST_QUERIES - 1, MOST_QUERIES}
    assert await queries(database, 100) == MOST_QUERIES


MOST_QUERIES = 10
"""One for the page, one for builds, one for jobs, six for what they made, and one for the names of
those whom any of them is shared with."""


async def test_two_hundred_workspaces_in_pages(database: Database) -> None:
    member = await seed(database, 400)
    seen: list[str] = []
    async with database.tx(many.ADMIN) as tx:
        for offset in range(0, 400, 90):
            page = await show.search(tx, "", Page(90, offset, None), RULES)
            assert page.count == 400
            seen += [each.name for each in page.workspaces]
        beyond = await show.search(tx, "", Page(90, 1000, None), RULES)
    assert sorted(seen) == sorted(f"ws{number}" for number in range(1, 401))
    assert (beyond.workspaces, beyond.count) == ([], 400)
    async with database.tx(member) as tx:
        mine = await show.search(tx, "owner:me", Page(0, 0, None), RULES)
        all_seen = await show.search(tx, "", Page(0, 0, None), RULES)
    assert [each.name for each in mine.workspaces] == ["ws206", "ws6"]
    assert mine.count == 2
    shared = {f"ws{hundreds}{end}" for hundreds in ("", 1, 2, 3) for end in (77, 99)}
    assert {each.name for each in all_seen.workspaces} == {"ws206", "ws6"} | shared
    assert all_seen.count == 10


async def test_what_runs_comes_first_then_by_owner_and_name(database: Database) -> None:
    await seed(database, 200)
    async with database.tx(many.ADMIN) as tx:
        page = await show.search(tx, "", Page(0, 0, None), RULES)
    order = [
        (each.latest_build.status != "running", each.owner_name, each.name)
        for each in page.workspaces
    ]
    assert len(order) == 200
    assert order == sorted(order)
    for each in page.workspaces:
        number = int(each.name.removeprefix("ws"))
        failed, stopped = number % 17 == 0, number % 3 == 0
        expected = "failed" if failed else "stopped" if stopped else "running"
        assert each.latest_build.status == expected
        [agent] = each.latest_build.agents()
        assert [app.slug for app in agent.apps] == ["app1", "app2"]


async def found(world: World, q: str, **params: Any) -> list[str]:
    """Return the names of what the owner's search finds."""
    answer = await world.owner.api.get("/workspaces", params={"q": q, **params})
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert len(body["workspaces"]) == body["count"]
    return sorted(each["name"] for each in body["workspaces"])


async def test_every_search_key(world: World) -> None:
    world.terraform.script(builds=[with_agent(), with_agent()])
    alpha = await world.running(name="alpha")
    beta = await world.running(world.owner, name="beta")
    gamma = await world.create(name="gamma")
    await world.value(
        """
        UPDATE workspace_agents
           SET first_connected_at = now(), last_connected_at = now(), disconnected_at = NULL
         WHERE resource_id = %(resource)s RETURNING 1
        """,
        resource=alpha["latest_build"]["resources"][0]["id"],
    )
    await world.value(
        """
        UPDATE workspaces SET dormant_at = now(), last_used_at = '2020-01-01',
                              user_acl = jsonb_build_object(%(ann)s::text, 'use'::text),
                              group_acl = jsonb_build_object(%(group)s::text, 'use'::text)
         WHERE id = %(id)s RETURNING 1
        """,
        id=beta["id"],
        ann=str(world.ann.id),
        group=str(world.organization),
    )
    await world.value(
        "INSERT INTO workspace_build_parameters VALUES (%(id)s, 'Size', 'Big') RETURNING 1",
        id=beta["latest_build"]["id"],
    )
    await world.value(
        "UPDATE workspace_builds SET has_ai_task = true, has_external_agent = true"
        " WHERE id = %(id)s RETURNING 1",
        id=alpha["latest_build"]["id"],
    )
    other = await world.add_template("other")
    await world.set_template(world.template, active_version_id=other.version)
    await world.value(
        "UPDATE workspace_builds SET template_version_id = %(v)s WHERE id = %(id)s RETURNING 1",
        v=other.version,
        id=gamma["latest_build"]["id"],
    )
    everything = ["alpha", "beta", "gamma"]
    expected = {
        "": everything,
        "owner:me": ["beta"],
        "owner:ANN": ["alpha", "gamma"],
        "name:AM": ["gamma"],
        "bet": ["beta"],
        "ann/alp": ["alpha"],
        "me/bet": ["beta"],
        "template:plain": everything,
        "template:other": [],
        "organization:default": everything,
        "organization:nowhere": [],
        f"organization:{world.organization}": everything,
        "status:running": ["alpha", "beta"],
        "status:pending": ["gamma"],
        "status:deleted": [],
        f"id:{alpha['id']},{gamma['id']}": ["alpha", "gamma"],
        f"id:{uuid4()}": [],
        "has-agent:connected": ["alpha"],
        "has-agent:connecting,timeout": ["beta"],
        "healthy:true": ["alpha"],
        "healthy:false": [],
        "dormant:true": ["beta"],
        "dormant:false": ["alpha", "gamma"],
        'last_used_before:"2021-01-01T00:00:00Z"': ["beta"],
        'last_used_after:"2021-01-01T00:00:00Z"': ["alpha", "gamma"],
        "outdated:true": ["alpha", "beta"],
        "outdated:false": ["gamma"],
        "has-ai-task:true": ["alpha"],
        "has_external_agent:false": ["beta", "gamma"],
        "shared:true": ["beta"],
        "shared:false": ["alpha", "gamma"],
        "shared_with_user:ann": ["beta"],
        "shared_with_user:me": [],
        f"shared_with_group:{world.organization}": ["beta"],
        "param:size": ["beta"],
        "param:size=big": ["beta"],
        "param:size=small": [],
        "owner:ann status:running": ["alpha"],
    }
    assert {q: await found(world, q) for q in expected} == expected


async def test_deleted_workspaces_are_found_only_when_asked_for(world: World) -> None:
    made = await world.running()
    await world.build(made, "delete")
    await world.work()
    assert await found(world, "") == []
    assert await found(world, "status:deleted") == ["dev"]
    assert (await world.ann.api.get("/users/me/workspace/dev")).status_code == 404
    shown = await world.get(world.ann, "/users/me/workspace/dev?include_deleted=true")
    assert shown["latest_build"]["status"] == "deleted"


async def test_a_bad_search_is_refused_by_field(world: World) -> None:
    for key, value, field in (("q", "colour:red", "colour"), ("limit", "-1", "limit")):
        answer = await world.owner.api.get("/workspaces", params={key: value})
        assert answer.status_code == 400
        assert [bad["field"] for bad in answer.json()["validations"]] == [field]
