"""Passwords: changed by those who have them, set by those who may."""

import pytest

from server.kit.authz import as_system
from tests.support.people import PASSWORD, People

NEXT = "Another-Horse-8-Staple"


async def test_a_password_change_needs_the_old_one_and_ends_the_other_sessions(
    people: People,
) -> None:
    bob = await people.add("bob")
    login = {"email": bob.email, "password": PASSWORD}
    other = await people.client(
        (await bob.api.post("/users/login", json=login)).json()["session_token"]
    )
    bob.api.cookies.clear()
    await bob.api.post("/users/me/keys/tokens", json={"token_name": "script"})

    wrong = await bob.api.put("/users/me/password", json={"password": NEXT, "old_password": "x"})
    assert [bad["field"] for bad in wrong.json()["validations"]] == ["old_password"]
    assert (await other.get("/users/me")).status_code == 200

    change = {"password": NEXT, "old_password": PASSWORD}
    assert (await bob.api.put("/users/me/password", json=change)).status_code == 204
    assert (await other.get("/users/me")).status_code == 401
    assert (await bob.api.get("/users/me")).status_code == 200
    assert (await bob.api.get("/users/me/keys/tokens")).json() == []
    assert (await other.post("/users/login", json=login)).status_code == 401
    assert (await other.post("/users/login", json={**login, "password": NEXT})).status_code == 201


async def test_a_weak_or_unchanged_password_is_refused(people: People) -> None:
    bob = await people.add("bob")
    for password in ("weak", PASSWORD, "aB3$" * 17):
        change = {"password": password, "old_password": PASSWORD}
        refused = await bob.api.put("/users/me/password", json=change)
        assert refused.status_code == 400
        assert [bad["field"] for bad in refused.json()["validations"]] == ["password"]


async def test_who_logs_in_elsewhere_has_no_password_to_change(people: People) -> None:
    ada, bob = await people.add("ada", "owner"), await people.add("bob")
    async with people.database.tx(as_system("test")) as tx:
        await tx.run("UPDATE users SET login_type = 'oidc' WHERE username = 'bob'")
    for person in (ada, bob):
        answer = await person.api.put("/users/bob/password", json={"password": NEXT})
        assert answer.status_code == 400


@pytest.mark.parametrize(
    ("holder", "inside", "status"),
    [
        ((), (), 204),
        (("owner",), (), 403),
        (("template-admin",), (), 403),
        ((), ("organization-admin",), 403),
    ],
)
async def test_a_user_admin_gains_no_roles_by_setting_a_password(
    people: People, holder: tuple[str, ...], inside: tuple[str, ...], status: int
) -> None:
    uma = await people.add("uma", "user-admin")
    await people.add("bob", *holder, inside=inside)
    answer = await uma.api.put("/users/bob/password", json={"password": NEXT})
    assert answer.status_code == status


async def test_an_owner_sets_anybodys_password_without_the_old_one(people: People) -> None:
    ada = await people.add("ada", "owner")
    olga = await people.add("olga", "owner")
    assert (await ada.api.put("/users/olga/password", json={"password": NEXT})).status_code == 204
    assert (await olga.api.get("/users/me")).status_code == 401


async def test_passwords_are_judged_before_they_are_set(people: People) -> None:
    nobody = await people.client()
    weak = await nobody.post("/users/validate-password", json={"password": "password"})
    strong = await nobody.post("/users/validate-password", json={"password": PASSWORD})
    assert weak.json()["valid"] is False
    assert "longer password" in weak.json()["details"]
    assert strong.json() == {"valid": True, "details": ""}
