"""From a token or an id to the workspace an agent belongs to."""

from typing import Any
from uuid import UUID, uuid4

from server import workspaces
from server.kit.authz import Action, Kind
from server.kit.crypto import hash_secret
from server.workspaces import AgentIdentity
from tests.server.workspaces.world import SYSTEM, TOKEN, World, with_agent


async def by_token(world: World, token: str = TOKEN) -> AgentIdentity | None:
    async with world.database.tx(SYSTEM) as tx:
        return await workspaces.agent_by_token(tx, hash_secret(token))


def agent_id(workspace: Any) -> UUID:
    return UUID(workspace["latest_build"]["resources"][0]["agents"][0]["id"])


async def test_a_token_tells_the_newest_agent_and_where_it_belongs(world: World) -> None:
    world.terraform.script(builds=[with_agent(), with_agent()])
    made = await world.running()
    found = await by_token(world)
    assert found is not None
    assert (found.agent_id, found.agent_name) == (agent_id(made), "main")
    assert (found.workspace_name, found.owner_name) == ("dev", "ann")
    assert (found.build_number, found.transition, found.latest) == (1, "start", True)
    assert found.object.kind is Kind.WORKSPACE
    assert await by_token(world, str(uuid4())) is None
    # Terraform keeps the token from build to build; each build has an agent of its own.
    await world.build(made, "start")
    old = await by_token(world)
    assert old is not None
    assert (old.build_number, old.latest) == (1, False)
    await world.work()
    new = await by_token(world)
    assert new is not None
    assert (new.build_number, new.latest) == (2, True)
    assert new.agent_id != found.agent_id


async def test_an_agent_stays_the_latest_while_its_stop_runs_and_not_after(world: World) -> None:
    world.terraform.script(builds=[with_agent()])
    made = await world.running()
    await world.build(made, "stop")
    stopping = await by_token(world)
    assert stopping is not None
    assert stopping.latest
    await world.work()
    stopped = await by_token(world)
    assert stopped is not None
    assert not stopped.latest


async def test_an_agent_is_seen_by_whoever_may_do_that_to_its_workspace(world: World) -> None:
    world.terraform.script(builds=[with_agent()])
    made = await world.running()
    bob = await world.people.add("bob")
    viewer = await world.people.add("tess", "template-admin")
    reads: dict[str, tuple[bool, bool]] = {}
    for who in (world.owner, world.ann, bob, viewer):
        async with world.database.tx(await world.people.actor(who)) as tx:
            seen = await workspaces.agent(tx, agent_id(made))
            entered = await workspaces.agent(tx, agent_id(made), Action.SSH)
            reads[who.username] = (seen is not None, entered is not None)
    assert reads == {
        "root": (True, True),
        "ann": (True, True),
        "bob": (False, False),
        "tess": (True, False),
    }


async def test_agents_of_deleted_and_dormant_workspaces_say_so(world: World) -> None:
    world.terraform.script(builds=[with_agent()])
    made = await world.running()
    await world.ann.api.put(f"/workspaces/{made['id']}/dormant", json={"dormant": True})
    dormant = await by_token(world)
    assert dormant is not None
    assert dormant.object.kind is Kind.WORKSPACE_DORMANT
    async with world.database.tx(await world.people.actor(world.ann)) as tx:
        assert await workspaces.agent(tx, agent_id(made)) is not None
        assert await workspaces.agent(tx, agent_id(made), Action.SSH) is None
    await world.build(made, "delete")
    await world.work()
    gone = await by_token(world)
    assert gone is not None
    assert (gone.deleted, gone.latest) == (True, False)


async def test_use_from_a_connection_bumps_the_workspace(world: World) -> None:
    made = await world.running(ttl_ms=60_000)
    async with world.database.tx(SYSTEM) as tx:
        await workspaces.use(tx, UUID(made["id"]))
    after = await world.get(world.ann, f"/workspaces/{made['id']}")
    assert after["latest_build"]["deadline"] > made["latest_build"]["deadline"]
