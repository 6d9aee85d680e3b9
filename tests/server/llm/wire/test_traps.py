"""The traps of the libraries, by their number in the reference (llm, section 3)."""

import asyncio
import base64
import json
from typing import Any

import httpx2
import pytest

from coder_cli.kit.clock import SystemClock
from server.llm import (
    CallOptions,
    Clients,
    ErrorKind,
    File,
    Finish,
    Json,
    Message,
    Model,
    ModelError,
    Provenance,
    Reasoning,
    ReasoningDelta,
    Request,
    Role,
    Source,
    Text,
    TextDelta,
    ToolCall,
    ToolResult,
    decode,
    encode,
)
from tests.server.llm.wire.fakes import (
    TOOL,
    USAGE,
    Event,
    Provider,
    Slow,
    ask,
    assistant,
    begin,
    call,
    call_item,
    calls,
    chat,
    chunk,
    claude,
    credentials,
    end,
    error,
    message_item,
    ok,
    reasoning_item,
    response,
    responses,
    search_blocks,
    sse,
    text_block,
    thinking_block,
    tool_block,
    user,
    using,
    whole,
)

CUT = {
    "anthropic": ok(sse(begin(), *text_block(0, "Hel"))),
    "openai-compat": ok(sse(chunk({"role": "assistant", "content": "Hel"}))),
    "openai": ok(
        sse(
            {"type": "response.created", "sequence_number": 0, "response": response("in_progress")},
            *message_item("Hel", 0)[:3],
        )
    ),
}


def stored(message: Message) -> Message:
    """Return a message as it comes back from the database."""
    parts = decode(json.loads(encode(message.parts)), 1)
    return Message(message.role, parts, message.id, message.provider, message.model)


async def failing(fake: Provider, provider: str, **more: Any) -> ModelError:
    with pytest.raises(ModelError) as failed:
        await ask(fake, provider, **more)
    return failed.value


async def until_failure(model: Model) -> tuple[str, ModelError]:
    """Return what was said before a call failed, and the failure."""
    said = ""
    try:
        async for event in model.stream(Request((user("hi"),))):
            said += event.text if isinstance(event, TextDelta) else ""
    except ModelError as failed:
        return said, failed
    raise AssertionError("the call did not fail")


@pytest.mark.parametrize("provider", list(CUT))
async def test_trap_01_a_stream_that_just_ends_is_no_answer(provider: str) -> None:
    error = await failing(Provider(CUT[provider]), provider)
    assert error.kind is ErrorKind.TIMEOUT
    assert error.retryable


@pytest.mark.parametrize("provider", list(CUT))
async def test_trap_01_what_came_before_the_cut_was_told(provider: str) -> None:
    model = Provider(CUT[provider]).clients().model(credentials(provider), "claude-sonnet-4-5")
    said, _ = await until_failure(model)
    assert said == "Hel"


@pytest.mark.parametrize(
    "answer",
    [
        ok(sse(*text_block(0, "x"), *end())),
        ok(b"<html>Welcome</html>", "text/html"),
        ok(b""),
        ok(sse("{not json}")),
        ok(sse({"type": "message_start", "message": {}})),
    ],
    ids=["no message_start", "html", "empty", "no json", "no message"],
)
@pytest.mark.parametrize("provider", ["anthropic", "openai-compat", "openai"])
async def test_trap_02_what_is_no_answer_is_an_error_that_may_pass(
    provider: str, answer: httpx2.Response
) -> None:
    error = await failing(Provider(answer), provider)
    assert error.kind in {ErrorKind.GENERIC, ErrorKind.TIMEOUT}
    assert error.retryable
    assert error.provider == provider


async def test_trap_03_calls_without_results_go_out_as_they_are_and_repair_is_the_loops() -> None:
    fake = Provider(claude(text_block(0, "ok")))
    called = Message(Role.ASSISTANT, (ToolCall("toolu_1", "execute", "{}"),), provider="anthropic")
    await ask(fake, "anthropic", user("hi"), called, user("and?"))
    roles = [message["role"] for message in fake.sent[0]["messages"]]
    assert roles == ["user", "assistant", "user"]


async def test_trap_04_system_text_in_the_middle_stays_there() -> None:
    fake = Provider(claude(text_block(0, "ok")))
    system = Message(Role.SYSTEM, (Text("Be kind."),))
    later = Message(Role.SYSTEM, (Text("A notice."),))
    await ask(fake, "anthropic", system, user("hi"), later)
    sent = fake.sent[0]
    assert [part["text"] for part in sent["system"]] == ["Be kind."]
    assert "A notice." in json.dumps(sent["messages"][-1])


