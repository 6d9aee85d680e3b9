"""Organizations, members and roles: who sees, who gives, who takes."""

from typing import Any

import pytest

from server.identity import owner_facts, resolve_organization, resolve_user
from server.kit.authz import as_system
from server.kit.errors import NotFound
from tests.support.people import People, Person

MEMBERS = "/organizations/default/members"


async def status(person: Person, method: str, path: str, **body: Any) -> int:
    answer = await person.api.request(method, path, json=body or None)
    return answer.status_code


async def test_a_member_sees_their_own_organizations_only(people: People) -> None:
    other = await people.organization("elsewhere")
    ada, bob = await people.add("ada", "owner"), await people.add("bob")
    eve = await people.add("eve", organization=other)

    async def seen(person: Person) -> list[str]:
        return [each["name"] for each in (await person.api.get("/organizations")).json()]

    assert await seen(ada) == ["coder", "elsewhere"]
    assert await seen(bob) == ["coder"]
    assert await seen(eve) == ["elsewhere"]
    hidden = await bob.api.get("/organizations/elsewhere")
    missing = await bob.api.get("/organizations/nowhere")
    assert (hidden.status_code, hidden.content) == (404, missing.content)
    for name in ("default", "CODER", str(await people.home())):
        assert (await bob.api.get(f"/organizations/{name}")).json()["is_default"] is True
    assert (await eve.api.get("/organizations/default")).status_code == 404


async def test_the_organizations_of_a_user(people: People) -> None:
    await people.organization("elsewhere")
    ada, _ = await people.add("ada", "owner"), await people.add("bob")
    found = (await ada.api.get("/users/bob/organizations")).json()
    assert [each["name"] for each in found] == ["coder"]
    assert (await ada.api.get("/users/bob/organizations/coder")).json() == found[0]
    assert await status(ada, "GET", "/users/bob/organizations/elsewhere") == 404


async def test_members_are_listed_for_those_who_may_see_them(people: People) -> None:
    ada = await people.add("ada", "owner")
    olga = await people.add("olga", inside=["organization-admin"])
    bob = await people.add("bob")

    async def seen(person: Person) -> list[str]:
        return [each["username"] for each in (await person.api.get(MEMBERS)).json()]

    assert await seen(ada) == await seen(olga) == ["ada", "bob", "olga"]
    assert await seen(bob) == ["bob"]
    page = await olga.api.get(
        "/organizations/default/paginated-members", params={"limit": 1, "offset": 2}
    )
    assert page.json()["count"] == 3
    (shown,) = page.json()["members"]
    assert (shown["username"], shown["email"]) == ("olga", "olga@example.com")
    assert shown["roles"] == [
        {
            "name": "organization-admin",
            "display_name": "Organization Admin",
            "organization_id": str(await people.home()),
        }
    ]
    one = await olga.api.get(MEMBERS, params={"q": f"user_id:{bob.id}"})
    assert [each["username"] for each in one.json()] == ["bob"]
    assert (await olga.api.get(MEMBERS, params={"q": "user_id:bob"})).status_code == 400
    assert (await olga.api.get(MEMBERS, params={"q": "bob"})).status_code == 400
    assert (await olga.api.get(f"{MEMBERS}/bob")).json()["user_id"] == str(bob.id)
    assert await status(bob, "GET", f"{MEMBERS}/olga") == 404


async def test_an_organization_admin_takes_in_and_puts_out(people: People) -> None:
    other = await people.organization("elsewhere")
    olga = await people.add("olga", inside=["organization-admin"])
    eve = await people.add("eve", organization=other)
    added = await olga.api.post(f"{MEMBERS}/eve")
    assert (added.status_code, added.json()["user_id"]) == (200, str(eve.id))
    assert await status(olga, "POST", f"{MEMBERS}/eve") == 409
    assert await status(eve, "GET", "/organizations/default") == 200
    assert await status(olga, "DELETE", f"{MEMBERS}/eve") == 204
    assert await status(eve, "GET", "/organizations/default") == 404
    assert await status(olga, "DELETE", f"{MEMBERS}/eve") == 404
    assert await status(olga, "DELETE", f"{MEMBERS}/me") == 400
    assert await status(olga, "POST", f"{MEMBERS}/nobody") == 404
    assert await status(olga, "POST", "/organizations/elsewhere/members/olga") == 404


