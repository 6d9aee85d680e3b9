"""Provisioner keys: shown once, kept as a hash, and what a daemon may do with one."""

from collections.abc import AsyncGenerator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from coder_cli.sdk.provisioners import KEY_HEADER, LINE_VERSION
from server import identity, provisioning
from server.kit.authz import as_system
from server.kit.db import Database
from server.kit.errors import ApiError
from server.kit.pubsub import Pubsub
from server.kit.routing import provide
from server.provisioning import Desk, Hall, Registry
from server.provisioning.actions.arriving import Credentials, Knock, admit
from server.provisioning.model import PSK, USER_AUTH, Guest, check_line
from tests.support.people import People, Person, gathered

ORG = "/organizations/default"
SYSTEM = as_system("test")


@pytest.fixture
async def people(database: Database) -> AsyncGenerator[People]:
    async with gathered(database, routers=(identity.routes, provisioning.routes)) as people:
        await people.home()
        provide(people.app, Hall, hall(database))
        yield people


@pytest.fixture
async def admin(people: People) -> Person:
    return await people.add("ann", "owner")


def hall(database: Database, psk: str = "") -> Hall:
    desk = Desk(database, Pubsub(database.dsn), Registry({}))
    return Hall(desk, uuid4(), psk, timedelta(minutes=10))


def knock(**changes: Any) -> Knock:
    told: dict[str, Any] = {
        "version": "v1",
        "organization": "default",
        "name": "far",
        "tags": {},
        "line": str(LINE_VERSION),
    }
    return Knock(**{**told, **changes})


async def make(admin: Person, name: str = "ci", tags: dict[str, str] | None = None) -> str:
    answer = await admin.api.post(f"{ORG}/provisionerkeys", json={"name": name, "tags": tags or {}})
    assert answer.status_code == 201, answer.text
    return answer.json()["key"]


async def refusal(hall: Hall, knock: Knock, shown: Credentials) -> tuple[int, str]:
    with pytest.raises(ApiError) as refused:
        await admit(hall, knock, shown)
    return refused.value.status, refused.value.message


async def test_a_key_is_shown_once_and_kept_as_a_hash(admin: Person, database: Database) -> None:
    key = await make(admin, tags={"region": "eu"})
    assert len(key) == 43
    (listed,) = (await admin.api.get(f"{ORG}/provisionerkeys")).json()
    assert (listed["name"], listed["tags"]) == ("ci", {"region": "eu"})
    assert key not in (await admin.api.get(f"{ORG}/provisionerkeys")).text
    async with database.tx(SYSTEM) as tx:
        (row,) = await tx.rows("SELECT * FROM provisioner_keys")
    assert key not in repr(row)


@pytest.mark.parametrize(
    ("name", "status", "message"),
    [
        ("", 400, "Name is required"),
        ("x" * 65, 400, "Name must be at most 64 characters"),
        ("psk", 400, "Name cannot be reserved name 'psk'"),
        ("Built-In", 400, "Name cannot be reserved name 'Built-In'"),
        ("user-auth", 400, "Name cannot be reserved name 'user-auth'"),
        ("a b", 400, "Name must be letters and digits, with single hyphens between them"),
        ("CI", 409, "Provisioner key with name 'CI' already exists in organization"),
    ],
)
async def test_names_of_keys(admin: Person, name: str, status: int, message: str) -> None:
    await make(admin)
    answer = await admin.api.post(f"{ORG}/provisionerkeys", json={"name": name})
    assert (answer.status_code, answer.json()["message"]) == (status, message)


async def test_reserved_keys_are_not_deleted_and_others_are(admin: Person) -> None:
    await make(admin)
    refused = await admin.api.delete(f"{ORG}/provisionerkeys/psk")
    assert refused.status_code == 400
    assert refused.json()["message"] == "Cannot delete reserved 'psk' provisioner key"
    assert (await admin.api.delete(f"{ORG}/provisionerkeys/CI")).status_code == 204
    assert (await admin.api.delete(f"{ORG}/provisionerkeys/ci")).status_code == 404
    assert (await admin.api.get(f"{ORG}/provisionerkeys")).json() == []


