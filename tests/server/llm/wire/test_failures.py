"""Failures of providers land in their class, whatever the format and the moment."""

import asyncio
from typing import Any

import httpx2
import pytest

from coder_cli.kit.clock import SystemClock
from server.llm import CallLimits, Clients, ErrorKind, ModelError, Request
from tests.server.llm.wire.fakes import (
    NAMES,
    Event,
    Provider,
    Slow,
    ask,
    begin,
    chat,
    chunk,
    credentials,
    error,
    ok,
    response,
    responses,
    sse,
    text_block,
    user,
)

FORMATS = ["anthropic", "openai", "openai-compat"]


def body(provider: str, kind: str, message: str, code: str | None = None) -> Event:
    if provider == "anthropic":
        return {"type": "error", "error": {"type": kind, "message": message}}
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}


async def failing(fake: Provider, provider: str, **more: Any) -> ModelError:
    with pytest.raises(ModelError) as failed:
        await ask(fake, provider, **more)
    return failed.value


@pytest.mark.parametrize("provider", FORMATS)
@pytest.mark.parametrize(
    ("status", "kind", "message", "code", "expected", "again"),
    [
        (429, "rate_limit_error", "slow down", "rate_limit_exceeded", "rate_limit", True),
        (429, "insufficient_quota", "You exceeded your current quota", None, "usage_limit", False),
        (529, "overloaded_error", "Overloaded", None, "overloaded", True),
        (503, "server_error", "The server is overloaded", None, "overloaded", True),
        (503, "server_error", "try later", None, "timeout", True),
        (500, "api_error", "Internal", None, "generic", True),
        (502, "api_error", "bad gateway", None, "timeout", True),
        (401, "authentication_error", "invalid x-api-key", "invalid_api_key", "auth", False),
        (403, "permission_error", "not allowed", None, "auth", False),
        (404, "not_found_error", "model: foo", "model_not_found", "config", False),
        (400, "invalid_request_error", "Unsupported parameter: x", None, "config", False),
        (
            400,
            "invalid_request_error",
            "prompt is too long: 210000 tokens > 200000 maximum",
            "context_length_exceeded",
            "context_window",
            False,
        ),
        (
            400,
            "invalid_request_error",
            "Your credit balance is too low to access the API.",
            "billing_hard_limit_reached",
            "usage_limit",
            False,
        ),
    ],
)
async def test_a_refused_call_has_its_class(
    provider: str,
    status: int,
    kind: str,
    message: str,
    code: str | None,
    expected: str,
    *,
    again: bool,
) -> None:
    fake = Provider(error(status, body(provider, kind, message, code)))
    failed = await failing(fake, provider)
    assert failed.kind == ErrorKind(expected)
    assert failed.retryable is again
    assert failed.status_code == status
    assert failed.provider == provider
    assert len(failed.detail) <= 500


@pytest.mark.parametrize("provider", FORMATS)
async def test_a_provider_says_how_long_to_wait(provider: str) -> None:
    fake = Provider(error(429, body(provider, "rate_limit_error", "slow"), **{"retry-after": "7"}))
    assert (await failing(fake, provider)).retry_after == 7


@pytest.mark.parametrize("provider", FORMATS)
async def test_a_page_of_a_gateway_is_a_time_out(provider: str) -> None:
    page = httpx2.Response(502, text="<html>Bad gateway</html>")
    assert (await failing(Provider(page), provider)).kind is ErrorKind.TIMEOUT


@pytest.mark.parametrize("provider", FORMATS)
@pytest.mark.parametrize(
    "broken",
    [httpx2.ConnectError("refused"), httpx2.RemoteProtocolError("Server disconnected")],
)
async def test_a_server_that_is_not_there_is_a_time_out(provider: str, broken: Exception) -> None:
    def refuse(_: httpx2.Request) -> httpx2.Response:
        raise broken

    failed = await failing(Provider(refuse), provider)
    assert failed.kind is ErrorKind.TIMEOUT
    assert failed.retryable


