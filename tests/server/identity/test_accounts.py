"""Accounts: made, listed, shown, renamed, locked out, deleted, with their preferences."""

import asyncio
from dataclasses import replace
from typing import Any
from uuid import uuid4

from server.kit.authz import as_system
from server.kit.db import Database
from server.kit.pubsub import Pubsub
from tests.support.clock import FakeClock
from tests.support.people import OPTIONS, PASSWORD, People, Person, gathered

NEW = {"email": "Bob@Example.com", "username": "Bob", "password": PASSWORD}


async def names(person: Person, q: str = "", **page: Any) -> list[str]:
    answer = await person.api.get("/users", params={"q": q, **page})
    assert answer.status_code == 200, answer.text
    return [user["username"] for user in answer.json()["users"]]


async def test_a_new_account_is_dormant_in_the_default_organization_with_a_git_key(
    people: People,
) -> None:
    ada = await people.add("ada", "owner")
    made = await ada.api.post("/users", json=NEW)
    assert made.status_code == 201
    bob = made.json()
    assert (bob["status"], bob["login_type"], bob["roles"]) == ("dormant", "password", [])
    assert bob["organization_ids"] == [str(await people.home())]
    key = (await ada.api.get("/users/bob/gitsshkey")).json()["public_key"]
    assert key.startswith("ssh-ed25519 ")
    login = await ada.api.post(
        "/users/login", json={"email": "bob@example.com", "password": PASSWORD}
    )
    assert login.status_code == 201


async def test_names_and_emails_are_unique_whatever_their_case(people: People) -> None:
    ada = await people.add("ada", "owner")
    for field, value in (("username", "ADA"), ("email", "ADA@example.COM")):
        taken = await ada.api.post("/users", json={**NEW, field: value})
        assert taken.status_code == 409
        assert taken.json()["validations"] == [
            {"field": field, "detail": "This value is already in use and should be unique."}
        ]


async def test_a_bad_account_is_refused_by_field(people: People) -> None:
    ada = await people.add("ada", "owner")
    bad: list[tuple[str, str]] = [
        ("password", "weak"),
        ("password", ""),
        ("username", "-bob"),
        ("username", "bo--b"),
        ("username", "create"),
        ("username", "x" * 33),
        ("email", "bob"),
        ("user_status", "gone"),
    ]
    for field, value in bad:
        refused = await ada.api.post("/users", json={**NEW, field: value})
        assert refused.status_code == 400
        assert [each["field"] for each in refused.json()["validations"]] == [field], value
    pointless = await ada.api.post("/users", json={**NEW, "login_type": "none"})
    assert [each["field"] for each in pointless.json()["validations"]] == ["password"]


async def test_an_account_without_password_cannot_log_in_with_an_empty_one(
    people: People,
) -> None:
    ada = await people.add("ada", "owner")
    body = {"email": "bot@example.com", "username": "bot", "service_account": True}
    made = await ada.api.post("/users", json=body)
    assert (made.json()["login_type"], made.json()["is_service_account"]) == ("none", True)
    for password in ("", "cheap$"):
        login = await ada.api.post(
            "/users/login", json={"email": "bot@example.com", "password": password}
        )
        assert login.status_code in (400, 401)


async def test_an_account_joins_the_organizations_it_is_made_for(people: People) -> None:
    ada = await people.add("ada", "owner")
    other = await people.organization("elsewhere")
    made = await ada.api.post("/users", json={**NEW, "organization_ids": [str(other)]})
    assert made.json()["organization_ids"] == [str(other)]
    unknown = {**NEW, "username": "eve", "email": "e@e.e", "organization_ids": [str(uuid4())]}
    assert (await ada.api.post("/users", json=unknown)).status_code == 404
    assert (await ada.api.get("/users/eve")).status_code == 404


async def test_without_password_log_in_no_account_gets_a_password(timed: Database) -> None:
    async with gathered(timed, replace(OPTIONS, disable_password_auth=True)) as people:
        ada = await people.add("ada", "owner")
        assert (await ada.api.post("/users", json=NEW)).status_code == 403


async def test_a_user_is_found_by_id_name_and_me(people: People) -> None:
    ada = await people.add("ada", "owner")
    bob = await people.add("bob")
    for who in (str(bob.id), "bob", "BOB"):
        assert (await ada.api.get(f"/users/{who}")).json()["id"] == str(bob.id)
    assert (await bob.api.get("/users/me")).json()["id"] == str(bob.id)


async def test_a_hidden_user_and_a_missing_one_are_the_same_bytes(people: People) -> None:
    ada, bob = await people.add("ada"), await people.add("bob")
    for path in ("", "/keys/tokens", "/roles", "/gitsshkey", "/organizations", "/login-type"):
        hidden = await bob.api.get(f"/users/ada{path}")
        missing = await bob.api.get(f"/users/nobody{path}")
        by_id = await bob.api.get(f"/users/{ada.id}{path}")
        assert hidden.status_code == 404
        assert hidden.content == missing.content == by_id.content
    hidden = await bob.api.put("/users/ada/status/suspend")
    missing = await bob.api.put(f"/users/{uuid4()}/status/suspend")
    assert (hidden.status_code, hidden.content) == (404, missing.content)


