"""Accounts of other services, against a service that really speaks OAuth on a port of its own."""

import asyncio
import base64
import hashlib
import json
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from server.identity import Linker, Services
from server.identity.errors import ServiceFailed
from server.kit.authz import as_system
from server.kit.db import Database
from server.kit.routing import provide
from server.kit.sealing import Sealer
from server.settings import ExternalAuthProvider
from tests.support.clock import FakeClock
from tests.support.git_service import GitService
from tests.support.people import People, Person
from tests.support.serving import served

KEY = b"k" * 32


@dataclass
class Scene:
    service: GitService
    linker: Linker
    provider: ExternalAuthProvider
    people: People
    ada: Person
    clock: FakeClock

    async def linked(self) -> httpx.AsyncClient:
        """Have ada link her account, as her browser does; return the browser."""
        browser = await self.people.client(self.ada.token, base="http://coder.test")
        away = await browser.get("/external-auth/github/callback", follow_redirects=False)
        query = parse_qs(urlsplit(away.headers["location"]).query)
        self.service.codes["c-1"] = query["code_challenge"][0]
        back = await browser.get(
            "/external-auth/github/callback",
            params={"code": "c-1", "state": query["state"][0]},
            follow_redirects=False,
        )
        where = back.headers["location"]
        assert where == "http://coder.test/external-auth/github", where
        return browser

    async def token(self) -> str | None:
        linked = await self.linker.token(self.ada.id, self.provider)
        return linked.access_token if linked else None

    def other_replica(self) -> Linker:
        return Linker(
            self.people.database, Sealer([KEY]), self.linker.services, self.linker.providers
        )


@pytest.fixture(params=[{}])
async def scene(
    people: People, clock: FakeClock, request: pytest.FixtureRequest
) -> AsyncGenerator[Scene]:
    service = GitService()
    async with served(service.app()) as address:
        provider = service.provider(address.removesuffix("/api/v2"), **request.param)
        services = Services("http://coder.test")
        linker = Linker(people.database, Sealer([KEY]), services, [provider])
        provide(people.app, Linker, linker)
        yield Scene(service, linker, provider, people, await people.add("ada"), clock)
        await services.http.aclose()


async def test_an_account_is_linked_by_going_out_and_coming_back(scene: Scene) -> None:
    before = (await scene.ada.api.get("/external-auth")).json()
    assert [one["id"] for one in before["providers"]] == ["github"]
    assert before["links"] == []
    await scene.linked()
    shown = (await scene.ada.api.get("/external-auth/github")).json()
    assert shown["authenticated"] is True
    assert shown["user"]["login"] == "ada"
    assert shown["user"]["profile_url"] == "", "no link that runs a script"
    (link,) = (await scene.ada.api.get("/external-auth")).json()["links"]
    assert (link["provider_id"], link["authenticated"]) == ("github", True)
    assert await scene.token() == "gho-1"
    bob = await scene.people.add("bob", "owner")
    assert (await bob.api.get("/external-auth")).json()["links"] == []
    assert await scene.linker.token(bob.id, scene.provider) is None


async def test_the_way_out_carries_a_proof_key_and_the_way_back_the_same(scene: Scene) -> None:
    await scene.linked()
    (form,) = scene.service.asked
    digest = hashlib.sha256(form["code_verifier"].encode()).digest()
    assert form["redirect_uri"] == "http://coder.test/external-auth/github/callback"
    assert len(form["code_verifier"]) >= 43
    assert base64.urlsafe_b64encode(digest)


@pytest.mark.parametrize("query", [{"code": "c-1"}, {"code": "c-1", "state": "forged"}])
async def test_an_answer_that_this_browser_did_not_go_out_for_links_nothing(
    scene: Scene, query: dict[str, str]
) -> None:
    scene.service.codes["c-1"] = ""
    browser = await scene.people.client(scene.ada.token, base="http://coder.test")
    await browser.get("/external-auth/github/callback", follow_redirects=False)
    back = await browser.get("/external-auth/github/callback", params=query)
    assert back.status_code == 400
    assert scene.service.asked == []
    assert await scene.token() is None


async def test_cookies_that_another_session_was_given_link_nothing(scene: Scene) -> None:
    path, bob = "/external-auth/github/callback", await scene.people.add("bob")
    mallory = await scene.people.client(bob.token, base="http://coder.test")
    away = await mallory.get(path, follow_redirects=False)
    scene.service.codes["c-1"] = ""
    # What a page of a workspace's application can do, which is served from a name below ours.
    browser = await scene.people.client(scene.ada.token, base="http://coder.test")
    browser.cookies.update(mallory.cookies)
    query = {"code": "c-1", "state": parse_qs(urlsplit(away.headers["location"]).query)["state"]}
    back = await browser.get(path, params=query, follow_redirects=False)
    assert back.status_code == 400
    assert scene.service.asked == []
    assert await scene.token() is None


