"""Log-in, sessions and their life: one query, sliding expiry, what ends them."""

import re
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, LiteralString, TypeVar

import pytest
from starlette.requests import HTTPConnection
from typing_extensions import override

from server.identity import IdentityOptions, SessionAuthenticator
from server.identity.actions.sessions import authenticate, log_in
from server.identity.errors import SignedOut, WrongCredentials
from server.kit.authz import Actor, as_system
from server.kit.crypto import hash_secret
from server.kit.db import Database, Tx
from server.kit.routing import Limits
from tests.support.clock import FakeClock
from tests.support.people import CHEAP, OPTIONS, PASSWORD, People, gathered

R = TypeVar("R")
DAY = timedelta(days=1)


def credentials(username: str = "ada", password: str = PASSWORD) -> dict[str, str]:
    return {"email": f"{username}@example.com", "password": password}


async def key_row(people: People, key_id: str) -> Mapping[str, Any]:
    async with people.database.tx(as_system("test")) as tx:
        rows = await tx.rows("SELECT * FROM api_keys WHERE id = %(id)s", {"id": key_id})
    return rows[0]


async def test_a_log_in_answers_a_token_of_the_known_form_and_stores_only_its_hash(
    people: People,
) -> None:
    ada = await people.add("ada")
    answer = await ada.api.post("/users/login", json=credentials())
    assert answer.status_code == 201
    token = answer.json()["session_token"]
    assert re.fullmatch(r"[a-zA-Z0-9]{10}-[a-zA-Z0-9]{22}", token)
    key_id, secret = token.split("-")
    row = await key_row(people, key_id)
    assert row["hashed_secret"] == hash_secret(secret)
    assert secret not in str(dict(row))
    assert row["expires_at"] - row["created_at"] == DAY


@pytest.mark.parametrize(
    ("options", "cookie", "attributes"),
    [
        (IdentityOptions(), "coder_session_token", {"httponly", "path=/", "samesite=lax"}),
        (
            IdentityOptions(secure_cookie=True),
            "coder_session_token",
            {"httponly", "path=/", "samesite=lax", "secure"},
        ),
        (
            IdentityOptions(samesite="none"),
            "coder_session_token",
            {"httponly", "path=/", "samesite=none", "secure"},
        ),
        (
            IdentityOptions(host_prefix_cookie=True),
            "__Host-coder_session_token",
            {"httponly", "path=/", "samesite=lax", "secure"},
        ),
    ],
)
async def test_a_log_in_sets_a_session_and_a_csrf_cookie(
    timed: Database, options: IdentityOptions, cookie: str, attributes: set[str]
) -> None:
    async with gathered(timed, replace(options, passwords=CHEAP)) as people:
        await people.add("ada")
        nobody = await people.client(base="https://coder.test/api/v2")
        answer = await nobody.post("/users/login", json=credentials())
        set_cookies = {
            line.split("=")[0]: {part.strip().lower() for part in line.split(";")[1:]}
            for line in answer.headers.get_list("set-cookie")
        }
        assert set_cookies == {cookie: attributes, "csrf_token": attributes}
        if "secure" not in attributes or cookie.startswith("__Host-"):
            assert (await nobody.get("/users/me")).json()["username"] == "ada"


async def test_a_session_cookie_alone_changes_nothing_without_the_csrf_token(
    people: People,
) -> None:
    await people.add("ada")
    browser = await people.client()
    await browser.post("/users/login", json=credentials())
    assert (await browser.post("/users/logout")).status_code == 400
    csrf = browser.cookies["csrf_token"]
    assert (await browser.post("/users/logout", headers={"X-CSRF-TOKEN": csrf})).status_code == 200
    assert dict(browser.cookies) == {}
    assert (await browser.get("/users/me")).status_code == 401


