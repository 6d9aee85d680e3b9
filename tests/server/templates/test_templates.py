"""Templates: made, found, changed, promoted, archived, deleted, and who may."""

from typing import Any
from uuid import uuid4

from server.terraform import ErrorCode, Failure, Imported
from tests.server.templates.conftest import ORG, Workshop
from tests.support.people import Person

ADD_WORKSPACE = """
    INSERT INTO workspaces (id, owner_id, organization_id, template_id, name, last_used_at,
                            created_at, updated_at)
    SELECT gen_random_uuid(), %(owner)s, organization_id, id, 'dev', now(), now(), now()
      FROM templates WHERE id = %(template)s
"""


async def add_workspace(shop: Workshop, template: str, owner: Person) -> None:
    async with shop.people.database.tx(await shop.people.actor(owner)) as tx:
        await tx.run(ADD_WORKSPACE, {"owner": owner.id, "template": template})


async def test_a_template_is_made_of_an_imported_version(shop: Workshop, admin: Person) -> None:
    made = await shop.template(
        admin,
        "docker",
        display_name="Docker",
        description="Containers",
        default_ttl_ms=3_600_000,
        dormant_ttl_ms=5,
        autostart_requirement={"days_of_week": ["monday"]},
    )
    assert (made["name"], made["display_name"], made["default_ttl_ms"]) == (
        "docker",
        "Docker",
        3_600_000,
    )
    assert (made["created_by_name"], made["organization_name"]) == ("ann", "coder")
    assert made["time_til_dormant_ms"] == 5
    assert made["autostart_requirement"] == {"days_of_week": ["monday"]}
    assert made["build_time_stats"]["start"] == {"P50": None, "P95": None}
    assert (made["activity_bump_ms"], made["active_user_count"]) == (3_600_000, 0)
    same = [
        (await admin.api.get(path)).json()
        for path in (f"/templates/{made['id']}", f"{ORG}/templates/DOCKER")
    ]
    assert same == [made, made]


async def test_a_failed_version_makes_no_template(shop: Workshop, admin: Person) -> None:
    failed = await shop.push(admin, Imported(error=Failure("no", ErrorCode.NONE)))
    body = {"name": "docker", "template_version_id": failed["id"]}
    answer = await admin.api.post(f"{ORG}/templates", json=body)
    assert answer.status_code == 412
    assert (await admin.api.get("/templates")).json() == []


async def test_a_version_serves_one_template_and_names_are_unique(
    shop: Workshop, admin: Person
) -> None:
    made = await shop.template(admin)
    body = {"name": "other", "template_version_id": made["active_version_id"]}
    assert (await admin.api.post(f"{ORG}/templates", json=body)).status_code == 400
    version = await shop.push(admin)
    body = {"name": "Docker", "template_version_id": version["id"]}
    taken = await admin.api.post(f"{ORG}/templates", json=body)
    assert taken.status_code == 409
    assert (await shop.version(admin, version["id"]))["template_id"] is None


async def test_settings_change_one_by_one_and_nothing_is_304(shop: Workshop, admin: Person) -> None:
    made = await shop.template(admin, description="old", default_ttl_ms=7)
    path = f"/templates/{made['id']}"
    changed = await admin.api.patch(path, json={"description": "", "deprecation_message": "gone"})
    assert (changed.json()["description"], changed.json()["default_ttl_ms"]) == ("", 7)
    assert changed.json()["deprecated"] is True
    again = await admin.api.patch(path, json={"description": ""})
    assert (again.status_code, again.content) == (304, b"")
    weeks = {"autostop_requirement": {"days_of_week": ["sunday"], "weeks": 17}}
    refused = await admin.api.patch(path, json=weeks)
    assert refused.json()["validations"][0]["field"] == "autostop_requirement.weeks"


