"""What surrounds every request: headers, CSRF, error bodies, rate limits, real addresses."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from ipaddress import ip_network
from typing import Any

import httpx
import pytest
from fastapi import APIRouter, Depends, FastAPI, WebSocket
from pydantic import BaseModel
from starlette.requests import HTTPConnection

from server.kit.authz import Actor
from server.kit.errors import Conflict, FieldError, Unauthorized
from server.kit.guard import Guard
from server.kit.limits import Limiter
from server.kit.realip import TrustedProxies, client_ip
from server.kit.routing import Authenticator, Limits, Me, install, limit_requests, provide
from tests.support.clock import FakeClock


class Body(BaseModel):
    name: str


async def authenticate(connection: HTTPConnection) -> Actor:
    token = connection.headers.get("Coder-Session-Token") or connection.cookies.get(
        "coder_session_token"
    )
    if token != "good":
        raise Unauthorized("Cookie or header is invalid.")
    return Actor(None, "somebody")


def make_app(clock: FakeClock, limit: int = 3) -> FastAPI:
    app = FastAPI(dependencies=[Depends(limit_requests)], strict_content_type=False)
    install(app)
    provide(app, Authenticator, authenticate)
    provide(app, Limits, Limits(api=limit))
    provide(app, Limiter, Limiter(clock))

    @app.post("/api/v2/things")
    async def post_thing(body: Body, me: Me) -> dict[str, str]:
        return {"name": body.name, "by": me.label}

    @app.get("/api/v2/taken")
    async def get_taken() -> None:
        raise Conflict("Taken.", detail="By Bob.", fields=[FieldError("name", "is taken")])

    @app.get("/api/v2/crash")
    async def get_crash() -> None:
        raise RuntimeError("a secret cause")

    @app.get("/api/v2/ip")
    async def get_ip(connection: HTTPConnection) -> str:
        return client_ip(connection)

    @app.websocket("/api/v2/ws")
    async def get_ws(websocket: WebSocket, me: Me) -> None:
        await websocket.accept()

    return app


@pytest.fixture
async def client(clock: FakeClock) -> AsyncGenerator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(Guard(make_app(clock)), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        yield client


async def test_every_answer_carries_version_request_id_and_nosniff(
    client: httpx.AsyncClient,
) -> None:
    for path in ("/api/v2/taken", "/api/v2/nowhere"):
        headers = (await client.get(path)).headers
        assert headers["X-Coder-Build-Version"].startswith("v")
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert len(headers["X-Coder-Request-Id"]) == 36
        assert headers["Content-Type"] == "application/json; charset=utf-8"


async def test_refusals_have_one_form(client: httpx.AsyncClient) -> None:
    taken = await client.get("/api/v2/taken")
    assert (taken.status_code, taken.json()) == (
        409,
        {
            "message": "Taken.",
            "detail": "By Bob.",
            "validations": [{"field": "name", "detail": "is taken"}],
        },
    )
    missing = await client.get("/api/v2/nowhere")
    assert (missing.status_code, missing.json()) == (404, {"message": "Route not found."})


async def test_a_crash_hides_its_cause(client: httpx.AsyncClient) -> None:
    crash = await client.get("/api/v2/crash")
    assert crash.status_code == 500
    assert "secret" not in crash.text


async def test_a_bad_body_is_400_and_names_the_field(client: httpx.AsyncClient) -> None:
    headers = {"Coder-Session-Token": "good"}
    shape = await client.post("/api/v2/things", json={}, headers=headers)
    assert shape.status_code == 400
    assert shape.json()["validations"][0]["field"] == "name"
    garbled = await client.post("/api/v2/things", content=b"{", headers=headers)
    assert garbled.status_code == 400
    assert garbled.json()["message"] == "Request body must be valid JSON."


async def test_curl_needs_no_content_type(client: httpx.AsyncClient) -> None:
    form = {"Content-Type": "application/x-www-form-urlencoded", "Coder-Session-Token": "good"}
    answer = await client.post("/api/v2/things", content=b'{"name":"x"}', headers=form)
    assert (answer.status_code, answer.json()["name"]) == (200, "x")


async def test_without_a_key_it_is_401(client: httpx.AsyncClient) -> None:
    assert (await client.post("/api/v2/things", json={"name": "x"})).status_code == 401


async def test_a_cookie_alone_does_not_write(client: httpx.AsyncClient) -> None:
    cookies = {"coder_session_token": "good", "csrf_token": "abc"}
    cookie = "; ".join(f"{key}={value}" for key, value in cookies.items())
    forged = await client.post("/api/v2/things", json={"name": "x"}, headers={"Cookie": cookie})
    assert forged.status_code == 400
    assert "CSRF" in forged.text
    honest = await client.post(
        "/api/v2/things",
        json={"name": "x"},
        headers={"Cookie": cookie, "X-CSRF-TOKEN": "abc"},
    )
    assert honest.status_code == 200
    with_header = await client.post(
        "/api/v2/things",
        json={"name": "x"},
        headers={"Cookie": cookie, "Coder-Session-Token": "good"},
    )
    assert with_header.status_code == 200


async def test_odd_cookies_beside_the_session_do_not_open_the_csrf_check(
    client: httpx.AsyncClient,
) -> None:
    for odd in ("a[b=1", 'x={"a":1}', "bad name=1", "=,"):
        cookie = f"{odd}; coder_session_token=good"
        forged = await client.post("/api/v2/things", json={"name": "x"}, headers={"Cookie": cookie})
        assert (forged.status_code, "CSRF" in forged.text) == (400, True), odd


@pytest.mark.parametrize("door", ["first", "login"])
async def test_a_form_elsewhere_logs_nobody_in(client: httpx.AsyncClient, door: str) -> None:
    path = f"/api/v2/users/{door}"
    for origin in ("https://evil.test", "null", "http://test.evil"):
        answer = await client.post(path, content=b"{}", headers={"Origin": origin})
        assert answer.status_code == 400, origin
    for headers in ({}, {"Origin": "http://test"}):
        assert (await client.post(path, content=b"{}", headers=headers)).status_code == 404


async def test_a_name_that_begins_like_an_exempt_path_is_not_exempt(
    client: httpx.AsyncClient,
) -> None:
    cookie = {"Cookie": "coder_session_token=good"}
    for path in ("/api/v2/users/login-bob/password", "/api/v2/users/firstborn/profile"):
        assert "CSRF" in (await client.put(path, headers=cookie)).text, path


@pytest.mark.parametrize(
    ("headers", "opened"),
    [
        ({"cookie": "coder_session_token=good", "origin": "https://dev--x.coder.test"}, False),
        ({"cookie": "__Host-coder_session_token=good", "origin": "null"}, False),
        ({"cookie": "coder_session_token=good", "origin": "http://TEST"}, True),
        ({"cookie": "coder_session_token=good", "origin": "https://coder.test"}, True),
        ({"cookie": "coder_session_token=good", "origin": "http://test.evil"}, False),
        ({"cookie": "coder_session_token=good", "origin": "http://["}, False),
        ({"cookie": "coder_session_token=good"}, False),
        (
            {
                "cookie": "coder_session_token=good",
                "origin": "https://alias",
                "sec-fetch-site": "same-origin",
            },
            True,
        ),
        ({"coder-session-token": "good", "origin": "https://dev--x.coder.test"}, True),
    ],
)
async def test_pages_elsewhere_open_no_websocket_with_a_cookie(
    clock: FakeClock, headers: dict[str, str], *, opened: bool
) -> None:
    said: list[str] = []

    async def send(message: Any) -> None:
        said.append(message["type"])

    async def receive() -> dict[str, Any]:
        return {"type": "websocket.connect" if not said else "websocket.disconnect", "code": 1000}

    pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
    scope: dict[str, Any] = {
        "type": "websocket",
        "path": "/api/v2/ws",
        "raw_path": b"/api/v2/ws",
        "query_string": b"",
        "root_path": "",
        "headers": [(b"host", b"test"), *pairs],
        "client": ("127.0.0.1", 1),
        "subprotocols": [],
        "extensions": {"websocket.http.response": {}},
    }

    async def app(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "websocket.accept"})

    await Guard(app, hosts=["coder.test"])(scope, receive, send)
    assert (said[0] == "websocket.accept") is opened
    assert opened or said[0] == "websocket.http.response.start"


async def test_the_fourth_request_in_a_minute_waits(
    client: httpx.AsyncClient, clock: FakeClock
) -> None:
    codes = [(await client.get("/api/v2/ip")).status_code for _ in range(4)]
    assert codes == [200, 200, 200, 429]
    limited = await client.get("/api/v2/ip")
    assert limited.headers["Retry-After"] == "60"
    assert limited.json()["detail"] == "Try again in 60 seconds."
    assert (await client.get("/api/v2/taken")).status_code == 409
    await clock.advance(61)
    assert (await client.get("/api/v2/ip")).status_code == 200


async def test_endpoints_of_nested_routers_have_limits_of_their_own(clock: FakeClock) -> None:
    app = make_app(clock)
    for prefix in ("/api/v2/cats", "/api/v2/dogs"):
        outer, inner = APIRouter(prefix=prefix), APIRouter()

        def named(prefix: str) -> Callable[[], Awaitable[str]]:
            async def get() -> str:
                return prefix

            get.__module__ = prefix.replace("/", ".")
            return get

        inner.get("/{number}")(named(prefix))
        outer.include_router(inner)
        app.include_router(outer)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        cats = [(await client.get(f"/api/v2/cats/{n}")).status_code for n in range(4)]
        dogs = [(await client.get(f"/api/v2/dogs/{n}")).status_code for n in range(4)]
    assert cats == dogs == [200, 200, 200, 429]


async def test_a_proxy_is_believed_only_when_trusted(clock: FakeClock) -> None:
    app = make_app(clock)
    forwarded = {"X-Forwarded-For": "6.6.6.6, 1.2.3.4"}
    transport = httpx.ASGITransport(app, client=("10.0.0.1", 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        assert (await client.get("/api/v2/ip", headers=forwarded)).json() == "10.0.0.1"
        app.state.trusted_proxies = TrustedProxies(
            ("X-Forwarded-For",), (ip_network("10.0.0.0/8"),)
        )
        assert (await client.get("/api/v2/ip", headers=forwarded)).json() == "1.2.3.4"


def test_the_limiter_forgets_old_keys(clock: FakeClock) -> None:
    limiter = Limiter(clock)
    for number in range(60_000):
        limiter.take(f"key {number}", 1)
    assert limiter.take("key 0", 1) == 0
    assert limiter.take("key 59999", 1) > 0