@pytest.mark.parametrize("query", [{}, {"code": "c-1", "state": "s"}])
async def test_who_is_not_logged_in_is_sent_to_the_page_where_that_is_done(
    scene: Scene, query: dict[str, str]
) -> None:
    browser = await scene.people.client(base="http://coder.test")
    path = "/external-auth/github/callback"
    back = await browser.get(path, params=query, follow_redirects=False)
    assert (back.status_code, back.headers["location"]) == (
        307,
        "http://coder.test/external-auth/github",
    )
    assert scene.service.asked == []


async def test_a_browser_that_came_back_keeps_no_state(scene: Scene) -> None:
    browser = await scene.linked()
    assert not [name for name in browser.cookies if name.startswith("coder_external_auth")]


async def test_a_person_who_said_no_comes_back_to_the_page(scene: Scene) -> None:
    browser = await scene.people.client(scene.ada.token, base="http://coder.test")
    away = await browser.get("/external-auth/github/callback", follow_redirects=False)
    state = parse_qs(urlsplit(away.headers["location"]).query)["state"][0]
    query = {"error": "access_denied", "state": state}
    path = "/external-auth/github/callback"
    back = await browser.get(path, params=query, follow_redirects=False)
    assert back.headers["location"].endswith("?failed=1")


async def test_tokens_are_sealed_for_their_row(scene: Scene) -> None:
    await scene.linked()
    bob = await scene.people.add("bob")
    async with scene.people.database.tx(as_system("test")) as tx:
        (row,) = await tx.rows("SELECT access_token, extra FROM external_auth_links")
        assert b"gho-1" not in bytes(row["access_token"])
        await tx.run(
            """
            INSERT INTO external_auth_links (provider_id, user_id, access_token, created_at,
                                             updated_at)
            SELECT provider_id, %(bob)s, access_token, created_at, updated_at
              FROM external_auth_links
            """,
            {"bob": bob.id},
        )
    assert await scene.linker.token(bob.id, scene.provider) is None, "a copied row opens nothing"


async def test_a_token_that_ends_is_renewed_once_by_however_many_ask(scene: Scene) -> None:
    scene.service.lifetime = 3600
    await scene.linked()
    await scene.clock.advance(3600)
    scene.service.open.clear()
    other = scene.other_replica()
    asking = asyncio.gather(
        scene.linker.token(scene.ada.id, scene.provider),
        other.token(scene.ada.id, scene.provider),
        other.token(scene.ada.id, scene.provider),
    )
    await scene.clock.wake_within(0.5)  # Somebody waits for whoever renews.
    scene.service.open.set()
    while not (await asyncio.wait([asking], timeout=0.01))[0]:
        await scene.clock.advance(0.5)
    found = {linked.access_token if linked else None for linked in await asking}
    assert found == {"gho-2"}
    grants = [form["grant_type"] for form in scene.service.asked]
    assert grants == ["authorization_code", "refresh_token"]


async def test_a_service_that_gives_only_seconds_is_asked_once_each_time(scene: Scene) -> None:
    scene.service.lifetime = 20
    await scene.linked()
    assert await scene.token() == "gho-2"
    grants = [form["grant_type"] for form in scene.service.asked]
    assert grants == ["authorization_code", "refresh_token"]


async def test_a_renewal_outlives_whoever_asked_for_it(scene: Scene) -> None:
    scene.service.lifetime = 3600
    await scene.linked()
    await scene.clock.advance(3600)
    scene.service.open.clear()
    await scene.service.heard.acquire()  # For the first token.
    asking = asyncio.ensure_future(scene.token())
    await scene.service.heard.acquire()
    asking.cancel()
    await asyncio.wait([asking])
    scene.service.open.set()
    asking = asyncio.ensure_future(scene.token())
    while not (await asyncio.wait([asking], timeout=0.01))[0]:
        await scene.clock.advance(0.5)
    assert await asking == "gho-2"
    grants = [form["grant_type"] for form in scene.service.asked]
    assert grants == ["authorization_code", "refresh_token"]


async def test_a_renewal_that_never_ends_is_no_reason_to_link_again(scene: Scene) -> None:
    scene.service.lifetime = 3600
    await scene.linked()
    await scene.clock.advance(3600)
    async with scene.people.database.tx(as_system("test")) as tx:
        # A replica that died amid it.
        await tx.run(
            "UPDATE external_auth_links SET refreshing_until = %(until)s",
            {"until": tx.now + timedelta(days=1)},
        )
    asking = asyncio.ensure_future(scene.token())
    while not (await asyncio.wait([asking], timeout=0.01))[0]:
        await scene.clock.advance(0.5)
    with pytest.raises(ServiceFailed, match="try again"):
        await asking