SEARCHES = {
    "": ["docker", "kubernetes"],
    "contain": ["docker"],
    "kube": ["kubernetes"],
    "name:ock": ["docker"],
    "exact_name:dock": [],
    "exact_name:docker": ["docker"],
    'exact_display_name:"my containers"': ["docker"],
    "deprecated:true": ["kubernetes"],
    "deprecated:false": ["docker"],
    "author:me": ["docker", "kubernetes"],
    "author:bob": [],
    "organization:default": ["docker", "kubernetes"],
    "organization:elsewhere": [],
    "deleted:true": [],
    "has-ai-task:true": [],
    "name:%": [],
}


async def test_every_search_key(shop: Workshop, admin: Person) -> None:
    await shop.template(admin, "docker", display_name="My containers")
    other = await shop.template(admin, "kubernetes")
    await admin.api.patch(f"/templates/{other['id']}", json={"deprecation_message": "no"})
    for path in ("/templates", f"{ORG}/templates"):
        found: dict[str, list[str]] = {}
        for q in SEARCHES:
            answer = await admin.api.get(path, params={"q": q})
            found[q] = [template["name"] for template in answer.json()]
        assert found == SEARCHES


async def test_an_unknown_search_key_is_an_error(shop: Workshop, admin: Person) -> None:
    answer = await admin.api.get("/templates", params={"q": "colour:red"})
    assert answer.status_code == 400
    assert answer.json()["validations"][0]["field"] == "colour"


async def test_promotion_wants_an_own_imported_version_that_is_not_archived(
    shop: Workshop, admin: Person
) -> None:
    made = await shop.template(admin)
    second = await shop.push(admin, template_id=made["id"])
    failed = await shop.push(
        admin, Imported(error=Failure("no", ErrorCode.NONE)), template_id=made["id"]
    )
    stranger = await shop.push(admin)
    path = f"/templates/{made['id']}/versions"
    assert (await admin.api.patch(path, json={"id": second["id"]})).status_code == 200
    template = (await admin.api.get(f"/templates/{made['id']}")).json()
    assert template["active_version_id"] == second["id"]
    assert (await admin.api.patch(path, json={"id": failed["id"]})).status_code == 412
    assert (await admin.api.patch(path, json={"id": stranger["id"]})).status_code == 400
    first = made["active_version_id"]
    await admin.api.post(f"/templateversions/{first}/archive")
    archived = await admin.api.patch(path, json={"id": first})
    assert archived.json()["message"] == "The provided template version is archived."


async def test_versions_are_listed_oldest_first_in_pages(shop: Workshop, admin: Person) -> None:
    made = await shop.template(admin)
    for name in ("b", "c", "d"):
        await shop.push(admin, template_id=made["id"], name=name)
    path = f"/templates/{made['id']}/versions"
    everything = (await admin.api.get(path)).json()
    assert [version["name"] for version in everything][1:] == ["b", "c", "d"]
    after = everything[1]["id"]
    page = (await admin.api.get(path, params={"after_id": after, "limit": 1})).json()
    assert [version["name"] for version in page] == ["c"]
    skipped = (await admin.api.get(path, params={"offset": 2, "limit": 5})).json()
    assert [version["name"] for version in skipped] == ["c", "d"]
    named = f"{ORG}/templates/docker/versions/C"
    assert (await admin.api.get(f"{named}/previous")).json()["name"] == "b"
    first = f"{ORG}/templates/docker/versions/{everything[0]['name']}/previous"
    assert (await admin.api.get(first)).status_code == 204
    assert (await admin.api.get(f"{path}/c")).json()[0]["id"] == page[0]["id"]


async def test_versions_in_use_are_not_archived(shop: Workshop, admin: Person) -> None:
    made = await shop.template(admin)
    unused = await shop.push(admin, template_id=made["id"])
    failed = await shop.push(
        admin, Imported(error=Failure("no", ErrorCode.NONE)), template_id=made["id"]
    )
    active = await admin.api.post(f"/templateversions/{made['active_version_id']}/archive")
    assert active.status_code == 400
    path = f"/templates/{made['id']}/versions/archive"
    only_failed = await admin.api.post(path, json={"all": False})
    assert only_failed.json()["archived_ids"] == [failed["id"]]
    everything = await admin.api.post(path, json={"all": True})
    assert everything.json()["archived_ids"] == [unused["id"]]
    listed = f"/templates/{made['id']}/versions"
    assert len((await admin.api.get(listed)).json()) == 1
    assert len((await admin.api.get(listed, params={"include_archived": True})).json()) == 3
    await admin.api.post(f"/templateversions/{unused['id']}/unarchive")
    assert len((await admin.api.get(listed)).json()) == 2