OVERLOADED = body("anthropic", "overloaded_error", "Overloaded")
IN_STREAM = {
    "anthropic": ok(
        sse(begin(), *text_block(0, "x"), body("anthropic", "overloaded_error", "Overloaded"))
    ),
    "anthropic first": ok(sse(body("anthropic", "overloaded_error", "Overloaded"))),
    "openai-compat": ok(
        sse(chunk({"content": "x"}), {"error": {"code": 529, "message": "Provider overloaded"}})
    ),
    "openai": responses(
        last={
            "type": "error",
            "code": "server_error",
            "message": "The server is overloaded",
            "param": None,
        }
    ),
}


@pytest.mark.parametrize("name", list(IN_STREAM))
async def test_an_error_inside_of_a_stream_has_its_class(name: str) -> None:
    failed = await failing(Provider(IN_STREAM[name]), name.split(maxsplit=1)[0])
    assert failed.kind is ErrorKind.OVERLOADED
    assert failed.retryable


async def test_a_response_that_failed_has_its_class() -> None:
    last = {
        "type": "response.failed",
        "response": response(
            "failed", error={"code": "rate_limit_exceeded", "message": "Rate limit reached"}
        ),
    }
    failed = await failing(Provider(responses(last=last)), "openai")
    assert failed.kind is ErrorKind.RATE_LIMIT


@pytest.mark.parametrize("provider", FORMATS)
async def test_a_server_that_does_not_begin_is_given_up(provider: str) -> None:
    async def never(_: httpx2.Request) -> httpx2.Response:
        await asyncio.Event().wait()
        raise AssertionError

    clients = Clients(SystemClock(), CallLimits(0.05, 30), httpx2.MockTransport(never))
    stream = clients.model(credentials(provider), NAMES[provider]).stream(Request((user("hi"),)))
    with pytest.raises(ModelError) as failed:
        await anext(stream)
    assert failed.value.kind is ErrorKind.STARTUP_TIMEOUT
    assert failed.value.retryable


async def test_a_server_that_falls_silent_is_given_up() -> None:
    body = Slow(sse(begin(), *text_block(0, "x")), then=lambda: asyncio.Event().wait())
    fake = Provider(lambda _: httpx2.Response(200, stream=body))
    model = fake.clients(CallLimits(30, 0.05)).model(credentials("anthropic"), "claude-sonnet-4-5")
    with pytest.raises(ModelError) as failed:
        _ = [event async for event in model.stream(Request((user("hi"),)))]
    assert failed.value.kind is ErrorKind.STREAM_SILENCE_TIMEOUT
    assert body.closed


async def test_a_flood_is_no_answer() -> None:
    fake = Provider(chat(*(chunk({"content": "word"}) for _ in range(9))))
    model = fake.clients(CallLimits(answer_characters=32)).model(
        credentials("openai-compat"), "local"
    )
    with pytest.raises(ModelError, match="error") as failed:
        _ = [event async for event in model.stream(Request((user("hi"),)))]
    assert "longer than 32" in failed.value.detail


async def test_a_flood_of_calls_is_no_answer() -> None:
    calls = (
        chunk(
            {
                "tool_calls": [
                    {
                        "index": number,
                        "id": f"c{number}",
                        "type": "function",
                        "function": {"name": "look", "arguments": ""},
                    }
                ]
            }
        )
        for number in range(1002)
    )
    model = Provider(chat(*calls)).clients().model(credentials("openai-compat"), "local")
    with pytest.raises(ModelError) as failed:
        _ = [event async for event in model.stream(Request((user("hi"),)))]
    assert "more than 1000 parts" in failed.value.detail


