"""Dry runs: planned by whoever may make workspaces, seen by whoever began them."""

from uuid import uuid4

from server.terraform import (
    Agent,
    BuildRequest,
    Built,
    ErrorCode,
    Failure,
    Imported,
    Parameter,
    Resource,
    Variable,
)
from tests.server.templates.conftest import Workshop
from tests.support.people import Person

IMPORTED = Imported(
    parameters=(Parameter("region", required=True), Parameter("size", default_value="5")),
    variables=(Variable("image", default_value="ubuntu", value="debian"),),
)
GIVEN = {
    "workspace_name": "dev",
    "rich_parameter_values": [{"name": "region", "value": "eu"}],
    "user_variable_values": [{"name": "image", "value": "alpine"}],
}


async def test_a_member_plans_a_build_and_sees_what_it_would_make(
    shop: Workshop, admin: Person, member: Person
) -> None:
    template = await shop.template(admin, imported=IMPORTED)
    at = f"/templateversions/{template['active_version_id']}/dry-run"
    begun = await member.api.post(at, json=GIVEN)
    assert (begun.status_code, begun.json()["status"]) == (201, "pending")
    job = f"{at}/{begun.json()['id']}"
    assert (await member.api.get(f"{job}/resources")).status_code == 412
    container = Resource("dev", "docker_container", agents=(Agent("main", token="secret"),))
    shop.terraform.script(builds=[Built(resources=(container,))])
    await shop.daemons.turn("host-0")
    assert (await member.api.get(job)).json()["status"] == "succeeded"
    resources = (await member.api.get(f"{job}/resources")).json()
    assert resources[0]["agents"][0]["name"] == "main"
    asked = shop.terraform.asked[-1]
    assert isinstance(asked, BuildRequest)
    # As themselves, so that what depends on them is planned; their secrets stay out.
    assert (asked.workspace.name, asked.owner.name) == ("dev", "bob")
    assert (asked.owner.session_token, asked.owner.ssh_private_key) == ("", "")
    assert asked.parameters == {"region": "eu", "size": "5"}
    assert asked.variables == {"image": "alpine"}
    assert (await member.api.get(f"{job}/logs")).json()[-1]["stage"] == "Cleaning Up"
    assert (await member.api.get(f"{job}/matched-provisioners")).json()["available"] == 1
    assert (await member.api.patch(f"{job}/cancel")).status_code == 412


async def test_bad_values_and_failed_versions_are_refused_and_queue_nothing(
    shop: Workshop, admin: Person
) -> None:
    template = await shop.template(admin, imported=IMPORTED)
    missing = await admin.api.post(
        f"/templateversions/{template['active_version_id']}/dry-run", json={}
    )
    assert missing.status_code == 400
    assert missing.json()["validations"][0]["field"] == "region"
    failed = await shop.push(admin, Imported(error=Failure("no", ErrorCode.NONE)))
    refused = await admin.api.post(f"/templateversions/{failed['id']}/dry-run", json={})
    assert refused.status_code == 412
    assert not await shop.daemons.turn("host-0")


async def test_others_cannot_tell_a_dry_run_from_none(
    shop: Workshop, admin: Person, member: Person
) -> None:
    template = await shop.template(admin, imported=IMPORTED)
    at = f"/templateversions/{template['active_version_id']}/dry-run"
    mine = (await member.api.post(at, json=GIVEN)).json()["id"]
    carol = await shop.people.add("carol")
    hidden, missing = await carol.api.get(f"{at}/{mine}"), await carol.api.get(f"{at}/{uuid4()}")
    assert hidden.status_code == missing.status_code == 404
    assert hidden.json() == missing.json()
    assert (await carol.api.patch(f"{at}/{mine}/cancel")).status_code == 404
    assert (await admin.api.get(f"{at}/{mine}")).status_code == 200
    import_job = (await shop.version(admin, template["active_version_id"]))["job"]["id"]
    assert (await admin.api.get(f"{at}/{import_job}")).status_code == 404
    assert (await member.api.patch(f"{at}/{mine}/cancel")).status_code == 200


async def test_a_ban_on_making_workspaces_holds_for_dry_runs(shop: Workshop, admin: Person) -> None:
    template = await shop.template(admin, imported=IMPORTED)
    banned = await shop.people.add("dan", inside=("organization-workspace-creation-ban",))
    at = f"/templateversions/{template['active_version_id']}/dry-run"
    assert (await banned.api.post(at, json=GIVEN)).status_code == 403
