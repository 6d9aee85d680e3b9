"""Lists of access: who sees, uses and changes a template, and that lists and checks agree."""

from typing import Any
from uuid import UUID

import pytest

from server.kit.authz import as_system
from server.kit.db import jsonb
from tests.server.templates.conftest import ORG, Workshop
from tests.support.people import Person


async def share(admin: Person, template: dict[str, Any], **perms: dict[str, str]) -> None:
    answer = await admin.api.patch(f"/templates/{template['id']}/acl", json=perms)
    assert answer.status_code == 200, answer.text
    assert answer.json()["message"] == "Successfully updated template ACL list."


async def names(person: Person) -> list[str]:
    found = [row["name"] for row in (await person.api.get("/templates")).json()]
    assert [row["name"] for row in (await person.api.get(f"{ORG}/templates")).json()] == found
    return found


async def organization(admin: Person) -> str:
    return (await admin.api.get("/organizations/default")).json()["id"]


async def test_everybody_of_the_organization_may_use_a_template_by_default(
    shop: Workshop, admin: Person, member: Person
) -> None:
    made = await shop.template(admin)
    acl = (await admin.api.get(f"/templates/{made['id']}/acl")).json()
    assert acl["users"] == []
    [everyone] = acl["group"]
    assert (everyone["id"], everyone["name"], everyone["role"]) == (
        await organization(admin),
        "Everyone",
        "use",
    )
    assert [person["username"] for person in everyone["members"]] == ["ann", "bob"]
    assert everyone["total_member_count"] == 2
    assert await names(member) == ["docker"]


async def test_a_private_template_is_hidden_like_a_missing_one(
    shop: Workshop, admin: Person, member: Person
) -> None:
    made = await shop.template(admin, disable_everyone_group_access=True)
    assert await names(member) == []
    assert await names(admin) == ["docker"]
    version = made["active_version_id"]
    for path in (
        f"/templates/{made['id']}",
        f"/templates/{made['id']}/versions",
        f"{ORG}/templates/docker",
        f"/templateversions/{version}",
        f"/templateversions/{version}/rich-parameters",
        f"/templateversions/{version}/logs",
    ):
        assert (await member.api.get(path)).status_code == 404, path
    await share(admin, made, user_perms={str(member.id): "use"})
    assert await names(member) == ["docker"]
    assert (await member.api.get(f"/templateversions/{version}")).status_code == 200
    assert (await member.api.patch(f"/templates/{made['id']}", json={})).status_code == 403


async def test_roles_are_given_changed_and_taken(
    shop: Workshop, admin: Person, member: Person
) -> None:
    made = await shop.template(admin)
    path = f"/templates/{made['id']}"
    home = await organization(admin)
    assert (await member.api.get(f"{path}/acl")).status_code == 403
    await share(admin, made, user_perms={str(member.id): "admin"}, group_perms={home: ""})
    acl = (await member.api.get(f"{path}/acl")).json()
    assert [(user["username"], user["role"]) for user in acl["users"]] == [("bob", "admin")]
    assert acl["users"][0]["email"] == "bob@example.com"
    assert acl["group"] == []
    renamed = await member.api.patch(path, json={"display_name": "Bob's"})
    assert renamed.json()["display_name"] == "Bob's"
    await share(admin, made, user_perms={str(member.id): ""})
    assert await names(member) == []
    await share(admin, made, group_perms={home: "admin"})
    assert (await member.api.patch(path, json={"display_name": ""})).status_code == 200


async def test_an_administrator_by_list_pushes_and_reads_the_archive(
    shop: Workshop, admin: Person, member: Person
) -> None:
    made = await shop.template(admin)
    file_id = (await shop.version(admin, made["active_version_id"]))["job"]["file_id"]
    assert (await member.api.get(f"/files/{file_id}")).status_code == 404
    await share(admin, made, user_perms={str(member.id): "admin"})
    assert (await member.api.get(f"/files/{file_id}")).status_code == 200
    pushed = await shop.push(member, template_id=made["id"])
    path = f"/templates/{made['id']}/versions"
    assert (await member.api.patch(path, json={"id": pushed["id"]})).status_code == 200
    drafts = await member.api.post(
        f"{ORG}/templateversions", json={"file_id": await shop.upload(member)}
    )
    assert drafts.status_code == 403


@pytest.mark.parametrize("field", ["user_perms", "group_perms"])
async def test_strangers_and_bad_ids_get_no_role(shop: Workshop, admin: Person, field: str) -> None:
    made = await shop.template(admin)
    elsewhere = await shop.people.organization("elsewhere")
    eve = await shop.people.add("eve", organization=elsewhere)
    stranger = str(eve.id) if field == "user_perms" else str(elsewhere)
    path = f"/templates/{made['id']}/acl"
    for perms in ({stranger: "use"}, {"bob": "use"}):
        refused = await admin.api.patch(path, json={field: perms})
        assert refused.status_code == 400
        assert refused.json()["message"] == "Invalid request to update template acl!"
        assert refused.json()["validations"][0]["field"] == field
    unknown = await admin.api.patch(path, json={field: {stranger: "owner"}})
    assert unknown.json()["validations"][0]["field"] == f"{field}.{stranger}"
    taken = await admin.api.patch(path, json={field: {stranger: ""}})
    assert taken.status_code == 200