async def test_a_template_with_workspaces_is_not_deleted(
    shop: Workshop, admin: Person, member: Person
) -> None:
    made = await shop.template(admin)
    await add_workspace(shop, made["id"], member)
    path = f"/templates/{made['id']}"
    assert (await admin.api.get(path)).json()["active_user_count"] == 1
    refused = await admin.api.delete(path)
    assert (refused.status_code, refused.json()["message"]) == (
        400,
        "All workspaces must be deleted before a template can be removed.",
    )
    async with shop.people.database.tx(await shop.people.actor(admin)) as tx:
        await tx.run("UPDATE workspaces SET deleted = true")
    assert (await admin.api.delete(path)).json()["message"] == "Template has been deleted!"
    assert (await admin.api.get(path)).status_code == 404
    assert (await shop.template(admin, "docker"))["name"] == "docker"


async def test_members_read_templates_and_change_nothing(
    shop: Workshop, admin: Person, member: Person
) -> None:
    made = await shop.template(admin)
    draft = await shop.push(admin)
    assert [row["name"] for row in (await member.api.get("/templates")).json()] == ["docker"]
    version = f"/templateversions/{made['active_version_id']}"
    assert (await member.api.get(version)).status_code == 200
    assert (await member.api.get(f"/templateversions/{draft['id']}")).status_code == 404
    path = f"/templates/{made['id']}"
    file_id = await shop.upload(member)
    answers = [
        await member.api.patch(path, json={"name": "mine"}),
        await member.api.delete(path),
        await member.api.patch(f"{path}/versions", json={"id": made["active_version_id"]}),
        await member.api.post(f"{path}/versions/archive", json={}),
        await member.api.patch(version, json={"name": "mine"}),
        await member.api.patch(f"{version}/cancel"),
        await member.api.post(f"{version}/archive"),
        await member.api.post(f"{ORG}/templateversions", json={"file_id": file_id}),
        await member.api.post(
            f"{ORG}/templates",
            json={"name": "mine", "template_version_id": made["active_version_id"]},
        ),
    ]
    assert [answer.status_code for answer in answers] == [403] * len(answers)
    assert (await admin.api.get(path)).json() == made


async def test_other_organizations_see_nothing_and_cannot_tell_hidden_from_missing(
    shop: Workshop, admin: Person
) -> None:
    made = await shop.template(admin)
    elsewhere = await shop.people.organization("elsewhere")
    eve = await shop.people.add(
        "eve", inside=("organization-template-admin",), organization=elsewhere
    )
    assert (await eve.api.get("/templates")).json() == []
    for path in (
        "/templates/{}",
        "/templates/{}/versions",
        "/templateversions/{}",
        "/templateversions/{}/variables",
        "/templateversions/{}/logs",
    ):
        thing = made["id"] if "templates/" in path else made["active_version_id"]
        hidden = await eve.api.get(path.format(thing))
        missing = await eve.api.get(path.format(uuid4()))
        assert hidden.status_code == missing.status_code == 404
        assert hidden.json() == missing.json()
    assert (await eve.api.get(f"{ORG}/templates")).status_code == 404
    assert (await eve.api.get(f"/files/{await shop.upload(admin)}")).status_code == 404


