"""Keys and tokens: their life, their names, what they may do, and who sees them."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from server.identity import mint_key, revoke_key
from server.kit.authz import as_system, known_scope
from server.kit.db import Database
from tests.support.clock import FakeClock
from tests.support.people import OPTIONS, People, Person, gathered

HOUR = 3600 * 10**9


async def token(person: Person, who: str = "me", **body: Any) -> str:
    made = await person.api.post(f"/users/{who}/keys/tokens", json=body)
    assert made.status_code == 201, made.text
    return made.json()["key"]


async def listed(person: Person, who: str = "me", **params: Any) -> list[str]:
    found = await person.api.get(f"/users/{who}/keys/tokens", params=params)
    return [key["token_name"] for key in found.json()]


async def test_a_token_works_and_is_shown_once(people: People) -> None:
    bob = await people.add("bob")
    made = await token(bob, token_name="script", lifetime=HOUR)
    assert (await (await people.client(made)).get("/users/me")).json()["username"] == "bob"
    shown = (await bob.api.get("/users/me/keys/tokens/script")).json()
    assert shown["id"] == made[:10]
    assert (shown["login_type"], shown["lifetime_seconds"]) == ("token", 3600)
    assert (shown["scope"], shown["scopes"]) == ("all", ["coder:all"])
    assert shown["allow_list"] == [{"type": "*", "id": "*"}]
    assert (shown["username"], shown["user_id"]) == ("bob", str(bob.id))
    assert made[11:] not in str(shown)
    assert (await bob.api.get(f"/users/me/keys/{made[:10]}")).json() == shown


async def test_token_names_are_unique_for_each_user_and_made_up_when_empty(
    people: People,
) -> None:
    ada, bob = await people.add("ada"), await people.add("bob")
    await token(ada, token_name="script")
    await token(bob, token_name="script")
    again = await bob.api.post("/users/me/keys/tokens", json={"token_name": "script"})
    assert again.status_code == 409
    assert again.json()["validations"][0]["field"] == "token_name"
    await token(bob)
    await token(bob)
    assert len(set(await listed(bob))) == 3


async def test_a_token_that_makes_no_sense_is_refused_by_field(people: People) -> None:
    bob = await people.add("bob")
    bad: list[tuple[str, Any]] = [
        ("token_name", "a b"),
        ("token_name", "x" * 65),
        ("scopes", ["workspace:fly"]),
        ("scopes", ["coder:everything"]),
        ("lifetime", 877_000 * HOUR),
        ("lifetime", -1),
        ("lifetime", 10**40),
        ("allow_list", ["workspace:11111111-1111-1111-1111-111111111111"]),
    ]
    for field, value in bad:
        refused = await bob.api.post("/users/me/keys/tokens", json={field: value})
        assert refused.status_code == 400, (field, value)
        assert [each["field"] for each in refused.json()["validations"]] == [field]


async def test_lifetimes_follow_the_settings_and_owners_have_a_limit_of_their_own(
    timed: Database, clock: FakeClock
) -> None:
    options = replace(
        OPTIONS,
        max_token_lifetime=timedelta(hours=10),
        max_admin_token_lifetime=timedelta(hours=5),
        default_token_lifetime=timedelta(hours=7),
    )
    async with gathered(timed, options) as people:
        ada, bob = await people.add("ada", "owner"), await people.add("bob")
        for person, longest in ((ada, 5), (bob, 10)):
            config = (await person.api.get("/users/me/keys/tokens/tokenconfig")).json()
            assert config == {"max_token_lifetime": longest * HOUR}
            await token(person, token_name="longest", lifetime=longest * HOUR)
            over = {"lifetime": longest * HOUR + 1000}
            assert (await person.api.post("/users/me/keys/tokens", json=over)).status_code == 400
            await token(person, token_name="default")
            shown = (await person.api.get("/users/me/keys/tokens/default")).json()
            assert shown["lifetime_seconds"] == min(longest, 7) * 3600


async def test_a_session_for_a_client_lives_as_long_as_a_token_by_default(
    people: People, clock: FakeClock
) -> None:
    bob = await people.add("bob")
    made = await bob.api.post("/users/me/keys")
    assert made.status_code == 201
    key = made.json()["key"]
    fresh = await people.client(key)
    shown = (await fresh.get(f"/users/me/keys/{key[:10]}")).json()
    assert (shown["lifetime_seconds"], shown["login_type"]) == (168 * 3600, "password")
    assert await listed(bob) == []


async def test_an_expired_key_stops_and_stays_on_record_a_deleted_one_is_gone(
    people: People, clock: FakeClock
) -> None:
    bob = await people.add("bob")
    first, second = await token(bob, token_name="first"), await token(bob, token_name="second")
    assert (await bob.api.put(f"/users/me/keys/{first[:10]}/expire")).status_code == 204
    assert (await bob.api.delete(f"/users/me/keys/{second[:10]}")).status_code == 204
    for dead in (first, second):
        assert (await (await people.client(dead)).get("/users/me")).status_code == 401
    assert await listed(bob) == []
    assert await listed(bob, include_expired=True) == ["first"]
    assert (await bob.api.get(f"/users/me/keys/{second[:10]}")).status_code == 404
    assert (await bob.api.delete(f"/users/me/keys/{second[:10]}")).status_code == 404


async def test_expiring_a_key_that_is_over_does_not_revive_it(
    people: People, clock: FakeClock
) -> None:
    bob = await people.add("bob")
    short = await token(bob, token_name="short", lifetime=HOUR)
    before = (await bob.api.get("/users/me/keys/tokens/short")).json()["expires_at"]
    await clock.advance(7200)
    await bob.api.put(f"/users/me/keys/{short[:10]}/expire")
    assert (await bob.api.get("/users/me/keys/tokens/short")).json()["expires_at"] == before


async def test_tokens_of_others_are_hidden_from_all_but_owners(people: People) -> None:
    ada, uma = await people.add("ada", "owner"), await people.add("uma", "user-admin")
    bob = await people.add("bob")
    made = await token(bob, token_name="script")
    assert await listed(ada, "bob") == ["script"]
    assert await listed(uma, "bob") == []
    assert await listed(ada, include_all=True) == ["script"]
    assert await listed(uma, include_all=True) == []
    hidden = await uma.api.get(f"/users/bob/keys/{made[:10]}")
    missing = await uma.api.get("/users/bob/keys/aaaaaaaaaa")
    assert (hidden.status_code, hidden.content) == (404, missing.content)
    assert (await uma.api.delete(f"/users/bob/keys/{made[:10]}")).status_code == 404
    assert (await uma.api.post("/users/bob/keys/tokens", json={})).status_code == 403
    assert (await uma.api.post("/users/bob/keys")).status_code == 403


async def test_an_owner_makes_and_revokes_tokens_for_others(people: People) -> None:
    ada, bob = await people.add("ada", "owner"), await people.add("bob")
    made = await token(ada, "bob", token_name="robot")
    robot = await people.client(made)
    assert (await robot.get("/users/me")).json()["id"] == str(bob.id)
    assert (await ada.api.delete(f"/users/me/keys/{made[:10]}")).status_code == 404
    assert (await ada.api.delete(f"/users/bob/keys/{made[:10]}")).status_code == 204


async def test_a_scope_takes_away_what_it_does_not_name(people: People) -> None:
    ada = await people.add("ada", "owner")
    key = await token(ada, scopes=["user:read"], token_name="reader")
    reader = await people.client(key)
    assert (await reader.get("/users/ada")).status_code == 200
    assert (await reader.put("/users/ada/roles", json={"roles": []})).status_code == 403
    assert (await reader.get("/users/ada/gitsshkey")).status_code == 403
    assert (await reader.get("/organizations")).json() == []
    shown = (await ada.api.get("/users/me/keys/tokens/reader")).json()
    assert (shown["scope"], shown["scopes"]) == ("", ["user:read"])


async def test_an_application_token_cannot_call_the_api(people: People) -> None:
    ada = await people.add("ada", "owner")
    app = await people.client(await token(ada, scope="application_connect"))
    for path in ("/users/me", "/users/me/keys/tokens", "/organizations/default"):
        assert (await app.get(path)).status_code == 404
    assert (await app.post("/users/me/keys")).status_code == 404


async def test_a_key_makes_no_key_that_may_do_more(people: People) -> None:
    bob = await people.add("bob")
    scopes = ["coder:apikeys.manage_self", "user:read"]
    manager = await people.client(await token(bob, scopes=scopes))
    refused = await manager.post("/users/me/keys/tokens", json={"scopes": ["coder:all"]})
    assert refused.status_code == 403
    same = await manager.post("/users/me/keys/tokens", json={"token_name": "same"})
    assert same.status_code == 201
    shown = (await bob.api.get("/users/me/keys/tokens/same")).json()
    assert shown["scopes"] == sorted(scopes)
    session = (await manager.post("/users/me/keys")).json()["key"]
    child = await people.client(session)
    assert (await child.get("/users/me/gitsshkey")).status_code == 403


async def test_every_scope_that_is_offered_may_be_asked_for(people: People) -> None:
    bob = await people.add("bob")
    offered = (await (await people.client()).get("/auth/scopes")).json()["external"]
    assert {"coder:all", "coder:workspaces.operate", "workspace:ssh", "workspace:*"} <= set(offered)
    assert [scope for scope in offered if not known_scope(scope)] == []
    await token(bob, scopes=offered)


async def test_a_workspaces_session_token_replaces_its_predecessor_only(
    people: People, clock: FakeClock
) -> None:
    bob = await people.add("bob")
    me, day = as_system("test"), timedelta(days=1)
    await token(bob, token_name="ws-1")
    async with people.database.tx(me) as tx:
        first = await mint_key(tx, bob.id, day, "ws-1")
        other = await mint_key(tx, bob.id, day, "ws-2")
    async with people.database.tx(me) as tx:
        second = await mint_key(tx, bob.id, day, "ws-1")
    alive = {
        key: (await (await people.client(key)).get("/users/me")).status_code
        for key in (first, second, other)
    }
    assert alive == {first: 401, second: 200, other: 200}
    assert await listed(bob) == ["ws-1"]
    async with people.database.tx(me) as tx:
        await revoke_key(tx, bob.id, "ws-1")
    assert (await (await people.client(second)).get("/users/me")).status_code == 401
    assert await listed(bob) == ["ws-1"]