async def test_a_role_ends_with_the_membership(
    shop: Workshop, admin: Person, member: Person
) -> None:
    made = await shop.template(admin)
    await share(admin, made, user_perms={str(member.id): "admin"})
    elsewhere = await shop.people.organization("elsewhere")
    eve = await shop.people.add("eve", organization=elsewhere)
    async with shop.people.database.tx(await shop.people.actor(admin)) as tx:
        await tx.run(
            "UPDATE templates SET user_acl = %(acl)s", {"acl": jsonb({str(eve.id): "admin"})}
        )
    assert (await eve.api.get("/templates")).json() == []
    assert (await eve.api.get(f"/templates/{made['id']}")).status_code == 404


async def test_whom_it_could_be_shared_with_is_searched_in_pages(
    shop: Workshop, admin: Person, member: Person
) -> None:
    made = await shop.template(admin)
    path = f"/templates/{made['id']}/acl/available"
    assert (await member.api.get(path)).status_code == 403
    everybody = (await admin.api.get(path)).json()
    assert [user["username"] for user in everybody["users"]] == ["ann", "bob"]
    assert [group["name"] for group in everybody["groups"]] == ["Everyone"]
    found = (await admin.api.get(path, params={"q": "BO"})).json()
    assert [user["username"] for user in found["users"]] == ["bob"]
    second = (await admin.api.get(path, params={"limit": 1, "offset": 1})).json()
    assert [user["username"] for user in second["users"]] == ["bob"]


async def test_everybodys_access_is_a_setting(
    shop: Workshop, admin: Person, member: Person
) -> None:
    made = await shop.template(admin)
    path = f"/templates/{made['id']}"
    hide = {"disable_everyone_group_access": True}
    assert (await admin.api.patch(path, json=hide)).status_code == 200
    assert await names(member) == []
    assert (await admin.api.patch(path, json=hide)).status_code == 304
    show = {"disable_everyone_group_access": False}
    assert (await admin.api.patch(path, json=show)).status_code == 200
    assert await names(member) == ["docker"]


async def test_rights_that_are_asked_for_in_bulk_know_the_lists(
    shop: Workshop, admin: Person, member: Person
) -> None:
    made = await shop.template(admin, disable_everyone_group_access=True)
    checks = {
        action: {
            "object": {"resource_type": "template", "resource_id": made["id"]},
            "action": action,
        }
        for action in ("read", "use", "update")
    }
    asked = await member.api.post("/authcheck", json={"checks": checks})
    assert asked.json() == {"read": False, "use": False, "update": False}
    await share(admin, made, user_perms={str(member.id): "use"})
    asked = await member.api.post("/authcheck", json={"checks": checks})
    assert asked.json() == {"read": True, "use": True, "update": False}
    assert UUID(made["id"])


async def test_whoever_only_reads_a_template_plans_nothing_with_it(
    shop: Workshop, admin: Person
) -> None:
    made = await shop.template(admin, disable_everyone_group_access=True)
    auditor = await shop.people.add("carl", "auditor")
    path = f"/templateversions/{made['active_version_id']}"
    assert (await auditor.api.get(path)).status_code == 200
    refused = await auditor.api.post(f"{path}/dry-run", json={})
    assert (refused.status_code, refused.json()["detail"]) == (
        403,
        "use on template is not allowed.",
    )
    await share(admin, made, user_perms={str(auditor.id): "use"})
    assert (await auditor.api.post(f"{path}/dry-run", json={})).status_code == 201


async def test_a_daemon_does_not_tell_the_names_of_hidden_templates(
    shop: Workshop, admin: Person, member: Person
) -> None:
    made = await shop.template(admin, disable_everyone_group_access=True)
    async with shop.people.database.tx(as_system("test")) as tx:
        await tx.run(
            """
            WITH d AS (INSERT INTO provisioner_daemons
                              (id, organization_id, name, version, api_version, provisioners,
                               tags, replica_id, key_id, created_at, last_seen_at)
                       SELECT gen_random_uuid(), organization_id, 'd', 'v', '1.6', '{terraform}',
                              '{}', gen_random_uuid(), %(key_id)s, now(), now()
                         FROM templates WHERE id = %(id)s
                       RETURNING id)
            UPDATE provisioner_jobs SET worker_id = d.id FROM d
             WHERE provisioner_jobs.id IN (SELECT job_id FROM template_versions
                                            WHERE template_id = %(id)s)
            """,
            {"id": made["id"], "key_id": UUID(int=1)},
        )
    path = f"{ORG}/provisionerdaemons"
    for person, name in ((admin, "docker"), (member, "")):
        found = (await person.api.get(path)).json()
        [daemon] = [one for one in found if one["name"] == "d"]
        assert daemon["previous_job"]["template_name"] == name