async def test_the_queue_and_its_daemons_are_listed(
    shop: Workshop, admin: Person, member: Person
) -> None:
    made = await shop.template(admin)
    jobs = (await admin.api.get(f"{ORG}/provisionerjobs")).json()
    assert [job["metadata"]["template_name"] for job in jobs] == ["docker"]
    one = await admin.api.get(f"{ORG}/provisionerjobs/{jobs[0]['id']}")
    assert one.json()["status"] == "succeeded"
    assert one.json()["metadata"]["template_id"] == made["id"]
    pending = await admin.api.get(f"{ORG}/provisionerjobs", params={"status": "pending,running"})
    assert pending.json() == []
    wrong = await admin.api.get(f"{ORG}/provisionerjobs", params={"status": "lost"})
    assert wrong.json()["validations"][0]["field"] == "status"
    assert (await member.api.get(f"{ORG}/provisionerjobs")).json() == []
    daemons = (await admin.api.get(f"{ORG}/provisionerdaemons")).json()
    assert [(daemon["name"], daemon["status"]) for daemon in daemons] == [("host-0", "idle")]
    assert daemons[0]["previous_job"]["template_name"] == "docker"


REFUSED_SETTINGS: dict[str, Any] = {
    "name": "no spaces",
    "display_name": " padded",
    "description": "é" * 64,
    "default_ttl_ms": -1,
    "activity_bump_ms": -1,
    "failure_ttl_ms": -1,
    "time_til_dormant_ms": -1,
    "time_til_dormant_autodelete_ms": -1,
    "max_port_share_level": "everybody",
    "cors_behavior": "open",
    "time_til_autostop_notify_ms": 59_999,
    "autostart_requirement": {"days_of_week": ["someday"]},
    "autostop_requirement": {"days_of_week": [], "weeks": -1},
}


async def test_every_setting_that_makes_no_sense_is_refused_by_its_name(
    shop: Workshop, admin: Person
) -> None:
    made = await shop.template(admin)
    path = f"/templates/{made['id']}"
    for field, value in REFUSED_SETTINGS.items():
        answer = await admin.api.patch(path, json={field: value})
        assert answer.status_code == 400, field
        assert answer.json()["validations"][0]["field"].startswith(field)
    assert (await admin.api.get(path)).json() == made


ACCEPTED_SETTINGS: dict[str, Any] = {
    "name": "renamed",
    "display_name": "Re Named",
    "description": "What it is",
    "icon": "/emojis/1f600.png",
    "default_ttl_ms": 1,
    "activity_bump_ms": 0,
    "failure_ttl_ms": 2,
    "time_til_dormant_ms": 3,
    "time_til_dormant_autodelete_ms": 4,
    "autostart_requirement": {"days_of_week": ["monday", "friday"]},
    "autostop_requirement": {"days_of_week": ["sunday"], "weeks": 2},
    "allow_user_autostart": False,
    "allow_user_autostop": False,
    "allow_user_cancel_workspace_jobs": False,
    "require_active_version": True,
    "deprecation_message": "Use another",
    "max_port_share_level": "public",
    "use_classic_parameter_flow": True,
    "cors_behavior": "passthru",
    "time_til_autostop_notify_ms": 60_000,
    "agents_allowed": False,
}


async def test_every_setting_can_be_changed_and_said_again_it_is_304(
    shop: Workshop, admin: Person
) -> None:
    made = await shop.template(admin)
    path = f"/templates/{made['id']}"
    answer = await admin.api.patch(path, json=ACCEPTED_SETTINGS)
    changed = answer.json()
    assert {field: changed[field] for field in ACCEPTED_SETTINGS} == ACCEPTED_SETTINGS
    assert (await admin.api.patch(path, json=ACCEPTED_SETTINGS)).status_code == 304
    twice = {"autostart_requirement": {"days_of_week": ["friday", "monday", "friday"]}}
    assert (await admin.api.patch(path, json=twice)).status_code == 304
    assert (await admin.api.patch(path, json={"name": ""})).status_code == 304
    cleared = await admin.api.patch(path, json={"deprecation_message": ""})
    assert (cleared.json()["deprecated"], cleared.json()["deprecation_message"]) == (False, "")