async def test_a_member_lists_nobody_but_themselves(people: People) -> None:
    bob = await people.add("bob")
    await people.add("ada", "owner")
    assert await names(bob) == ["bob"]
    assert (await bob.api.get("/users")).json()["count"] == 1


async def test_users_are_paged_in_the_order_of_their_names(people: People) -> None:
    ada = await people.add("ada", "owner")
    for name in ("Eve", "bob", "carl", "dora"):
        await people.add(name)
    assert await names(ada) == ["ada", "bob", "carl", "dora", "Eve"]
    assert await names(ada, limit=2) == ["ada", "bob"]
    assert await names(ada, limit=2, offset=3) == ["dora", "Eve"]
    assert await names(ada, limit=2, after_id=str(ada.id)) == ["bob", "carl"]
    page = (await ada.api.get("/users", params={"limit": 1, "offset": 99})).json()
    assert (page["users"], page["count"]) == ([], 5)


async def test_users_are_searched_as_the_grammar_says(people: People) -> None:
    ada = await people.add("ada", "owner")
    for name in ("bob", "carl", "dora-50"):
        await people.add(name)
    async with people.database.tx(as_system("test")) as tx:
        await tx.run(
            """
            UPDATE users SET name = 'Bob King', roles = '{auditor}', last_seen_at = '2026-02-01'
             WHERE username = 'bob'
            """
        )
        await tx.run(
            """
            UPDATE users SET status = 'suspended', created_at = '2024-01-01'
             WHERE username = 'carl'
            """
        )
        await tx.run(
            """
            UPDATE users SET login_type = 'oidc', is_service_account = true
             WHERE username = 'dora-50'
            """
        )
    everybody = ["ada", "bob", "carl", "dora-50"]
    expected = {
        "": everybody,
        "ob": ["bob"],
        "BOB@EXAMPLE": ["bob"],
        "search:ob": ["bob"],
        "50%": [],
        "-50": ["dora-50"],
        "name:king": ["bob"],
        "status:suspended": ["carl"],
        "status:active,suspended": everybody,
        "role:owner": ["ada"],
        "role:auditor role:owner": ["ada", "bob"],
        "role:member": everybody,
        "login_type:oidc": ["dora-50"],
        "service_account:true": ["dora-50"],
        'last_seen_after:"2026-01-01T00:00:00Z"': ["bob"],
        'created_before:"2025-01-01T00:00:00Z"': ["carl"],
        'created_after:"2025-01-01T00:00:00Z" bob': ["bob"],
    }
    assert {q: await names(ada, q) for q in expected} == expected


async def test_a_search_that_makes_no_sense_is_refused_by_field(people: People) -> None:
    ada = await people.add("ada", "owner")
    expected = {
        "colour:red": "colour",
        "status:gone": "status",
        "login_type:magic": "login_type",
        "created_after:yesterday": "created_after",
        "service_account:perhaps": "service_account",
        "a:b:c": "q",
    }
    answers = {q: await ada.api.get("/users", params={"q": q}) for q in expected}
    assert {answer.status_code for answer in answers.values()} == {400}
    assert {q: a.json()["validations"][0]["field"] for q, a in answers.items()} == expected


async def test_a_nul_in_a_text_is_a_bad_request_wherever_it_stands(people: People) -> None:
    bob = await people.add("bob")
    answers = [
        await bob.api.get("/users/a%00b"),
        await bob.api.get("/users", params={"q": "a\0b"}),
        await bob.api.get("/users/me/keys/a%00b"),
        await bob.api.put("/users/me/profile", json={"username": "bob", "name": "a\0b"}),
    ]
    assert [answer.status_code for answer in answers] == [400] * 4


async def test_a_rename_keeps_names_unique_and_well_formed(people: People) -> None:
    await people.add("ada")
    bob = await people.add("bob")
    renamed = await bob.api.put("/users/me/profile", json={"username": "rob", "name": "Rob B."})
    assert (renamed.json()["username"], renamed.json()["name"]) == ("rob", "Rob B.")
    taken = await bob.api.put("/users/me/profile", json={"username": "Ada"})
    assert taken.status_code == 409
    assert (await bob.api.put("/users/me/profile", json={"username": "new"})).status_code == 400
    assert (await bob.api.get("/users/me")).json()["username"] == "rob"


async def test_suspension_stops_every_key_at_once_and_activation_revives_them(
    people: People,
) -> None:
    ada = await people.add("ada", "user-admin")
    bob = await people.add("bob")
    suspended = await ada.api.put("/users/bob/status/suspend")
    assert suspended.json()["status"] == "suspended"
    assert (await bob.api.get("/users/me")).status_code == 401
    assert (await ada.api.put("/users/bob/status/activate")).json()["status"] == "active"
    assert (await bob.api.get("/users/me")).status_code == 200