async def test_a_log_out_ends_this_session_only(people: People) -> None:
    ada = await people.add("ada")
    token = (await ada.api.post("/users/login", json=credentials())).json()["session_token"]
    other = await people.client(token)
    assert (await other.post("/users/logout")).json() == {
        "message": "Logged out!",
        "detail": "",
        "validations": [],
    }
    assert (await other.get("/users/me")).status_code == 401
    assert (await ada.api.get("/users/me", headers={"Cookie": ""})).status_code == 200


async def test_an_unknown_user_and_a_wrong_password_get_the_same_words(people: People) -> None:
    await people.add("ada")
    nobody = await people.client()
    wrong = await nobody.post("/users/login", json=credentials(password="wrong"))
    unknown = await nobody.post("/users/login", json=credentials("nobody"))
    assert (wrong.status_code, unknown.status_code) == (401, 401)
    assert wrong.content == unknown.content
    assert wrong.json()["message"] == "Incorrect email or password."


async def test_an_unknown_user_costs_one_hash_as_a_known_one_does(people: People) -> None:
    asked: list[str] = []

    def verify(password: str, hashed: str) -> bool:
        asked.append(hashed)
        return CHEAP.verify(password, hashed)

    options = replace(OPTIONS, passwords=replace(CHEAP, verify=verify, dummy="the dummy"))
    await people.add("ada")
    async with people.database.tx(as_system("test")) as tx:
        stored = await tx.value("SELECT hashed_password FROM users")
        await tx.run(
            """
            INSERT INTO users (id, email, username, status, login_type, created_at, updated_at)
            VALUES (gen_random_uuid(), 'sso@example.com', 'sso', 'active', 'oidc', now(), now())
            """
        )
    for name in ("ada", "nobody", "sso"):
        with pytest.raises(WrongCredentials):
            await log_in(people.database, f"{name}@example.com", "wrong", "::1", options)
    assert asked == [stored, "the dummy", "the dummy"]


@pytest.mark.parametrize(
    ("change", "status", "message"),
    [
        ("status = 'suspended'", 401, "Your account is suspended."),
        ("login_type = 'oidc'", 403, 'user is of login type "oidc"'),
        ("deleted = true", 401, "Incorrect email or password."),
        ("hashed_password = ''", 401, "Incorrect email or password."),
    ],
)
async def test_who_may_not_log_in_is_told_why_once_the_password_is_right(
    people: People, change: LiteralString, status: int, message: str
) -> None:
    await people.add("ada")
    async with people.database.tx(as_system("test")) as tx:
        await tx.run("UPDATE users SET " + change)
    nobody = await people.client()
    answer = await nobody.post("/users/login", json=credentials())
    assert answer.status_code == status
    assert message in answer.json()["message"]


async def test_without_password_log_in_only_owners_get_in(timed: Database) -> None:
    async with gathered(timed, replace(OPTIONS, disable_password_auth=True)) as people:
        await people.add("ada", "owner")
        await people.add("bob")
        nobody = await people.client()
        owner = await nobody.post("/users/login", json=credentials("ada"))
        member = await nobody.post("/users/login", json=credentials("bob"))
        assert (owner.status_code, member.status_code) == (201, 403)
        assert (await nobody.get("/users/authmethods")).json()["password"] == {"enabled": False}


async def test_log_ins_are_limited_to_sixty_a_minute(timed: Database, clock: FakeClock) -> None:
    async with gathered(timed, limits=Limits(api=0, login=60)) as people:
        await people.add("ada")
        nobody = await people.client()
        wrong = credentials(password="wrong")
        tries = [(await nobody.post("/users/login", json=wrong)).status_code for _ in range(61)]
        assert tries == [401] * 60 + [429]
        assert (await nobody.post("/users/login", json=credentials())).status_code == 429
        await clock.advance(61)
        assert (await nobody.post("/users/login", json=credentials())).status_code == 201


