"""What creating a workspace checks, and that a refusal leaves nothing behind."""

import asyncio
from typing import Any
from uuid import uuid4

from server.terraform import BuildRequest, Parameter
from tests.server.workspaces.world import World

SIZE = Parameter("size", mutable=True, required=True)
REGION = Parameter("region", mutable=False, required=True)
DEBUG = Parameter("debug", ephemeral=True, mutable=True, default_value="no")


async def refused(world: World, status: int, **body: Any) -> Any:
    """Try to create as Ann; return the body of the refusal."""
    wanted = {"name": "dev", "template_id": str(world.template.id), **body}
    answer = await world.ann.api.post("/users/me/workspaces", json=wanted)
    assert answer.status_code == status, answer.text
    return answer.json()


async def count(world: World) -> int:
    return await world.value("SELECT count(*) FROM workspaces")


async def test_a_name_is_taken_in_whatever_case_until_its_workspace_is_deleted(
    world: World,
) -> None:
    await world.create(name="Dev")
    assert await refused(world, 409, name="dEV") == {
        "message": 'Workspace "dEV" already exists.',
        "validations": [
            {
                "field": "name",
                "detail": "This value is already in use and should be unique.",
            }
        ],
    }
    assert (await world.create(world.owner, name="dev"))["owner_name"] == "root"


async def test_of_parallel_creates_of_one_name_exactly_one_wins(world: World) -> None:
    body = {"name": "dev", "template_id": str(world.template.id)}
    post = world.ann.api.post
    answers = await asyncio.gather(*(post("/users/me/workspaces", json=body) for _ in range(5)))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409, 409]
    refused = next(answer for answer in answers if answer.status_code == 409)
    assert refused.json()["message"] == 'Workspace "dev" already exists.'
    assert await world.value("SELECT count(*) FROM workspaces") == 1
    assert await world.value("SELECT count(*) FROM workspace_builds") == 1


async def test_a_bad_name_is_refused(world: World) -> None:
    for name in ("", "new", "Create", "a--b", "-a", "a_b", "x" * 33, "ä"):
        body = await refused(world, 400, name=name)
        assert [bad["field"] for bad in body["validations"]] == ["name"], name


async def test_a_template_or_a_version_but_not_both(world: World) -> None:
    version = str(world.template.version)
    both = await refused(world, 400, template_version_id=version)
    assert {bad["field"] for bad in both["validations"]} == {"template_id", "template_version_id"}
    await refused(world, 400, template_id=None)
    made = await world.create(template_id=None, template_version_id=version)
    assert made["latest_build"]["template_version_id"] == version


async def test_unknown_templates_and_versions_are_named(world: World) -> None:
    ghost = str(uuid4())
    body = await refused(world, 400, template_id=ghost)
    assert body == {
        "message": f'Template "{ghost}" doesn\'t exist.',
        "validations": [{"field": "template_id", "detail": "template not found"}],
    }
    body = await refused(world, 400, template_id=None, template_version_id=ghost)
    assert body["validations"] == [
        {"field": "template_version_id", "detail": "template version not found"}
    ]


async def test_a_template_of_a_foreign_organization_looks_like_none(world: World) -> None:
    elsewhere = await world.people.organization("elsewhere")
    foreign = await world.add_template("foreign", organization_id=elsewhere)
    body = await refused(world, 400, template_id=str(foreign.id))
    assert body["message"] == f'Template "{foreign.id}" doesn\'t exist.'
    # The owner sees it, but is no member there.
    answer = await world.owner.api.post(
        "/users/me/workspaces", json={"name": "dev", "template_id": str(foreign.id)}
    )
    assert answer.status_code == 400
    assert "is not a member of organization" in answer.json()["message"]
    path = "/organizations/default/members/me/workspaces"
    body = {"name": "dev", "template_id": str(foreign.id)}
    assert (await world.owner.api.post(path, json=body)).status_code == 400


async def test_the_path_with_an_organization_works_too(world: World) -> None:
    answer = await world.ann.api.post(
        "/organizations/default/members/ann/workspaces",
        json={"name": "dev", "template_id": str(world.template.id)},
    )
    assert answer.status_code == 201
    assert answer.json()["organization_id"] == str(world.organization)


async def test_a_deprecated_template_takes_no_new_workspaces(world: World) -> None:
    await world.set_template(world.template, deprecated="Use the other one.")
    body = await refused(world, 400)
    assert "deprecated" in body["message"]
    assert body["detail"] == "Use the other one."


async def test_a_version_whose_import_failed_cannot_be_built(world: World) -> None:
    broken = await world.add_version(world.template, error="no main.tf", name="broken")
    body = await refused(world, 400, template_id=None, template_version_id=str(broken))
    assert '"broken"' in body["message"]
    assert '"failed"' in body["message"]
    assert await count(world) == 0


async def test_parameters_are_checked_one_by_one_and_nothing_is_written(world: World) -> None:
    template = await world.add_template("asks", SIZE, REGION, DEBUG)
    body = await refused(
        world,
        400,
        template_id=str(template.id),
        rich_parameter_values=[{"name": "colour", "value": "red"}],
    )
    assert {bad["field"] for bad in body["validations"]} == {"colour", "size", "region"}
    assert await count(world) == 0
    twice = [{"name": "size", "value": "a"}, {"name": "size", "value": "b"}]
    body = await refused(world, 400, template_id=str(template.id), rich_parameter_values=twice)
    assert body["validations"][0]["field"] == "rich_parameter_values"