async def test_who_may_give_roles_in_an_organization(people: People) -> None:
    await people.add("bob")
    cases: list[tuple[list[str], list[str], list[str], int]] = [
        (["user-admin"], [], ["organization-admin"], 403),
        (["auditor"], [], ["organization-auditor"], 403),
        ([], ["organization-user-admin"], ["organization-auditor"], 403),
        ([], ["organization-user-admin"], ["organization-member"], 200),
        ([], [], ["organization-auditor"], 404),
        ([], ["organization-admin"], ["organization-admin", "organization-auditor"], 200),
        (["owner"], [], ["organization-template-admin"], 200),
        (["owner"], [], ["owner"], 400),
    ]
    for number, (site, inside, wanted, answer) in enumerate(cases):
        actor = await people.add(f"actor{number}", *site, inside=inside)
        got = await status(actor, "PUT", f"{MEMBERS}/bob/roles", roles=wanted)
        assert got == answer, (site, inside, wanted)


async def test_who_may_give_site_roles(people: People) -> None:
    await people.add("bob")
    cases: list[tuple[list[str], list[str], int]] = [
        (["user-admin"], ["member"], 200),
        (["user-admin"], ["auditor"], 403),
        (["user-admin"], ["owner"], 403),
        (["auditor"], ["auditor"], 403),
        ([], ["owner"], 404),
        (["owner"], ["emperor"], 400),
        (["owner"], ["owner-without-workspace-access"], 400),
        (["owner"], ["organization-admin"], 400),
        (["owner"], ["owner", "auditor"], 200),
    ]
    for number, (site, wanted, answer) in enumerate(cases):
        actor = await people.add(f"actor{number}", *site)
        got = await status(actor, "PUT", "/users/bob/roles", roles=wanted)
        assert got == answer, (site, wanted)


async def test_taking_a_role_needs_what_giving_it_needs(people: People) -> None:
    uma = await people.add("uma", "user-admin")
    olga = await people.add("olga", inside=["organization-user-admin"])
    await people.add("tom", "template-admin", inside=["organization-admin"])
    assert await status(uma, "PUT", "/users/tom/roles", roles=[]) == 403
    assert await status(olga, "PUT", f"{MEMBERS}/tom/roles", roles=[]) == 403
    assert await status(uma, "PUT", "/users/tom/roles", roles=["template-admin"]) == 200


async def test_nobody_changes_their_own_roles(people: People) -> None:
    ada = await people.add("ada", "owner", inside=["organization-admin"])
    assert await status(ada, "PUT", "/users/me/roles", roles=["auditor"]) == 400
    assert await status(ada, "PUT", f"{MEMBERS}/me/roles", roles=[]) == 400
    assert await status(ada, "PUT", "/users/me/roles", roles=["owner"]) == 400


async def test_roles_are_stored_in_full_and_shown(people: People) -> None:
    ada, _ = await people.add("ada", "owner"), await people.add("bob")
    changed = await ada.api.put(
        "/users/bob/roles", json={"roles": ["auditor", "auditor", "member", "user-admin"]}
    )
    assert changed.json()["roles"] == [
        {"name": "auditor", "display_name": "Auditor", "organization_id": ""},
        {"name": "user-admin", "display_name": "User Admin", "organization_id": ""},
    ]
    inside = await ada.api.put(f"{MEMBERS}/bob/roles", json={"roles": ["organization-auditor"]})
    assert [role["name"] for role in inside.json()["roles"]] == ["organization-auditor"]
    assert (await ada.api.get("/users/bob/roles")).json() == {
        "roles": ["auditor", "user-admin"],
        "organization_roles": {str(await people.home()): ["organization-auditor"]},
    }