async def test_trap_05_unsigned_and_foreign_thinking_is_not_sent() -> None:
    fake = Provider(claude(text_block(0, "ok")), chat(chunk({"content": "x"})))
    foreign = Provenance("openai", {"part": {"signature": "S", "provider_name": "openai"}})
    thoughts = Message(
        Role.ASSISTANT,
        (
            Reasoning("interrupted"),
            Reasoning("of another", provenance=foreign),
            Text("Hello"),
        ),
        provider="anthropic",
    )
    await ask(fake, "anthropic", user("hi"), thoughts, user("go"))
    await ask(fake, "openai-compat", user("hi"), thoughts, user("go"))
    for sent in fake.sent:
        wire = json.dumps(sent)
        assert "Hello" in wire
        assert "interrupted" not in wire
        assert "another" not in wire
        assert "think" not in wire


async def test_trap_05_signed_thinking_comes_back_to_who_signed_it() -> None:
    answer = claude(
        thinking_block(0, "", "EMPTY"),
        thinking_block(1, "hmm", "SIGNED"),
        [*({**event, "index": 2} for event in _redacted())],
        tool_block(3, "toolu_1", '{"command": "ls"}'),
        reason="tool_use",
    )
    fake = Provider(answer)
    said = stored(assistant(whole(await ask(fake, "anthropic")), "anthropic"))
    result = Message(Role.TOOL, (ToolResult("toolu_1", "execute", {"output": "x"}),))
    await ask(fake, "anthropic", user("hi"), said, result)
    assert fake.sent[1]["messages"][1]["content"] == [
        {"type": "thinking", "thinking": "", "signature": "EMPTY"},
        {"type": "thinking", "thinking": "hmm", "signature": "SIGNED"},
        {"type": "redacted_thinking", "data": "REDACTED"},
        {"type": "tool_use", "id": "toolu_1", "name": "execute", "input": {"command": "ls"}},
    ]


def _redacted() -> list[Event]:
    return [
        {
            "type": "content_block_start",
            "content_block": {"type": "redacted_thinking", "data": "REDACTED"},
        },
        {"type": "content_block_stop"},
    ]


async def test_trap_06_a_search_is_sent_again_only_while_it_is_switched_on() -> None:
    fake = Provider(claude(search_blocks(0)))
    answered = whole(await ask(fake, "anthropic", request={"web_search": True}))
    assert Source("https://example.com/a", "https://example.com/a", "A page") in answered.parts
    said = stored(assistant(answered, "anthropic"))
    await ask(fake, "anthropic", user("hi"), said, user("go"), request={"web_search": True})
    await ask(fake, "anthropic", user("hi"), said, user("go"))
    on, off = (sent["messages"][1]["content"] for sent in fake.sent[1:])
    assert [part["type"] for part in on] == ["server_tool_use", "web_search_tool_result", "text"]
    assert on[1]["content"][0]["encrypted_content"] == "ENCRYPTED"
    assert on[2]["citations"][0]["encrypted_index"] == "INDEX"
    assert off == [{"type": "text", "text": "It is so."}]


async def test_trap_06_what_is_shown_of_a_search_holds_no_encrypted_text() -> None:
    answered = whole(await ask(Provider(claude(search_blocks(0))), "anthropic"))
    (result,) = [part for part in answered.parts if isinstance(part, ToolResult)]
    assert result.provider_executed
    assert result.result == {
        "results": [{"url": "https://example.com/a", "title": "A page", "page_age": "1 day"}]
    }


async def test_trap_07_arguments_are_kept_as_the_raw_text_they_are() -> None:
    for raw in ('{"command":  "ls",\n "a": 1}', '{"command": "l'):
        events = await ask(
            Provider(claude(tool_block(0, "t", raw), reason="max_tokens")), "anthropic"
        )
        (part,) = whole(events).parts
        assert isinstance(part, ToolCall)
        assert part.args == raw
        assert whole(events).finish is Finish.LENGTH


async def test_trap_08_a_stop_with_calls_is_told_as_calls() -> None:
    fake = Provider(responses(call_item('{"command": "ls"}', 0)))
    assert whole(await ask(fake, "openai")).finish is Finish.TOOL_CALLS
    fake = Provider(chat(calls(call(0, "a", "execute", "{}")), finish="stop"))
    assert whole(await ask(fake, "openai-compat")).finish is Finish.TOOL_CALLS