async def test_a_malformed_or_unknown_token_is_nobodys(people: People) -> None:
    for token in (
        "",
        "nonsense",
        "abcdefghij",
        "abcdefghij-abcdefghijklmnopqrstu",
        "abcdefghij-abcdefghijklmnopqrstuvw",
        "abcdefghij-abcdefghijk-lmnopqrstuv",
        "abcdefghij-abcdefghijklmnopqrstuv-",
        "abcdefghi!-abcdefghijklmnopqrstuv",
        "abcdefghij-abcdefghijklmnopqrstuv",
    ):
        nobody = await people.client(token)
        refused = await nobody.get("/users/me")
        assert refused.status_code == 401, token
        assert refused.json()["message"].startswith("You are signed out")


async def test_a_right_id_with_a_wrong_secret_reads_like_an_unknown_key(people: People) -> None:
    ada = await people.add("ada")
    wrong = await people.client(ada.token[:-1] + ("a" if ada.token[-1] != "a" else "b"))
    unknown = await people.client("x" * 10 + ada.token[10:])
    assert (await wrong.get("/users/me")).content == (await unknown.get("/users/me")).content


async def test_a_token_is_accepted_wherever_the_reference_lets_it_be(people: People) -> None:
    ada = await people.add("ada")
    nobody = await people.client()
    ways: dict[str, dict[str, Any]] = {
        "header": {"headers": {"Coder-Session-Token": ada.token}},
        "cookie": {"headers": {"Cookie": f"coder_session_token={ada.token}"}},
        "query": {"params": {"coder_session_token": ada.token}},
        "bearer": {"headers": {"Authorization": f"Bearer {ada.token}"}},
    }
    for how, request in ways.items():
        assert (await nobody.get("/users/me", **request)).json()["id"] == str(ada.id), how


async def asked_of_postgres(people: People, token: str) -> list[str]:
    """Return the first words of every statement that one authentication sends."""
    sent: list[str] = []
    database = Spying(people.database, sent)
    await authenticate(database, token, "10.0.0.1", people.options)
    return sent


class Spying(Database):
    """A database that notes the statements of its units of work."""

    def __init__(self, real: Database, sent: list[str]) -> None:
        super().__init__(real.dsn, clock=real.clock)
        self._real, self._sent = real, sent

    @override
    @asynccontextmanager
    async def tx(self, actor: Actor) -> AsyncGenerator[Tx]:
        async with self._real.tx(actor) as tx:
            yield Noting(tx.conn, tx.actor, tx.now, facts=tx.facts, sent=self._sent)

    @override
    @asynccontextmanager
    async def look(self, actor: Actor) -> AsyncGenerator[Tx]:
        async with self._real.look(actor) as tx:
            yield Noting(tx.conn, tx.actor, tx.now, sent=self._sent)


@dataclass(frozen=True, slots=True)
class Noting(Tx):
    """A unit of work that notes the first word of its statements."""

    sent: list[str] = field(default_factory=list[str])

    @override
    async def one(
        self, row: type[R], sql: LiteralString, args: Mapping[str, Any] | None = None
    ) -> R | None:
        self.sent.append(sql.split()[0])
        return await Tx.one(self, row, sql, args)

    @override
    async def run(self, sql: LiteralString, args: Mapping[str, Any] | None = None) -> int:
        self.sent.append(sql.split()[0])
        return await Tx.run(self, sql, args)


async def test_a_request_writes_nothing_within_the_hour_and_slides_the_key_after_it(
    people: People, clock: FakeClock
) -> None:
    ada = await people.add("ada")
    created = clock.now()
    await clock.advance(3600)
    assert await asked_of_postgres(people, ada.token) == ["SELECT", "WITH"]
    first = await key_row(people, ada.token[:10])
    assert first["expires_at"] == created + DAY + timedelta(hours=1)
    assert (first["last_used"], first["ip_address"]) == (clock.now(), "10.0.0.1")

    await clock.advance(3599)
    assert await asked_of_postgres(people, ada.token) == ["SELECT"]
    await clock.advance(1)
    assert await asked_of_postgres(people, ada.token) == ["SELECT", "WITH"]
    row = await key_row(people, ada.token[:10])
    assert row["expires_at"] == created + DAY + timedelta(hours=2)
    async with people.database.tx(as_system("test")) as tx:
        assert await tx.value("SELECT last_seen_at FROM users") == clock.now()


