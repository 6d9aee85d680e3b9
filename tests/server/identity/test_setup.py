"""The first user, and the rescue from the server's own machine."""

import asyncio
from datetime import UTC, datetime

import pytest

from server.identity import NewUser, create_admin, default_organization, reset_password
from server.kit.authz import as_system
from server.kit.db import Database, connect
from server.kit.errors import ApiError, Invalid, NotFound
from tests.support.clock import FakeClock
from tests.support.people import OPTIONS, PASSWORD, People

FIRST = {"email": "ada@example.com", "username": "ada", "password": PASSWORD, "name": "Ada L."}


async def test_a_fresh_deployment_has_no_first_user_until_it_is_made(people: People) -> None:
    nobody = await people.client()
    before = await nobody.get("/users/first")
    assert before.status_code == 404
    assert before.json()["message"] == "The initial user has not been created!"

    made = await nobody.post("/users/first", json=FIRST)
    assert made.status_code == 201
    assert set(made.json()) == {"user_id", "organization_id"}

    after = await nobody.get("/users/first")
    assert (after.status_code, after.json()["message"]) == (
        200,
        "The initial user has already been created!",
    )
    again = await nobody.post("/users/first", json={**FIRST, "username": "bob"})
    assert again.status_code == 409


async def test_the_first_user_owns_the_site_and_belongs_to_the_default_organization(
    people: People,
) -> None:
    nobody = await people.client()
    made = (await nobody.post("/users/first", json=FIRST)).json()
    login = await nobody.post(
        "/users/login", json={"email": "ADA@example.com", "password": PASSWORD}
    )
    ada = await people.client(login.json()["session_token"])
    me = (await ada.get("/users/me")).json()
    assert [role["name"] for role in me["roles"]] == ["owner"]
    assert me["organization_ids"] == [made["organization_id"]]
    assert (me["status"], me["name"]) == ("active", "Ada L.")
    home = (await ada.get("/organizations/default")).json()
    assert (home["name"], home["is_default"]) == ("coder", True)


async def test_of_ten_first_users_at_once_exactly_one_is_made(people: People) -> None:
    nobody = await people.client()
    answers = await asyncio.gather(
        *(
            nobody.post(
                "/users/first",
                json={**FIRST, "username": f"ada{n}", "email": f"ada{n}@example.com"},
            )
            for n in range(10)
        )
    )
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 9
    async with people.database.tx(as_system("test")) as tx:
        assert await tx.value("SELECT count(*) FROM users") == 1
        assert await tx.value("SELECT count(*) FROM organizations") == 1


async def test_a_first_user_with_bad_facts_is_refused_by_field(people: People) -> None:
    nobody = await people.client()
    for field, value in (
        ("username", "a b"),
        ("username", "new"),
        ("username", "x" * 33),
        ("email", "nobody"),
        ("password", "password"),
        ("password", "aB3$" * 17),
        ("name", " Ada"),
    ):
        refused = await nobody.post("/users/first", json={**FIRST, field: value})
        assert refused.status_code == 400
        assert [bad["field"] for bad in refused.json()["validations"]] == [field], value
    assert (await nobody.get("/users/first")).status_code == 404


async def test_the_default_organization_is_made_once_whoever_asks_first(people: People) -> None:
    async def ask() -> object:
        async with people.database.tx(as_system("test")) as tx:
            return (await default_organization(tx)).id

    assert len(set(await asyncio.gather(*(ask() for _ in range(4))))) == 1


async def test_a_rescue_admin_owns_the_site_and_joins_every_organization(people: People) -> None:
    other = await people.organization("elsewhere")
    new = NewUser("root@example.com", "root", PASSWORD)
    made = await create_admin(people.database, new, OPTIONS)
    assert made.roles == ["owner"]
    assert set(made.organization_ids) == {other, await people.home()}
    with pytest.raises(ApiError, match="already exists"):
        await create_admin(people.database, new, OPTIONS)
    with pytest.raises(Invalid):
        await create_admin(people.database, NewUser("x", "y z", PASSWORD), OPTIONS)


async def test_a_reset_password_logs_in_and_ends_every_session(people: People) -> None:
    ada = await people.add("ada", "owner")
    await reset_password(people.database, "ADA", "Another-Horse-8-Staple", OPTIONS)
    assert (await ada.api.get("/users/me")).status_code == 401
    body = {"email": ada.email, "password": "Another-Horse-8-Staple"}
    assert (await ada.api.post("/users/login", json=body)).status_code == 201
    with pytest.raises(NotFound, match="nobody-here"):
        await reset_password(people.database, "nobody-here", PASSWORD, OPTIONS)
    with pytest.raises(Invalid):
        await reset_password(people.database, "ada", "short", OPTIONS)


async def test_a_user_who_was_never_seen_is_readable_west_of_greenwich(
    dsn: str, clock: FakeClock
) -> None:
    admin = await connect(dsn)
    async with admin:
        await admin.execute(
            """
            DO $$ BEGIN
                EXECUTE format('ALTER DATABASE %I SET timezone = %L', current_database(),
                               'America/New_York');
            END $$
            """
        )
    database = Database(dsn, clock=clock)
    await database.open()
    try:
        made = await create_admin(database, NewUser("a@b.c", "root", PASSWORD), OPTIONS)
        assert made.last_seen_at == datetime(1, 1, 1, tzinfo=UTC)
    finally:
        await database.close()