async def test_nobody_suspends_themselves_or_an_owner(people: People) -> None:
    ada = await people.add("ada", "owner")
    await people.add("olga", "owner")
    assert (await ada.api.put("/users/me/status/suspend")).status_code == 400
    refused = await ada.api.put("/users/olga/status/suspend")
    assert refused.status_code == 400
    assert "remove the role first" in refused.json()["message"]


async def test_deleting_a_user_frees_the_name_and_kills_the_keys(people: People) -> None:
    ada = await people.add("ada", "owner")
    bob = await people.add("bob")
    deleted = await ada.api.delete("/users/bob")
    assert (deleted.status_code, deleted.json()["message"]) == (200, "User has been deleted!")
    assert (await bob.api.get("/users/me")).status_code == 401
    assert (await ada.api.get("/users/bob")).status_code == 404
    assert (await ada.api.get(f"/users/{bob.id}")).status_code == 404
    assert await names(ada) == ["ada"]
    assert (await ada.api.post("/users", json=NEW)).status_code == 201
    async with people.database.tx(as_system("test")) as tx:
        kept = await tx.rows("SELECT * FROM users WHERE id = %(id)s", {"id": bob.id})
    assert (kept[0]["deleted"], kept[0]["hashed_password"]) == (True, "")


async def test_nobody_deletes_themselves_and_a_user_admin_no_owner(people: People) -> None:
    ada = await people.add("ada", "owner")
    uma = await people.add("uma", "user-admin")
    refused = await ada.api.delete("/users/me")
    assert (refused.status_code, refused.json()["message"]) == (403, "You cannot delete yourself!")
    assert (await uma.api.delete("/users/ada")).status_code == 403


async def test_a_user_with_workspaces_stays(people: People) -> None:
    ada = await people.add("ada", "owner")
    bob = await people.add("bob")
    await add_workspace(people, bob)
    refused = await ada.api.delete("/users/bob")
    assert refused.status_code == 417
    assert "Delete their workspaces" in refused.json()["message"]
    async with people.database.tx(as_system("test")) as tx:
        await tx.run("UPDATE workspaces SET deleted = true")
    assert (await ada.api.delete("/users/bob")).status_code == 200


async def add_workspace(people: People, owner: Person) -> None:
    ids = {"owner": owner.id, "home": await people.home(), "template": uuid4()}
    async with people.database.tx(as_system("test")) as tx:
        await tx.run(
            """
            INSERT INTO templates (id, organization_id, name, active_version_id, created_by,
                                   created_at, updated_at)
            VALUES (%(template)s, %(home)s, 't', gen_random_uuid(), %(owner)s, now(), now())
            """,
            ids,
        )
        await tx.run(
            """
            INSERT INTO workspaces (id, owner_id, organization_id, template_id, name,
                                    last_used_at, created_at, updated_at)
            VALUES (gen_random_uuid(), %(owner)s, %(home)s, %(template)s, 'dev', now(), now(),
                    now())
            """,
            ids,
        )


async def test_preferences_are_kept_and_start_empty(people: People) -> None:
    bob = await people.add("bob")
    look = {"theme_preference": "dark", "terminal_font": "fira-code"}
    assert (await bob.api.get("/users/me/appearance")).json() == {
        "theme_preference": "",
        "terminal_font": "",
    }
    assert (await bob.api.put("/users/me/appearance", json=look)).json() == look
    assert (await bob.api.get("/users/me/appearance")).json() == look
    comic = await bob.api.put("/users/me/appearance", json={**look, "terminal_font": "comic"})
    assert comic.status_code == 400

    dismissed = {"task_notification_alert_dismissed": True}
    before = (await bob.api.get("/users/me/preferences")).json()
    assert before == {"task_notification_alert_dismissed": False}
    assert (await bob.api.put("/users/me/preferences", json=dismissed)).json() == dismissed
    assert (await bob.api.get("/users/me/preferences")).json() == dismissed
    assert (await bob.api.get("/users/me/login-type")).json() == {"login_type": "password"}


async def test_listeners_hear_when_rights_may_have_shrunk(
    people: People, timed: Database, clock: FakeClock
) -> None:
    ada, bob = await people.add("ada", "owner"), await people.add("bob")
    pubsub = Pubsub(timed.dsn)
    listening = asyncio.ensure_future(pubsub.run())
    await pubsub.listening.wait()
    with pubsub.mailbox(f"access:{bob.id}") as box:
        await ada.api.put("/users/ada/profile", json={"username": "ada"})
        await ada.api.put("/users/bob/status/suspend")
        assert (await box.get())["user_id"] == str(bob.id)
        await ada.api.put("/users/bob/roles", json={"roles": ["auditor"]})
        assert (await box.get())["user_id"] == str(bob.id)
    listening.cancel()