SECRETS = (
    "ANTHROPIC_AUTH_TOKEN",
    "ANTHROPIC_API_KEY",
    "OPENAI_API_KEY",
    "OPENAI_ADMIN_KEY",
    "OPENAI_ORG_ID",
    "OPENAI_PROJECT_ID",
    "AZURE_OPENAI_AD_TOKEN",
    "AZURE_OPENAI_API_KEY",
    "GOOGLE_API_KEY",
    "GEMINI_API_KEY",
    "OPENROUTER_API_KEY",
    "VERCEL_AI_GATEWAY_API_KEY",
    "VERCEL_OIDC_TOKEN",
)
ADDRESSES = (
    "OPENAI_BASE_URL",
    "ANTHROPIC_BASE_URL",
    "GOOGLE_GEMINI_BASE_URL",
    "AZURE_OPENAI_ENDPOINT",
    "HTTPS_PROXY",
)


@pytest.mark.parametrize("provider", sorted(NAMES))
async def test_the_servers_environment_goes_to_no_provider(
    provider: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in SECRETS:
        monkeypatch.setenv(name, "canary")
    for name in ADDRESSES:
        monkeypatch.setenv(name, "https://canary.example")
    for name in ("ANTHROPIC_CUSTOM_HEADERS", "OPENAI_CUSTOM_HEADERS"):
        monkeypatch.setenv(name, "X-Canary: canary")
    fake = Provider(httpx2.Response(500))
    model = fake.clients().model(credentials(provider), NAMES[provider])
    with pytest.raises(ModelError):
        _ = [event async for event in model.stream(Request((user("hi"),)))]
    [request] = fake.requests
    assert "canary" not in str(request.url)
    assert not [name for name, value in request.headers.items() if "canary" in value]


@pytest.mark.parametrize("provider", sorted({*NAMES} - {"bedrock"}))
async def test_a_key_follows_no_redirect(provider: str) -> None:
    away = httpx2.Response(307, headers={"Location": "https://elsewhere.example/v1/steal"})
    fake = Provider(away)
    model = fake.clients().model(credentials(provider), NAMES[provider])
    with pytest.raises(ModelError):
        _ = [event async for event in model.stream(Request((user("hi"),)))]
    assert {request.url.host for request in fake.requests} != {"elsewhere.example"}
    assert len(fake.requests) == 1


@pytest.mark.parametrize("provider", ["anthropic", "openai", "google", "azure", "openrouter"])
async def test_a_missing_key_is_told_before_any_call(provider: str) -> None:
    fake = Provider(httpx2.Response(500))
    model = fake.clients().model(credentials(provider, api_key=""), NAMES[provider])
    with pytest.raises(ModelError) as failed:
        await anext(model.stream(Request((user("hi"),))))
    assert failed.value.kind is ErrorKind.MISSING_KEY
    assert not fake.requests


@pytest.mark.parametrize(
    "url",
    ["ftp://x.example", "file:///etc/passwd", "x.example", "http://", "https://a:b@c.example"],
)
async def test_an_address_that_is_none_is_refused(url: str) -> None:
    clients = Provider(httpx2.Response(500)).clients()
    with pytest.raises(ModelError) as failed:
        clients.model(credentials("openai-compat", base_url=url), "x")
    assert failed.value.kind is ErrorKind.CONFIG
    assert "base URL" in failed.value.detail


async def test_only_so_many_calls_of_a_provider_run_at_once() -> None:
    running = most = 0
    gate, two = asyncio.Event(), asyncio.Event()

    async def answer(_: httpx2.Request) -> httpx2.Response:
        nonlocal running, most
        running += 1
        most = max(most, running)
        if running == 2:
            two.set()
        await gate.wait()
        running -= 1
        return chat(chunk({"content": "x"}))

    limits = CallLimits(calls_per_provider=2)
    clients = Clients(SystemClock(), limits, httpx2.MockTransport(answer))
    model = clients.model(credentials("openai-compat"), "local")

    async def one() -> None:
        _ = [event async for event in model.stream(Request((user("hi"),)))]

    async with asyncio.TaskGroup() as group:
        for _ in range(6):
            group.create_task(one())
        await two.wait()
        gate.set()
    assert most == 2