async def test_trap_09_calls_that_came_with_one_index_are_refused_in_words() -> None:
    both = calls(
        call(0, "a", "execute", '{"command": "x"}'), call(0, "b", "execute", '{"command": "y"}')
    )
    error = await failing(Provider(chat(both, finish="tool_calls")), "openai-compat")
    assert "same index" in error.message
    assert not error.retryable


async def test_trap_09_a_missing_index_and_an_id_that_comes_once_are_fine() -> None:
    first = calls(call(None, "a", "execute", '{"comm'))
    more = calls(call(None, None, None, 'and": "x"}'))
    events = await ask(Provider(chat(first, more, finish="tool_calls")), "openai-compat")
    (part,) = whole(events).parts
    assert isinstance(part, ToolCall)
    assert (part.id, part.args) == ("a", '{"command": "x"}')


async def test_trap_10_bedrock_has_threads_for_many_streams() -> None:
    import anyio.to_thread

    from server.llm.wire.target import target
    from server.llm.wire.vendors import model

    known = credentials("bedrock", base_url="https://bedrock-runtime.eu-west-1.amazonaws.com")
    goal = target("bedrock", "eu.anthropic.claude-sonnet-4-5", CallOptions(), Request(()))
    model(known, goal, httpx2.AsyncClient())
    assert anyio.to_thread.current_default_thread_limiter().total_tokens >= 200


@pytest.mark.parametrize("use_responses", [True, False])
async def test_trap_11_openai_is_told_not_to_store(use_responses: bool) -> None:
    fake = Provider(
        responses(message_item("x", 0)) if use_responses else chat(chunk({"content": "x"}))
    )
    options = CallOptions(values={"openai_config": {"use_responses_api": use_responses}})
    await ask(fake, "openai", options=options, request={"cache_key": "chat-1"})
    assert fake.sent[0]["store"] is False
    assert fake.sent[0]["prompt_cache_key"] == "chat-1"
    assert fake.sent[0]["stream"] is True


@pytest.mark.parametrize("room", [500, 1500, 4096, 20_000, 64_000])
@pytest.mark.parametrize("effort", ["", "none", "minimal", "low", "medium", "high", "max"])
async def test_trap_11_thinking_leaves_room_to_answer(room: int, effort: str) -> None:
    fake = Provider(claude(text_block(0, "x")))
    await ask(fake, "anthropic", options=CallOptions(room, effort))
    thinking: Event = fake.sent[0].get("thinking") or {}
    assert thinking.get("budget_tokens", 0) < fake.sent[0]["max_tokens"] == room
    assert bool(thinking.get("budget_tokens")) is (effort not in {"", "none"} and room > 1024)


async def test_trap_12_a_proxy_gets_the_older_header_too() -> None:
    fake = Provider(claude(text_block(0, "x")))
    clients = fake.clients()
    for base_url in ("", "https://proxy.example"):
        known = credentials("anthropic", base_url=base_url, headers={"X-Team": "blue"})
        stream = clients.model(known, "claude-sonnet-4-5").stream(Request((user("hi"),)))
        _ = [event async for event in stream]
    own, proxy = (request.headers for request in fake.requests)
    assert own["authorization"] == proxy["authorization"] == "Bearer sk-secret-key"
    assert "x-api-key" not in own
    assert proxy["x-api-key"] == "sk-secret-key"
    assert proxy["x-team"] == "blue"