async def test_values_carry_over_except_ephemeral_and_immutable_ones_stay(world: World) -> None:
    template = await world.add_template("asks", SIZE, REGION, DEBUG)
    values = [
        {"name": "size", "value": "big"},
        {"name": "region", "value": "eu"},
        {"name": "debug", "value": "yes"},
    ]
    made = await world.running(template_id=str(template.id), rich_parameter_values=values)
    first = made["latest_build"]["id"]
    assert await world.get(world.ann, f"/workspacebuilds/{first}/parameters") == [
        {"name": "debug", "value": "yes"},
        {"name": "region", "value": "eu"},
        {"name": "size", "value": "big"},
    ]
    second = await world.build(
        made, "start", rich_parameter_values=[{"name": "size", "value": "small"}]
    )
    assert await world.get(world.ann, f"/workspacebuilds/{second['id']}/parameters") == [
        {"name": "debug", "value": "no"},
        {"name": "region", "value": "eu"},
        {"name": "size", "value": "small"},
    ]
    await world.work()
    request = world.terraform.asked[1]
    assert isinstance(request, BuildRequest)
    assert request.parameters == {"debug": "no", "region": "eu", "size": "small"}
    assert request.previous_parameters["size"] == "big"
    moved = await world.ann.api.post(
        f"/workspaces/{made['id']}/builds",
        json={
            "transition": "start",
            "rich_parameter_values": [{"name": "region", "value": "us"}],
        },
    )
    assert moved.status_code == 400
    assert "not mutable" in moved.json()["validations"][0]["detail"]
    filled = await world.get(world.ann, f"/users/me/autofill-parameters?template_id={template.id}")
    assert filled == [{"name": "region", "value": "eu"}, {"name": "size", "value": "small"}]


async def test_a_preset_fills_in(world: World) -> None:
    template = await world.add_template("asks", SIZE)
    preset = await world.value(
        """
        INSERT INTO template_version_presets (id, template_version_id, name, parameters)
        VALUES (gen_random_uuid(), %(version)s, 'big', '{"size": "big"}') RETURNING id
        """,
        version=template.version,
    )
    template_id = str(template.id)
    made = await world.create(template_id=template_id, template_version_preset_id=str(preset))
    build = made["latest_build"]
    assert build["template_version_preset_id"] == str(preset)
    parameters = await world.get(world.ann, f"/workspacebuilds/{build['id']}/parameters")
    assert parameters == [{"name": "size", "value": "big"}]
    unknown = {"name": "other", "template_version_preset_id": str(uuid4())}
    body = await refused(world, 400, template_id=template_id, **unknown)
    assert body["validations"][0]["field"] == "template_version_preset_id"


async def test_lifetimes_and_schedules_follow_the_template(world: World) -> None:
    await world.set_template(world.template, default_ttl_ms=7_200_000)
    assert (await world.create(name="a"))["ttl_ms"] == 7_200_000
    assert (await world.create(name="b", ttl_ms=60_000))["ttl_ms"] == 60_000
    assert (await world.create(name="c", ttl_ms=0))["ttl_ms"] is None
    body = await refused(world, 400, name="d", ttl_ms=59_999)
    assert body["validations"][0] == {
        "field": "ttl_ms",
        "detail": "time until shutdown must be at least one minute",
    }
    daily = "CRON_TZ=Europe/Dublin 30 9 * * *"
    made = await world.create(name="e", autostart_schedule=daily)
    assert made["autostart_schedule"] == daily
    assert made["next_start_at"] is not None
    body = await refused(world, 400, name="f", autostart_schedule="whenever")
    assert body["validations"][0]["field"] == "schedule"
    await world.set_template(world.template, allow_user_autostart=False, allow_user_autostop=False)
    body = await refused(world, 400, name="g", autostart_schedule=daily)
    assert body["message"] == "Autostart is not allowed for workspaces using this template."
    assert (await world.create(name="h", ttl_ms=60_000))["ttl_ms"] == 7_200_000


async def test_who_may_create_for_whom(world: World) -> None:
    bob = await world.people.add("bob")
    body = {"name": "dev", "template_id": str(world.template.id)}
    theirs = await bob.api.post("/users/ann/workspaces", json=body)
    nobodys = await bob.api.post("/users/nobody/workspaces", json=body)
    assert (theirs.status_code, nobodys.status_code) == (404, 404)
    assert theirs.content == nobodys.content
    for_ann = await world.owner.api.post("/users/ann/workspaces", json=body)
    assert for_ann.status_code == 201
    assert for_ann.json()["owner_name"] == "ann"
    assert for_ann.json()["latest_build"]["initiator_name"] == "root"
    banned = await world.people.add("cid", inside=["organization-workspace-creation-ban"])
    assert (await banned.api.post("/users/me/workspaces", json=body)).status_code == 403


async def test_a_broken_body_is_refused_in_the_one_error_form(world: World) -> None:
    answer = await world.ann.api.post("/users/me/workspaces", content=b"{")
    assert answer.status_code == 400
    assert answer.json()["message"] == "Request body must be valid JSON."