async def test_a_key_that_is_used_never_ends_and_one_that_is_not_does(
    people: People, clock: FakeClock
) -> None:
    used, idle = await people.add("used"), await people.add("idle")
    for _ in range(3):
        await clock.advance(12 * 3600)
        assert (await used.api.get("/users/me")).status_code == 200
    refused = await idle.api.get("/users/me")
    assert refused.status_code == 401
    assert "expired" in refused.json()["detail"]


async def test_without_refresh_a_session_ends_on_time_however_it_is_used(
    timed: Database, clock: FakeClock
) -> None:
    async with gathered(timed, replace(OPTIONS, disable_expiry_refresh=True)) as people:
        ada = await people.add("ada")
        await clock.advance(23 * 3600)
        assert (await ada.api.get("/users/me")).status_code == 200
        await clock.advance(3600)
        assert (await ada.api.get("/users/me")).status_code == 401


async def test_a_dormant_user_wakes_up_by_use_and_by_log_in(people: People) -> None:
    ada, bob = await people.add("ada"), await people.add("bob")
    async with people.database.tx(as_system("test")) as tx:
        await tx.run("UPDATE users SET status = 'dormant'")
    assert (await ada.api.get("/users/me")).json()["status"] == "active"
    token = (await (await people.client()).post("/users/login", json=credentials("bob"))).json()
    again = await people.client(token["session_token"])
    assert (await again.get(f"/users/{bob.id}")).json()["status"] == "active"


async def test_a_suspended_user_is_refused_with_the_reason_whatever_the_key(
    people: People,
) -> None:
    ada = await people.add("ada")
    async with people.database.tx(as_system("test")) as tx:
        await tx.run("UPDATE users SET status = 'suspended'")
    refused = await ada.api.get("/users/me")
    assert refused.status_code == 401
    assert refused.json()["message"] == (
        'User is not active (status = "suspended"). Contact an admin to reactivate your account.'
    )


async def test_an_owner_keeps_out_of_workspaces_when_the_deployment_says_so(
    timed: Database,
) -> None:
    async with gathered(timed, replace(OPTIONS, disable_owner_workspace_access=True)) as people:
        ada = await people.add("ada", "owner")
        assert (await people.actor(ada)).roles == {"owner-without-workspace-access"}
        roles = (await ada.api.get("/users/roles")).json()
        assert all(role["assignable"] for role in roles)


async def test_the_actor_carries_roles_memberships_key_and_scopes(people: People) -> None:
    home = await people.home()
    ada = await people.add("ada", "auditor", inside=["organization-admin"])
    actor = await people.actor(ada)
    assert (actor.id, actor.label, actor.key_id) == (ada.id, "ada", ada.token[:10])
    assert actor.roles == {"auditor"}
    assert actor.organizations == {home: frozenset({"organization-admin"})}
    assert actor.scopes == {"coder:all"}


async def test_a_deleted_users_key_is_nobodys(people: People) -> None:
    ada = await people.add("ada")
    async with people.database.tx(as_system("test")) as tx:
        await tx.run("UPDATE users SET deleted = true")
    with pytest.raises(SignedOut):
        await people.actor(ada)


async def test_the_authenticator_reads_a_websocket_handshake_too(people: People) -> None:
    ada = await people.add("ada")
    handshake = HTTPConnection(
        {
            "type": "websocket",
            "app": people.app,
            "path": "/",
            "query_string": b"",
            "client": ("10.9.8.7", 1),
            "headers": [(b"coder-session-token", ada.token.encode())],
        }
    )
    actor = await SessionAuthenticator(people.database, OPTIONS)(handshake)
    assert actor.id == ada.id
