"""Pushing versions: the import, what it finds, and what happens when it fails."""

from server.terraform import (
    Agent,
    ErrorCode,
    ExternalAuth,
    Failure,
    Imported,
    ImportRequest,
    Metadata,
    Option,
    Parameter,
    Preset,
    Resource,
    Script,
    Variable,
)
from tests.server.templates.conftest import ORG, Workshop
from tests.support.people import Person

FULL = Imported(
    readme="# Docker",
    variables=(
        Variable("image", default_value="ubuntu", value="debian"),
        Variable("token", sensitive=True, required=True, value="hunter2"),
    ),
    parameters=(
        Parameter("size", "number", order=2, default_value="5", validation_min=1, mutable=True),
        Parameter(
            "region",
            order=1,
            required=True,
            description="Where **it** [runs](http://x)",
            options=(Option("Europe", "eu", icon="/eu.svg"),),
        ),
    ),
    presets=(Preset("small", {"size": "1"}, default=True),),
    start_resources=(
        Resource("dev", "docker_container", agents=(Agent("main", token="secret-token"),)),
        Resource("home", "docker_volume"),
    ),
    stop_resources=(Resource("home", "docker_volume"),),
    has_external_agent=True,
)


async def test_an_import_fills_the_version(shop: Workshop, admin: Person) -> None:
    version = await shop.push(admin, FULL, message="first")
    assert version["job"]["status"] == "succeeded"
    assert version["job"]["type"] == "template_version_import"
    assert version["job"]["input"]["template_version_id"] == version["id"]
    assert (version["readme"], version["message"]) == ("# Docker", "first")
    assert version["has_external_agent"] is True
    assert version["created_by"]["username"] == "ann"
    assert version["matched_provisioners"]["available"] == 1
    at = f"/templateversions/{version['id']}"
    parameters = (await admin.api.get(f"{at}/rich-parameters")).json()
    assert [parameter["name"] for parameter in parameters] == ["region", "size"]
    assert parameters[0]["options"][0]["icon"] == "/eu.svg"
    assert parameters[0]["description_plaintext"] == "Where it runs"
    assert parameters[1]["validation_min"] == 1
    presets = (await admin.api.get(f"{at}/presets")).json()
    assert presets[0]["Parameters"] == [{"Name": "size", "Value": "1"}]
    assert presets[0]["Default"] is True
    resources = (await admin.api.get(f"{at}/resources")).json()
    assert [(row["name"], row["workspace_transition"]) for row in resources] == [
        ("dev", "start"),
        ("home", "start"),
        ("home", "stop"),
    ]
    assert resources[0]["agents"][0]["name"] == "main"


async def test_a_secret_variable_is_never_shown(shop: Workshop, admin: Person) -> None:
    version = await shop.push(admin, FULL)
    answer = await admin.api.get(f"/templateversions/{version['id']}/variables")
    values = {row["name"]: row["value"] for row in answer.json()}
    assert values == {"image": "debian", "token": ""}
    assert "hunter2" not in answer.text


async def test_nobody_can_log_in_as_an_agent_that_was_only_planned(
    shop: Workshop, admin: Person
) -> None:
    from server.kit.crypto import hash_secret

    await shop.push(admin, FULL)
    async with shop.people.database.tx(await shop.people.actor(admin)) as tx:
        hashes = await tx.values("SELECT auth_token FROM workspace_agents")
    assert len(hashes) == 1
    assert hash_secret("secret-token") not in hashes


async def test_a_failed_import_tells_why_and_which_variables_there_are(
    shop: Workshop, admin: Person
) -> None:
    failure = Failure("required template variables", ErrorCode.REQUIRED_TEMPLATE_VARIABLES)
    version = await shop.push(admin, Imported(error=failure, variables=FULL.variables))
    job = version["job"]
    assert (job["status"], job["error"], job["error_code"]) == (
        "failed",
        "required template variables",
        "REQUIRED_TEMPLATE_VARIABLES",
    )
    variables = await admin.api.get(f"/templateversions/{version['id']}/variables")
    assert [row["name"] for row in variables.json()] == ["image", "token"]


async def test_given_variables_reach_terraform_and_earlier_ones_are_kept(
    shop: Workshop, admin: Person
) -> None:
    template = await shop.template(admin, imported=FULL)
    given = [{"name": "extra", "value": "1"}]
    await shop.push(admin, template_id=template["id"], user_variable_values=given)
    asked = shop.terraform.asked[-1]
    assert isinstance(asked, ImportRequest)
    assert asked.variables == {"image": "debian", "token": "hunter2", "extra": "1"}
    assert (asked.template.name, asked.access_url) == ("docker", "http://coder.test")


async def test_a_version_needs_a_file_or_an_example_and_not_both(
    shop: Workshop, admin: Person
) -> None:
    path = f"{ORG}/templateversions"
    neither = await admin.api.post(path, json={"provisioner": "terraform"})
    file_id = await shop.upload(admin)
    both = await admin.api.post(path, json={"file_id": file_id, "example_id": "local"})
    unknown = await admin.api.post(path, json={"example_id": "nope"})
    assert [neither.status_code, both.status_code, unknown.status_code] == [400, 400, 404]
    assert unknown.json()["message"] == "Example 'nope' not found."