async def test_what_no_database_takes_is_left_out(scene: Scene) -> None:
    scene.service.more = (
        '{"expires_in": 1e999, "team": "red", "nul": "a\\u0000", "half": "\\ud800", "much": NaN}'
    )
    await scene.linked()
    linked = await scene.linker.token(scene.ada.id, scene.provider)
    assert linked
    assert linked.extra == {"authed_user": {"id": "U1"}, "team": "red"}


@pytest.mark.parametrize("token", ["", "a\nb", "\ud800", 7, None])
async def test_what_is_no_token_is_not_taken_for_one(scene: Scene, token: object) -> None:
    scene.service.more = json.dumps({"access_token": token})
    with pytest.raises(AssertionError, match="failed=1"):
        await scene.linked()
    assert await scene.token() is None


async def test_a_renewal_that_is_refused_for_good_asks_to_link_again(scene: Scene) -> None:
    scene.service.lifetime = 3600
    await scene.linked()
    scene.service.refresh.clear()
    await scene.clock.advance(3600)
    assert await scene.token() is None
    assert await scene.token() is None
    assert len(scene.service.asked) == 2, "a used-up token is not shown twice"
    (link,) = (await scene.ada.api.get("/external-auth")).json()["links"]
    assert link["authenticated"] is False
    assert link["validate_error"] == "It is used up."


async def test_a_service_that_is_down_costs_nobody_their_link(scene: Scene) -> None:
    scene.service.lifetime = 3600
    await scene.linked()
    await scene.clock.advance(3600)
    scene.service.down = True
    assert await scene.linker.tokens(scene.ada.id, ["github"]) == {}
    (link,) = (await scene.ada.api.get("/external-auth")).json()["links"]
    assert "down for repairs" in link["validate_error"]
    scene.service.down = False
    assert await scene.token() == "gho-2"


async def test_a_token_that_the_service_took_back_is_no_token(scene: Scene) -> None:
    await scene.linked()
    assert await scene.token() == "gho-1"
    asked = scene.service.validated
    assert await scene.token() == "gho-1"
    assert scene.service.validated == asked, "believed for a minute"
    scene.service.tokens.clear()
    await scene.clock.advance(61)
    assert await scene.token() is None


@pytest.mark.parametrize("scene", [{"device_flow": True}], indirect=True)
async def test_a_device_code_links_once_it_was_typed(scene: Scene) -> None:
    code = (await scene.ada.api.get("/external-auth/github/device")).json()
    assert (code["user_code"], code["interval"]) == ("ABCD-1234", 5)
    scene.service.device = "authorization_pending"
    body = {"device_code": code["device_code"]}
    waiting = await scene.ada.api.post("/external-auth/github/device", json=body)
    assert (waiting.status_code, waiting.json()["detail"]) == (400, "authorization_pending")
    scene.service.device = ""
    done = await scene.ada.api.post("/external-auth/github/device", json=body)
    assert done.status_code == 204
    assert await scene.token() == "gho-1"


async def test_a_service_without_device_codes_says_so(scene: Scene) -> None:
    refused = await scene.ada.api.get("/external-auth/github/device")
    assert refused.status_code == 400
    assert "does not support device flow" in refused.json()["message"]


async def test_an_account_is_unlinked(scene: Scene) -> None:
    await scene.linked()
    gone = await scene.ada.api.delete("/external-auth/github")
    assert gone.json() == {"token_revoked": False, "token_revocation_error": ""}
    assert await scene.token() is None
    assert (await scene.ada.api.delete("/external-auth/github")).status_code == 404


async def test_unknown_services_are_not_found(scene: Scene) -> None:
    for method, path in (("GET", ""), ("DELETE", ""), ("GET", "/device")):
        refused = await scene.ada.api.request(method, f"/external-auth/nowhere{path}")
        assert refused.status_code == 404
        assert "'nowhere' is not configured" in refused.json()["message"]


async def test_services_learn_no_cookies_of_each_other(scene: Scene) -> None:
    scene.service.lifetime = 3600
    await scene.linked()
    await scene.clock.advance(timedelta(hours=1).total_seconds())
    await scene.token()
    assert set(scene.service.cookies) == {""}


async def test_no_secret_is_shown(scene: Scene, database: Database) -> None:
    await scene.linked()
    answers: list[Any] = [
        (await scene.ada.api.get(path)).text for path in ("/external-auth", "/external-auth/github")
    ]
    assert "gho-1" not in "".join(answers)
    assert "shh-client" not in "".join(answers)
    assert "shh-client" not in repr(scene.provider)
    assert database