@pytest.mark.parametrize("provider", ["anthropic", "openai", "openai-compat", "openrouter"])
async def test_nothing_of_the_servers_environment_goes_to_a_provider(
    provider: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for vendor in ("OPENAI", "ANTHROPIC"):
        for name in ("API_KEY", "AUTH_TOKEN", "ORG_ID", "PROJECT_ID"):
            monkeypatch.setenv(f"{vendor}_{name}", "of-the-server")
        monkeypatch.setenv(f"{vendor}_BASE_URL", "http://of-the-server.example")
    answers = {"anthropic": claude(text_block(0, "x")), "openai": responses(message_item("x", 0))}
    fake = Provider(answers.get(provider, chat(chunk({"content": "x"}))))
    await ask(fake, provider)
    (request,) = fake.requests
    assert "of-the-server" not in str(request.url) + str(dict(request.headers))


@pytest.mark.parametrize("provider", ["anthropic", "openai", "openai-compat", "openrouter"])
async def test_trap_13_a_failed_call_is_made_once(provider: str) -> None:
    fake = Provider(error(500, {"error": {"message": "oops", "type": "server_error"}}))
    failed = await failing(fake, provider)
    assert len(fake.requests) == 1
    assert failed.retryable


async def test_trap_14_calls_share_a_transport_and_no_cookies() -> None:
    answer = claude(text_block(0, "x"))
    answer.headers["set-cookie"] = "who=first"
    fake = Provider(answer)
    clients = fake.clients()
    for _ in range(2):
        stream = clients.model(credentials("anthropic"), "claude-sonnet-4-5").stream(
            Request((user("hi"),))
        )
        _ = [event async for event in stream]
    assert ["cookie" in request.headers for request in fake.requests] == [False, False]


async def test_trap_15_bytes_that_came_before_a_cut_are_told() -> None:
    body = Slow(sse(begin(), *text_block(0, "Hel", "lo")), httpx2.ReadError("reset by peer"))
    fake = Provider(lambda _: httpx2.Response(200, stream=body))
    model = fake.clients().model(credentials("anthropic"), "claude-sonnet-4-5")
    said, failed = await until_failure(model)
    assert said == "Hello"
    assert failed.kind is ErrorKind.TIMEOUT


async def test_trap_16_openrouter_keeps_signatures_and_tells_its_cost() -> None:
    detail = {
        "type": "reasoning.text",
        "text": "hmm",
        "signature": "SIGNED",
        "format": "anthropic-claude-v1",
        "index": 0,
    }
    answer = ok(
        sse(
            chunk({"role": "assistant", "reasoning": "hmm", "reasoning_details": [detail]}),
            chunk({"content": "Hello"}),
            chunk({}, "stop", native_finish_reason="stop", provider="Anthropic"),
            chunk(None, usage={**USAGE, "cost": 0.001234}, provider="Anthropic"),
            "[DONE]",
        )
    )
    fake = Provider(answer)
    events = await ask(fake, "openrouter")
    assert any(isinstance(event, ReasoningDelta) for event in events)
    assert whole(events).cost_micros == 1234
    said = stored(assistant(whole(events), "openrouter"))
    await ask(fake, "openrouter", user("hi"), said, user("go"))
    assert "SIGNED" in json.dumps(fake.sent[1]["messages"])


async def test_trap_17_failed_results_are_told_as_failed() -> None:
    called = Message(Role.ASSISTANT, (ToolCall("t_1", "execute", "{}"),))
    failed = Message(Role.TOOL, (ToolResult("t_1", "execute", "no such file", is_error=True),))
    fake = Provider(claude(text_block(0, "x")), chat(chunk({"content": "x"})))
    await ask(fake, "anthropic", user("hi"), called, failed)
    await ask(fake, "openai-compat", user("hi"), called, failed)
    anthropic, openai = fake.sent
    assert anthropic["messages"][-1]["content"][0]["is_error"] is True
    assert json.loads(openai["messages"][-1]["content"]) == {"error": "no such file"}


async def test_edge_case_13_with_store_no_reasoning_is_sent_again() -> None:
    fake = Provider(responses(reasoning_item(), call_item('{"command": "ls"}')))
    answered = whole(await ask(fake, "openai", options=using(store=True)))
    assert isinstance(answered.parts[0], Reasoning)
    said = stored(assistant(answered, "openai"))
    result = Message(Role.TOOL, (ToolResult("call_1", "execute", {"output": "x"}),))
    await ask(fake, "openai", user("hi"), said, result, options=using(store=True))
    await ask(fake, "openai", user("hi"), said, result)
    kept, unstored = (
        [(item.get("type"), item.get("id")) for item in sent["input"]] for sent in fake.sent[1:]
    )
    assert "reasoning" not in [kind for kind, _ in kept]
    assert "fc_1" not in [id_ for _, id_ in kept]
    assert ("reasoning", "rs_1") in unstored
    assert [sent["stream"] for sent in fake.sent] == [True] * 3
    assert [sent["store"] for sent in fake.sent] == [True, True, False]


async def test_edge_case_13_a_lost_chain_has_its_class() -> None:
    body = {
        "error": {
            "message": "Previous response with id 'resp_0' not found.",
            "type": "invalid_request_error",
            "param": "previous_response_id",
            "code": "previous_response_not_found",
        }
    }
    fake = Provider(error(400, body))
    failed = await failing(fake, "openai", request={"previous_response_id": "resp_0"})
    assert fake.sent[0]["previous_response_id"] == "resp_0"
    assert failed.kind is ErrorKind.CHAIN_BROKEN


async def test_a_request_that_does_not_ask_to_stream_never_leaves() -> None:
    from server.llm.wire.http import client

    async with client(
        httpx2.MockTransport(lambda _: httpx2.Response(200)), {}, httpx2.Timeout(5), "openai"
    ) as http:
        with pytest.raises(ModelError, match="refused the request"):
            await http.post("https://api.example/v1/responses", json={"model": "x"})
        await http.post("https://api.example/v1/responses", json={"stream": True})


async def test_closing_a_stream_frees_the_socket() -> None:
    body = Slow(sse(begin(), *text_block(0, "Hel")), then=lambda: asyncio.Event().wait())
    fake = Provider(lambda _: httpx2.Response(200, stream=body))
    stream = (
        fake.clients()
        .model(credentials("anthropic"), "claude-sonnet-4-5")
        .stream(Request((user("hi"),), (TOOL,)))
    )
    async for event in stream:
        if isinstance(event, TextDelta):
            break
    await stream.aclose()
    assert body.closed


async def test_cancelling_a_call_frees_the_socket() -> None:
    body = Slow(sse(begin(), *text_block(0, "Hel")), then=lambda: asyncio.Event().wait())
    fake = Provider(lambda _: httpx2.Response(200, stream=body))
    model = fake.clients().model(credentials("anthropic"), "claude-sonnet-4-5")
    heard = asyncio.Event()

    async def listen() -> None:
        async for _ in model.stream(Request((user("hi"),))):
            heard.set()

    task = asyncio.ensure_future(listen())
    await heard.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert body.closed


async def test_media_of_people_and_tools_is_sent() -> None:
    fake = Provider(claude(text_block(0, "x")))
    picture = base64.b64encode(b"\x89PNG\r\n\x1a\n").decode()
    asked = Message(Role.USER, (Text("see"), File("image/png", data=picture)), id=1)
    called = Message(Role.ASSISTANT, (ToolCall("t_1", "execute", "{}"),))
    shown: dict[str, Json] = {"data": picture, "mime_type": "image/png", "text": "a picture"}
    result = Message(Role.TOOL, (ToolResult("t_1", "execute", shown, is_media=True),))
    lost = Message(Role.USER, (File("image/png"),), id=3)
    await ask(fake, "anthropic", asked, called, result, lost)
    first, _, last = fake.sent[0]["messages"]
    assert [part["type"] for part in first["content"]] == ["text", "image"]
    kinds = [part["type"] for part in last["content"][0]["content"]]
    assert kinds == ["text", "image"]
    assert "[missing-attachment]" in json.dumps(last)


async def test_keys_are_in_no_error() -> None:
    fake = Provider(error(401, {"error": {"message": "Incorrect API key: sk-secret-key"}}))
    failed = await failing(fake, "openai-compat")
    assert failed.kind is ErrorKind.AUTH
    assert "sk-secret-key" not in failed.detail
    assert "sk-secret-key" not in str(failed)


def test_no_library_of_a_provider_is_loaded_with_the_room() -> None:
    import subprocess
    import sys

    heavy = "('pydantic_ai', 'openai', 'anthropic', 'google.genai', 'boto3', 'genai_prices')"
    code = f"import sys, server.llm; print([m for m in {heavy} if m in sys.modules])"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert loaded.stdout.strip() == "[]"


async def test_a_deployment_with_only_the_scripted_model_opens_nothing() -> None:
    clients = Clients(SystemClock())
    model = clients.model(credentials("scripted"), "scripted")
    assert model.provider == "scripted"
    await clients.preload(["scripted"])
    await clients.close()


async def test_edge_case_12_blank_parts_are_never_sent_and_signed_empty_reasoning_is() -> None:
    fake = Provider(claude(thinking_block(0, "", "SIGNED"), text_block(1, "Hi")))
    answered = whole(await ask(fake, "anthropic"))
    blanks = (Text(""), Text(" "), Reasoning(""), Reasoning(" "), *answered.parts)
    said = stored(Message(Role.ASSISTANT, blanks, 2, "anthropic"))
    asked = Message(Role.USER, (Text(" "), Text("hi"), Text("")), id=1)
    only_blank = Message(Role.USER, (Text("\n"),), id=3)
    await ask(fake, "anthropic", asked, said, only_blank, user("go"))
    first, second, third = fake.sent[1]["messages"]
    assert [part["text"] for part in first["content"]] == ["hi"]
    assert [part["type"] for part in second["content"]] == ["thinking", "text"]
    assert second["content"][0]["signature"] == "SIGNED"
    assert [part["text"] for part in third["content"]] == ["go"]