async def test_the_lists_of_roles_say_which_the_actor_may_assign(people: People) -> None:
    ada, uma = await people.add("ada", "owner"), await people.add("uma", "user-admin")
    olga = await people.add("olga", inside=["organization-admin"])

    async def assignable(person: Person, path: str) -> dict[str, bool]:
        found = (await person.api.get(path)).json()
        return {role["name"]: role["assignable"] for role in found}

    site = await assignable(ada, "/users/roles")
    assert site == dict.fromkeys(("owner", "auditor", "template-admin", "user-admin"), True)
    assert set((await assignable(uma, "/users/roles")).values()) == {False}
    inside = await assignable(olga, f"{MEMBERS}/roles")
    assert inside["organization-admin"] is True
    assert "organization-member" not in inside
    assert set((await assignable(uma, f"{MEMBERS}/roles")).values()) == {False}
    auditor = next(
        role for role in (await ada.api.get("/users/roles")).json() if role["name"] == "auditor"
    )
    assert {"negate": False, "resource_type": "audit_log", "action": "read"} in auditor[
        "site_permissions"
    ]


async def test_questions_about_rights_are_answered_in_bulk(people: People) -> None:
    ada, bob = await people.add("ada", "owner"), await people.add("bob")
    mine = {"resource_type": "workspace", "owner_id": "me"}
    checks = {
        "users": {"object": {"resource_type": "user"}, "action": "create"},
        "here": {"object": {**mine, "any_org": True}, "action": "create"},
        "there": {"object": {**mine, "organization_id": str(bob.id)}, "action": "create"},
        "audit": {"object": {"resource_type": "audit_log"}, "action": "read"},
        "key": {"object": {"resource_type": "api_key", "owner_id": "me"}, "action": "create"},
    }
    owner = await ada.api.post("/authcheck", json={"checks": checks})
    member = await bob.api.post("/authcheck", json={"checks": checks})
    assert owner.json() == dict.fromkeys(checks, True)
    assert member.json() == {
        "users": False,
        "here": True,
        "there": False,
        "audit": False,
        "key": True,
    }


async def test_a_question_about_a_thing_is_answered_by_what_the_database_knows(
    people: People,
) -> None:
    bob, eve = await people.add("bob"), await people.add("eve")
    check = {
        "object": {"resource_type": "user", "resource_id": str(bob.id), "owner_id": str(eve.id)},
        "action": "update_personal",
    }
    for person, answer in ((bob, True), (eve, False)):
        got = await person.api.post("/authcheck", json={"checks": {"it": check}})
        assert got.json() == {"it": answer}


async def test_a_question_without_sense_is_refused(people: People) -> None:
    bob = await people.add("bob")
    senseless: list[dict[str, Any]] = [
        {"object": {"resource_type": "spaceship"}, "action": "read"},
        {"object": {"resource_type": "user"}, "action": "fly"},
        {"object": {"resource_type": "user", "owner_id": "bob"}, "action": "read"},
    ]
    for check in senseless:
        refused = await bob.api.post("/authcheck", json={"checks": {"it": check}})
        assert refused.status_code == 400
        assert refused.json()["validations"][0]["field"] == "checks.it"


async def test_a_build_learns_who_the_owner_is(people: People) -> None:
    home = await people.home()
    bob = await people.add("bob", "auditor", inside=["organization-auditor"])
    async with people.database.tx(as_system("test")) as tx:
        facts = await owner_facts(tx, bob.id)
    assert (facts.username, facts.email, facts.login_type) == ("bob", bob.email, "password")
    assert [(role.name, role.organization_id) for role in facts.roles] == [
        ("member", None),
        ("auditor", None),
        ("organization-member", home),
        ("organization-auditor", home),
    ]
    assert (facts.groups, facts.ssh_public_key) == (("Everyone",), "ssh-ed25519 bob\n")
    assert facts.ssh_private_key == "private"
    assert "private" not in repr(facts)


async def test_rooms_resolve_people_whom_the_actor_sees_in_an_organization(
    people: People,
) -> None:
    other = await people.organization("elsewhere")
    bob = await people.add("bob")
    olga = await people.add("olga", inside=["organization-admin"])
    eve = await people.add("eve", inside=["organization-admin"], organization=other)
    for person, finds in ((bob, True), (olga, True), (eve, False)):
        async with people.database.tx(await people.actor(person)) as tx:
            for who in ("bob", str(bob.id)):
                if finds:
                    assert (await resolve_user(tx, who)).id == bob.id
                else:
                    with pytest.raises(NotFound):
                        await resolve_user(tx, who)
            assert (await resolve_user(tx, "me")).id == person.id
            with pytest.raises(NotFound):
                await resolve_organization(tx, "nowhere")