async def test_daemons_are_listed_by_their_keys(admin: Person, people: People) -> None:
    await make(admin)
    shown = (await admin.api.get(f"{ORG}/provisionerkeys/daemons")).json()
    assert [one["key"]["name"] for one in shown] == ["built-in", "user-auth", "psk", "ci"]
    assert all(one["daemons"] == [] for one in shown)


async def test_whoever_holds_a_key_may_ask_what_it_is_for(admin: Person, people: People) -> None:
    key = await make(admin, tags={"gpu": "yes"})
    by_header = await admin.api.get("/provisionerkeys/me", headers={KEY_HEADER: key})
    assert by_header.json()["tags"] == {"gpu": "yes"}
    assert (await admin.api.get(f"/provisionerkeys/{key}")).json() == by_header.json()
    assert (await admin.api.get("/provisionerkeys/guessed")).status_code == 404


async def test_a_key_brings_its_own_tags_and_serves_its_own_organization(
    admin: Person, database: Database
) -> None:
    key = await make(admin, tags={"region": "eu", "scope": "user", "owner": "somebody"})
    guest = await admit(hall(database), knock(), Credentials(key, "", None))
    assert guest.tags == {"region": "eu", "scope": "organization", "owner": ""}
    bad = await refusal(hall(database), knock(tags={"a": "b"}), Credentials(key, "", None))
    assert bad == (400, "a provisioner key has its own tags; a daemon cannot bring others")
    async with database.tx(SYSTEM) as tx:
        await tx.run(
            "INSERT INTO organizations (id, name, created_at, updated_at)"
            " VALUES (gen_random_uuid(), 'elsewhere', now(), now())"
        )
    there = knock(organization="elsewhere")
    assert (await refusal(hall(database), there, Credentials(key, "", None)))[0] == 404


async def test_what_is_no_credential_is_refused(admin: Person, database: Database) -> None:
    shown = Credentials("guessed", "", None)
    assert await refusal(hall(database), knock(), shown) == (401, "provisioner daemon key invalid")
    shown = Credentials("", "guessed", None)
    off = (401, "External provisioner daemons not enabled")
    assert await refusal(hall(database), knock(), shown) == off
    wrong = (401, "provisioner daemon psk invalid")
    assert await refusal(hall(database, "secret"), knock(), shown) == wrong
    both = (400, "provisioner key and psk provided, but only one is allowed")
    assert await refusal(hall(database), knock(), Credentials("a", "b", None)) == both


async def test_the_shared_key_lets_in_with_tags_but_for_no_single_user(
    admin: Person, database: Database
) -> None:
    asked = knock(tags={"scope": "user", "owner": str(uuid4()), "gpu": "yes"})
    guest = await admit(hall(database, "secret"), asked, Credentials("", "secret", None))
    assert guest.key_id == PSK
    assert guest.tags == {"scope": "organization", "owner": "", "gpu": "yes"}


async def test_a_users_daemon_takes_that_users_jobs_and_nobody_elses(
    admin: Person, people: People, database: Database
) -> None:
    actor = await people.actor(admin)
    asked = knock(tags={"scope": "user", "owner": str(uuid4())})
    guest = await admit(hall(database), asked, Credentials("", "", actor))
    assert guest.key_id == USER_AUTH
    assert guest.tags == {"scope": "user", "owner": str(admin.id)}


@pytest.mark.parametrize("name", ["", "x" * 129, "a\nb"])
async def test_names_of_daemons(admin: Person, database: Database, name: str) -> None:
    key = await make(admin)
    status, _ = await refusal(hall(database), knock(name=name), Credentials(key, "", None))
    assert status == 400


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("", "only with provisioner daemons of its own kind"),
        ("1.6", "only with provisioner daemons of its own kind"),
        ("0", "the provisioner daemon is old"),
        (str(LINE_VERSION + 1), "the server is old"),
    ],
)
def test_another_line_says_which_side_is_old(line: str, words: str) -> None:
    with pytest.raises(ApiError, match=words):
        check_line(line, "v0.0.1", "v0.1.0")


def test_a_guests_secrets_are_in_no_repr() -> None:
    assert "hush" not in repr(Credentials("hush", "hush", None))
    guest = Guest(uuid4(), "far", "v", {}, PSK)
    assert guest.line_id != Guest(uuid4(), "far", "v", {}, PSK).line_id