async def test_a_starter_can_be_pushed_by_its_id(shop: Workshop, admin: Person) -> None:
    examples = (await admin.api.get("/templates/examples")).json()
    assert "local" in [example["id"] for example in examples]
    assert not examples[0]["markdown"].startswith("---")
    answer = await admin.api.post(f"{ORG}/templateversions", json={"example_id": "local"})
    assert answer.status_code == 201
    archive = await admin.api.get(f"/files/{answer.json()['job']['file_id']}")
    assert b"main.tf" in archive.content


async def test_names_of_versions_are_unique_in_their_template(
    shop: Workshop, admin: Person
) -> None:
    template = await shop.template(admin)
    await shop.push(admin, template_id=template["id"], name="v1")
    file_id = await shop.upload(admin)
    body = {"file_id": file_id, "template_id": template["id"], "name": "V1"}
    taken = await admin.api.post(f"{ORG}/templateversions", json=body)
    assert taken.status_code == 409
    assert taken.json()["validations"][0]["field"] == "name"
    bad = await admin.api.post(f"{ORG}/templateversions", json={**body, "name": "no spaces"})
    assert bad.status_code == 400


async def test_a_version_without_a_name_gets_one(shop: Workshop, admin: Person) -> None:
    version = await shop.push(admin)
    assert version["name"][-1].isdigit()
    assert "_" in version["name"]
    renamed = await admin.api.patch(
        f"/templateversions/{version['id']}", json={"name": "v2", "message": "m"}
    )
    assert (renamed.json()["name"], renamed.json()["message"]) == ("v2", "m")


async def test_cancelling_a_pending_import_ends_it(shop: Workshop, admin: Person) -> None:
    file_id = await shop.upload(admin)
    pushed = await admin.api.post(f"{ORG}/templateversions", json={"file_id": file_id})
    at = f"/templateversions/{pushed.json()['id']}"
    assert (await admin.api.get(f"{at}/rich-parameters")).status_code == 425
    assert (await admin.api.get(f"{at}/resources")).status_code == 412
    done = await admin.api.patch(f"{at}/cancel")
    assert done.json() == {
        "message": "Job has been marked as canceled...",
        "detail": "",
        "validations": [],
    }
    again = await admin.api.patch(f"{at}/cancel")
    assert (again.status_code, again.json()["message"]) == (
        412,
        "Job has already been marked as canceled!",
    )
    assert (await shop.version(admin, pushed.json()["id"]))["job"]["status"] == "canceled"


async def test_the_log_of_an_import_can_be_read_in_parts(shop: Workshop, admin: Person) -> None:
    version = await shop.push(admin)
    at = f"/templateversions/{version['id']}/logs"
    lines = (await admin.api.get(at)).json()
    assert [line["stage"] for line in lines][-1] == "Cleaning Up"
    rest = (await admin.api.get(at, params={"after": lines[0]["id"]})).json()
    assert rest == lines[1:]
    refused = await admin.api.get(at, params={"follow": ""})
    assert refused.json()["validations"][0]["field"] == "follow"


async def test_an_external_sign_in_that_is_not_offered_is_named(
    shop: Workshop, admin: Person
) -> None:
    optional = await shop.push(admin, Imported(external_auth=(ExternalAuth("gh", optional=True),)))
    needed = await shop.push(admin, Imported(external_auth=(ExternalAuth("gh"),)))
    answer = await admin.api.get(f"/templateversions/{optional['id']}/external-auth")
    assert answer.json() == []
    refused = await admin.api.get(f"/templateversions/{needed['id']}/external-auth")
    assert "'gh'" in refused.json()["message"]


async def test_a_version_that_nobody_can_import_warns(shop: Workshop, admin: Person) -> None:
    body = {"file_id": await shop.upload(admin), "tags": {"region": "moon"}}
    answer = (await admin.api.post(f"{ORG}/templateversions", json=body)).json()
    assert answer["matched_provisioners"]["count"] == 0
    assert answer["warnings"] == ["NO_MATCHING_PROVISIONERS"]
    served = (
        await admin.api.post(f"{ORG}/templateversions", json={"file_id": body["file_id"]})
    ).json()
    assert (served["matched_provisioners"]["count"], served["warnings"]) == (1, [])


async def test_a_plan_tells_members_no_sensitive_variable(
    shop: Workshop, admin: Person, member: Person
) -> None:
    agent = Agent(
        "main",
        token="hunter2",
        env={"API_KEY": "hunter2"},
        scripts=(Script("Startup", "login hunter2", run_on_start=True),),
    )
    metadata = (Metadata("key", "hunter2", sensitive=True), Metadata("zone", "eu"))
    planned = Resource("dev", "docker_container", agents=(agent,), metadata=metadata)
    template = await shop.template(admin, imported=Imported(start_resources=(planned,)))
    for person in (admin, member):
        at = f"/templateversions/{template['active_version_id']}/resources"
        answer = await person.api.get(at)
        assert "hunter2" not in answer.text
        (resource,) = answer.json()
        assert resource["metadata"][1]["value"] == "eu"
        assert resource["agents"][0]["environment_variables"] == {"API_KEY": ""}
        assert resource["agents"][0]["scripts"][0]["display_name"] == "Startup"
