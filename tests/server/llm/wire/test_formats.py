"""What is particular to each provider: streams as they come, options as they go."""

import json
from typing import Any

import pytest

from server.llm import (
    CallOptions,
    Finish,
    Json,
    Message,
    Reasoning,
    ReasoningDelta,
    Request,
    Role,
    Text,
    ToolCall,
    ToolChoice,
    ToolResult,
    Usage,
)
from server.llm.wire.settings import settings
from server.llm.wire.target import target
from tests.server.llm.wire.fakes import (
    TOOL,
    Event,
    Provider,
    ask,
    assistant,
    begin,
    block,
    call,
    call_item,
    calls,
    chat,
    chunk,
    claude,
    end,
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

# Anthropic ----------------------------------------------------------------------------------------


async def test_a_paused_turn_is_told_and_sent_again_as_it_is() -> None:
    search = search_blocks(0)[:3]
    fake = Provider(claude(search, reason="pause_turn"))
    answered = whole(await ask(fake, "anthropic", request={"web_search": True}))
    assert answered.finish is Finish.SUSPENDED
    said = assistant(answered, "anthropic")
    await ask(fake, "anthropic", user("hi"), said, request={"web_search": True})
    assert fake.sent[1]["messages"][-1]["role"] == "assistant"
    assert fake.sent[1]["messages"][-1]["content"][0]["type"] == "server_tool_use"


@pytest.mark.parametrize(
    ("reason", "finish"),
    [
        ("refusal", Finish.CONTENT_FILTER),
        ("max_tokens", Finish.LENGTH),
        ("model_context_window_exceeded", Finish.LENGTH),
        ("stop_sequence", Finish.STOP),
        ("something_new", Finish.OTHER),
    ],
)
async def test_a_reason_to_stop_is_known_or_kept_raw(reason: str, finish: Finish) -> None:
    answered = whole(await ask(Provider(claude(reason=reason)), "anthropic"))
    assert answered.finish is finish
    assert answered.raw_finish == reason
    assert answered.parts == ()


async def test_pings_and_comments_anywhere_are_nothing() -> None:
    answer = ok(
        sse({"type": "ping"}, begin(), {"type": "ping"}, ": alive", *text_block(0, "Hi"), *end())
    )
    assert whole(await ask(Provider(answer), "anthropic")).parts == (Text("Hi"),)


async def test_a_tool_without_arguments_is_called_with_an_empty_object() -> None:
    for pieces in ((), ("",)):
        (part,) = whole(await ask(Provider(claude(tool_block(0, "t", *pieces))), "anthropic")).parts
        assert isinstance(part, ToolCall)
        assert json.loads(part.args) == {}


async def test_blocks_of_an_unknown_kind_do_not_break_an_answer() -> None:
    new = block(0, {"type": "hologram", "data": "x"}, {"type": "hologram_delta", "data": "y"})
    answered = whole(await ask(Provider(claude(new, text_block(1, "Hi"))), "anthropic"))
    assert Text("Hi") in answered.parts


async def test_anthropics_usage_counts_caches_apart() -> None:
    start = begin(cache_read_input_tokens=40, cache_creation_input_tokens=7)
    answer = ok(sse(start, *text_block(0, "x"), *end(cache_read_input_tokens=40)))
    usage = whole(await ask(Provider(answer), "anthropic")).usage
    assert usage == Usage(10, 20, 77, None, 7, 40)
    assert usage.context() == 57


async def test_the_cache_is_marked_on_the_system_prompt_and_the_two_newest_requests() -> None:
    fake = Provider(claude(text_block(0, "x")))
    called = Message(Role.ASSISTANT, (ToolCall("t_1", "execute", "{}"),))
    result = Message(Role.TOOL, (ToolResult("t_1", "execute", {"output": "x"}),))
    system = Message(Role.SYSTEM, (Text("Be kind."),))
    said = Message(Role.ASSISTANT, (Text("ok"),))
    await ask(fake, "anthropic", system, user("one"), said, user("two"), called, result)
    marks = [json.dumps(message).count("cache_control") for message in fake.sent[0]["messages"]]
    assert marks == [0, 0, 1, 0, 1]
    assert json.dumps(fake.sent[0]["system"]).count("cache_control") == 1


async def test_a_prompt_keeps_its_prefix_when_it_grows_and_when_it_was_read_again() -> None:
    fake = Provider(claude(text_block(0, "x")))
    called = Message(Role.ASSISTANT, (ToolCall("t_1", "execute", '{"b": 1, "a": 2}'),))
    fresh = Message(Role.TOOL, (ToolResult("t_1", "execute", {"output": "x", "exit": 0}),))
    read = Message(Role.TOOL, (ToolResult("t_1", "execute", {"exit": 0, "output": "x"}),))
    await ask(fake, "anthropic", user("hi"), called, fresh)
    await ask(fake, "anthropic", user("hi"), called, read, user("more"))
    first, second = (json.dumps(sent["messages"]).replace(_MARK, "") for sent in fake.sent)
    assert second.startswith(first[:-3])


_MARK = ', "cache_control": {"type": "ephemeral", "ttl": "5m"}'


# Chat ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning"])
async def test_reasoning_of_compatible_servers_is_read_and_sent_again(field: str) -> None:
    fake = Provider(chat(chunk({field: "hmm"}), chunk({"content": "Hi"})))
    events = await ask(fake, "openai-compat")
    assert ReasoningDelta(0, "hmm") in events
    answered = whole(events)
    assert isinstance(answered.parts[0], Reasoning)
    await ask(fake, "openai-compat", user("hi"), assistant(answered, "openai-compat"), user("go"))
    assert fake.sent[1]["messages"][1][field] == "hmm"


async def test_think_tags_are_reasoning() -> None:
    fake = Provider(
        chat(
            chunk({"content": "<think>"}),
            chunk({"content": "hmm"}),
            chunk({"content": "</think>"}),
            chunk({"content": "Hi"}),
        )
    )
    parts = whole(await ask(fake, "openai-compat")).parts
    assert [type(part) for part in parts] == [Reasoning, Text]


async def test_usage_may_be_absent() -> None:
    answer = ok(sse(chunk({"content": "Hi"}), chunk({}, "stop"), "[DONE]"))
    assert whole(await ask(Provider(answer), "openai-compat")).usage == Usage()


async def test_usage_may_come_with_the_last_chunk() -> None:
    usage = whole(await ask(Provider(chat(chunk({"content": "Hi"}))), "openai-compat")).usage
    assert (usage.input_tokens, usage.cache_read_tokens, usage.output_tokens) == (6, 4, 5)
    assert usage.reasoning_tokens == 2


@pytest.mark.parametrize(
    "odd",
    [
        chunk(None),
        {**chunk(None), "choices": None},
        ": keep-alive",
        chunk({"content": None}),
        chunk({}),
    ],
    ids=["no choices", "choices null", "comment", "null content", "empty delta"],
)
async def test_odd_chunks_are_nothing(odd: Event | str) -> None:
    answered = whole(await ask(Provider(chat(odd, chunk({"content": "Hi"}), odd)), "openai-compat"))
    assert answered.parts == (Text("Hi"),)


async def test_a_stream_without_done_is_whole_with_its_reason() -> None:
    answer = chat(chunk({"content": "Hi"}), done=False)
    assert whole(await ask(Provider(answer), "openai-compat")).parts == (Text("Hi"),)


async def test_calls_that_come_mixed_are_kept_apart() -> None:
    fake = Provider(
        chat(
            calls(call(0, "a", "execute", '{"com')),
            calls(call(1, "b", "execute", '{"comm')),
            calls(call(0, None, None, 'mand": "x"}')),
            calls(call(1, None, None, 'and": "y"}')),
            finish="tool_calls",
        )
    )
    parts = whole(await ask(fake, "openai-compat")).parts
    assert [(part.id, part.args) for part in parts if isinstance(part, ToolCall)] == [
        ("a", '{"command": "x"}'),
        ("b", '{"command": "y"}'),
    ]


# Responses ----------------------------------------------------------------------------------------


async def test_encrypted_reasoning_comes_back_before_its_call() -> None:
    fake = Provider(responses(reasoning_item(), call_item('{"command": "ls"}')))
    events = await ask(fake, "openai")
    assert ReasoningDelta(0, "hmm") in events
    answered = whole(events)
    assert answered.response_id == "resp_1"
    assert answered.usage == Usage(6, 5, 15, 2, None, 4)
    result = Message(Role.TOOL, (ToolResult("call_1", "execute", {"output": "x"}),))
    await ask(fake, "openai", user("hi"), assistant(answered, "openai"), result)
    items = fake.sent[1]["input"][1:]
    assert [item["type"] for item in items] == [
        "reasoning",
        "function_call",
        "function_call_output",
    ]
    assert items[0]["encrypted_content"] == "ENCRYPTED"
    assert items[1]["arguments"] == '{"command":"ls"}'


async def test_reasoning_without_its_encrypted_text_is_not_sent_nor_named() -> None:
    reasoning = reasoning_item()
    del reasoning[-1]["item"]["encrypted_content"]
    fake = Provider(responses(reasoning, call_item("{}")))
    said = assistant(whole(await ask(fake, "openai")), "openai")
    result = Message(Role.TOOL, (ToolResult("call_1", "execute", {"output": "x"}),))
    await ask(fake, "openai", user("hi"), said, result)
    items = fake.sent[1]["input"][1:]
    assert [item["type"] for item in items] == ["function_call", "function_call_output"]
    assert "id" not in items[0]


@pytest.mark.parametrize(
    ("reason", "finish"),
    [("max_output_tokens", Finish.LENGTH), ("content_filter", Finish.CONTENT_FILTER)],
)
async def test_an_incomplete_response_tells_why(reason: str, finish: Finish) -> None:
    last = {
        "type": "response.incomplete",
        "response": response("incomplete", incomplete_details={"reason": reason}),
    }
    answered = whole(await ask(Provider(responses(message_item("Hi", 0), last=last)), "openai"))
    assert answered.finish is finish
    assert isinstance(answered.parts[0], Text)


async def test_tools_are_not_rewritten_to_what_a_provider_calls_strict() -> None:
    fake = Provider(responses(message_item("x", 0)), chat(chunk({"content": "x"})))
    await ask(fake, "openai")
    await ask(fake, "openai-compat")
    own, compatible = fake.sent
    assert own["tools"][0]["parameters"] == TOOL.schema
    assert own["tools"][0]["strict"] is False
    assert compatible["tools"][0]["function"]["parameters"] == TOOL.schema


async def test_an_answer_by_a_schema_is_asked_for() -> None:
    schema: dict[str, Json] = {"type": "object", "properties": {"title": {"type": "string"}}}
    fake = Provider(responses(message_item('{"title": "x"}', 0)))
    await ask(fake, "openai", request={"schema": schema, "tools": ()})
    assert fake.sent[0]["text"]["format"]["type"] == "json_schema"
    assert fake.sent[0]["text"]["format"]["schema"]["properties"] == schema["properties"]


@pytest.mark.parametrize(
    ("provider", "name"),
    [
        ("anthropic", "claude-sonnet-4-5"),
        ("anthropic", "claude-3-5-haiku-latest"),
        ("anthropic", "unheard-of"),
        ("openai-compat", "local"),
        ("azure", "gpt-4o-mini"),
        ("openrouter", "anthropic/claude-3.5-haiku"),
        ("openrouter", "some/model"),
        ("vercel", "anthropic/claude-haiku-4.5"),
    ],
)
async def test_an_answer_by_a_schema_is_asked_for_everywhere(provider: str, name: str) -> None:
    schema: dict[str, Json] = {"type": "object", "properties": {"title": {"type": "string"}}}
    text = '{"title": "x"}'
    answer = (
        claude(text_block(0, text)) if provider == "anthropic" else chat(chunk({"content": text}))
    )
    fake = Provider(answer)
    request = {"schema": schema, "tools": ()}
    answered = whole(await ask(fake, provider, name=name, request=request))
    assert answered.parts == (Text(text),)
    assert "title" in fake.requests[0].content.decode()


async def test_tools_may_be_forbidden_for_a_call_without_a_new_prefix() -> None:
    fake = Provider(claude(text_block(0, "x")))
    await ask(fake, "anthropic", request={"tool_choice": ToolChoice.NONE})
    assert fake.sent[0]["tool_choice"] == {"type": "none"}
    assert fake.sent[0]["tools"][0]["name"] == "execute"


# Google -------------------------------------------------------------------------------------------


async def test_gemini_signs_calls_and_gets_the_signature_back() -> None:
    parts = [
        {"text": "hmm", "thought": True},
        {
            "functionCall": {"name": "execute", "args": {"command": "ls"}},
            "thoughtSignature": "U0lHTkVE",
        },
    ]
    answer = ok(
        sse(
            {
                "candidates": [
                    {"content": {"role": "model", "parts": parts}, "finishReason": "STOP"}
                ],
                "usageMetadata": {
                    "promptTokenCount": 10,
                    "candidatesTokenCount": 5,
                    "thoughtsTokenCount": 3,
                    "totalTokenCount": 18,
                },
                "modelVersion": "gemini-2.5-pro",
                "responseId": "r1",
            }
        )
    )
    fake = Provider(answer)
    answered = whole(await ask(fake, "google"))
    assert [type(part) for part in answered.parts] == [Reasoning, ToolCall]
    assert answered.usage.output_tokens == 8
    called = answered.parts[1]
    assert isinstance(called, ToolCall)
    result = Message(Role.TOOL, (ToolResult(called.id, "execute", {"output": "x"}),))
    await ask(fake, "google", user("hi"), assistant(answered, "google"), result)
    assert "U0lHTkVE" in json.dumps(fake.sent[1]["contents"][1])
    assert "streamGenerateContent" in str(fake.requests[0].url)
    assert fake.requests[0].headers["x-goog-api-key"] == "sk-secret-key"


# Options ------------------------------------------------------------------------------------------


def made(provider: str, effort: str = "", model: str = "m", /, **block: Json) -> dict[str, Any]:
    options = using(**block)
    options = CallOptions(32_000, effort, {**options.values, "temperature": 0.5})
    request = Request((), (TOOL,), cache_key="chat-1")
    return settings(target(provider, model, options, request), request)


def test_plain_options_are_passed_on() -> None:
    told = made("openai")
    assert told["temperature"] == 0.5
    assert told["max_tokens"] == 32_000
    assert "max_retries" not in told, "its client was made so, and is not copied for it"
    assert made("google")["max_retries"] == 0


def test_options_of_openai() -> None:
    told = made(
        "openai",
        "max",
        user="u",
        text_verbosity="low",
        reasoning_summary="auto",
        service_tier="flex",
        include=["file_search_call.results"],
        metadata={"a": "b"},
        parallel_tool_calls=False,
        max_tool_calls=3,
        prompt_cache_key="mine",
    )
    assert told["openai_reasoning_effort"] == "xhigh"
    assert told["openai_user"] == "u"
    assert told["openai_text_verbosity"] == "low"
    assert told["openai_reasoning_summary"] == "auto"
    assert told["openai_service_tier"] == "flex"
    assert told["openai_prompt_cache_key"] == "mine"
    assert told["parallel_tool_calls"] is False
    assert told["extra_body"] == {
        "metadata": {"a": "b"},
        "max_tool_calls": 3,
        "include": ["file_search_call.results", "reasoning.encrypted_content"],
    }


def test_options_of_anthropic() -> None:
    told = made(
        "anthropic",
        thinking={"budget_tokens": 5000},
        context_1m_enabled=True,
        disable_parallel_tool_use=True,
        effort="low",
    )
    assert told["anthropic_thinking"] == {"type": "enabled", "budget_tokens": 5000}
    assert told["anthropic_betas"] == ["context-1m-2025-08-07"]
    assert told["anthropic_effort"] == "low"
    assert told["parallel_tool_calls"] is False
    assert "temperature" not in told


def test_options_of_google() -> None:
    told = made("google", thinking_config={"thinking_level": "high"}, threshold="BLOCK_NONE")
    assert told["google_thinking_config"] == {"thinking_level": "high"}
    assert {setting["threshold"] for setting in told["google_safety_settings"]} == {"BLOCK_NONE"}
    assert made("google", "none")["thinking"] is False


def test_options_of_openrouter() -> None:
    told = made("openrouter", "high", provider={"only": ["anthropic"]}, extra_body={"x": 1})
    assert told["openrouter_reasoning"] == {"effort": "high"}
    assert told["openrouter_provider"] == {"only": ["anthropic"]}
    assert told["openrouter_usage"] == {"include": True}
    assert told["extra_body"] == {"x": 1}


def test_options_of_vercel() -> None:
    told = made("vercel", reasoning={"enabled": True}, providerOptions={"order": ["azure"]})
    assert told["extra_body"] == {
        "reasoning": {"enabled": True},
        "providerOptions": {"gateway": {"order": ["azure"]}},
    }


def test_options_of_bedrock() -> None:
    assert made("bedrock", "low", "anthropic.claude-x")["thinking"] == "low"
    assert made("bedrock", "low", "anthropic.claude-x")["bedrock_cache_instructions"] is True
    assert "bedrock_cache_instructions" not in made("bedrock", "", "meta.llama")


@pytest.mark.parametrize("provider", ["azure", "vercel", "openrouter"])
async def test_every_router_speaks_chat_with_a_key_of_its_own(provider: str) -> None:
    fake = Provider(chat(chunk({"content": "Hi"})))
    answered = whole(await ask(fake, provider))
    assert isinstance(answered.parts[0], Text)
    (request,) = fake.requests
    assert request.url.path.endswith("/chat/completions")
    assert "sk-secret-key" in (
        request.headers.get("api-key", "") + request.headers.get("authorization", "")
    )


async def test_azure_takes_its_version_from_the_address() -> None:
    from tests.server.llm.wire.fakes import credentials

    fake = Provider(chat(chunk({"content": "Hi"})))
    known = credentials("azure", base_url="https://me.openai.azure.com?api-version=2024-10-21")
    stream = fake.clients().model(known, "deployment").stream(Request((user("hi"),)))
    _ = [event async for event in stream]
    assert fake.requests[0].url.params["api-version"] == "2024-10-21"
    assert "/deployments/deployment/" in fake.requests[0].url.path


async def test_thinking_with_a_signature_and_nothing_to_read_is_kept() -> None:
    answered = whole(await ask(Provider(claude(thinking_block(0, "", "S"))), "anthropic"))
    (part,) = answered.parts
    assert isinstance(part, Reasoning)
    assert part.text == ""
    assert part.provenance is not None
