"""The options of a model as settings of its provider. Pure.

Source: reference, chats, section 1.10, and llm, trap 11.
"""

from collections.abc import Mapping
from typing import Any

from server.llm.model import Request, ToolChoice
from server.llm.parts import Json
from server.llm.wire.target import Format, Target

Settings = dict[str, Any]

_PLAIN = ("temperature", "top_p", "top_k", "presence_penalty", "frequency_penalty")
_OPENAI: Mapping[str, str] = {
    "user": "openai_user",
    "log_probs": "openai_logprobs",
    "top_log_probs": "openai_top_logprobs",
    "text_verbosity": "openai_text_verbosity",
    "prediction": "openai_prediction",
    "service_tier": "openai_service_tier",
    "reasoning_summary": "openai_reasoning_summary",
    "reasoning_effort": "openai_reasoning_effort",
    "prompt_cache_key": "openai_prompt_cache_key",
    "parallel_tool_calls": "parallel_tool_calls",
    "logit_bias": "logit_bias",
    "max_completion_tokens": "max_tokens",
}
_BODY = ("instructions", "max_tool_calls", "metadata", "safety_identifier")
_ENCRYPTED = "reasoning.encrypted_content"

_BUDGETS: tuple[tuple[str, int], ...] = (
    ("minimal", 1024),
    ("low", 2048),
    ("medium", 10_000),
    ("high", 16_384),
    ("xhigh", 32_768),
    ("max", 32_768),
)
"""Tokens of thinking that an effort asks of models which are told a budget."""
_LEAST_BUDGET = 1024

_HARMS = (
    "HARM_CATEGORY_HARASSMENT",
    "HARM_CATEGORY_HATE_SPEECH",
    "HARM_CATEGORY_SEXUALLY_EXPLICIT",
    "HARM_CATEGORY_DANGEROUS_CONTENT",
)
CONTEXT_1M = "context-1m-2025-08-07"


def settings(target: Target, request: Request) -> Settings:
    """Return the settings of one call."""
    options = target.options
    made: Settings = {
        "max_tokens": options.max_output_tokens,
        # Others' SDKs were made so; told again, each call would copy its client, which reads the
        # server's environment anew.
        "max_retries": 0 if target.format in {Format.GOOGLE, Format.BEDROCK} else None,
        "tool_choice": _choice(request),
    }
    made |= {name: options.values[name] for name in _PLAIN if name in options.values}
    made |= _OF_FORMAT[target.format](target, request)
    return {name: value for name, value in made.items() if value is not None}


def _choice(request: Request) -> str | None:
    if not request.tools:
        return None
    return None if request.tool_choice is ToolChoice.AUTO else request.tool_choice.value


def _openai(target: Target, request: Request) -> Settings:
    block = target.block
    effort = _openai_effort(target.options.reasoning_effort)
    made: Settings = {"openai_reasoning_effort": effort} if effort else {}
    made |= {ours: block[theirs] for theirs, ours in _OPENAI.items() if theirs in block}
    body: Settings = {name: block[name] for name in _BODY if name in block}
    if isinstance(block.get("include"), list):
        # What is asked for replaces what would be asked for by itself.
        body["include"] = sorted({*map(str, _list(block["include"])), _ENCRYPTED})
    if body or "extra_body" in block:
        made["extra_body"] = body | _object(block.get("extra_body"))
    if target.provider in {"openai", "azure"}:
        made.setdefault("openai_prompt_cache_key", request.cache_key or None)
    if target.provider in {"openai", "azure"} or target.format is Format.RESPONSES:
        made["openai_store"] = target.stores
    if target.format is Format.RESPONSES and target.stores:
        # Ids point to reasoning that is not sent ("without its required following item").
        made["openai_send_reasoning_ids"] = False
    if target.format is Format.RESPONSES and request.previous_response_id:
        made["openai_previous_response_id"] = request.previous_response_id
    return made


def _openai_effort(effort: str) -> str:
    return "xhigh" if effort == "max" else effort


def _anthropic(target: Target, request: Request) -> Settings:
    block = target.block
    made = _thinking(target)
    if target.format is Format.ANTHROPIC:
        made["anthropic_cache_instructions"] = True
        if isinstance(block.get("effort"), str):
            made["anthropic_effort"] = block["effort"]
        if block.get("context_1m_enabled") is True:
            made["anthropic_betas"] = [CONTEXT_1M]
    elif target.marks_cache:
        made["bedrock_cache_instructions"] = True
    if block.get("disable_parallel_tool_use") is True and request.tools:
        made["parallel_tool_calls"] = False
    return made


def _thinking(target: Target) -> Settings:
    """Return how much to think, such that there is room left to answer."""
    room = target.options.max_output_tokens
    told = _object(target.block.get("thinking")).get("budget_tokens")
    made: Settings = {}
    if isinstance(told, int) and not isinstance(told, bool):
        budget = min(told, room - 1)
        if budget >= _LEAST_BUDGET and target.format is Format.ANTHROPIC:
            thinking: Settings = {"type": "enabled", "budget_tokens": budget}
            if isinstance(target.block.get("thinking_display"), str):
                thinking["display"] = target.block["thinking_display"]
            made["anthropic_thinking"] = thinking
        elif budget >= _LEAST_BUDGET:
            made["thinking"] = effort_within("max", budget + 1)
    elif target.options.reasoning_effort not in {"", "none"}:
        made["thinking"] = effort_within(target.options.reasoning_effort, room)
    if made.get("thinking") or "anthropic_thinking" in made:
        # Refused together with thinking.
        made |= {"temperature": None, "top_k": None}
    return made


def effort_within(effort: str, room: int) -> str | None:
    """Return the effort, or the most below it whose thinking leaves room for an answer."""
    efforts = [name for name, _ in _BUDGETS]
    most = efforts.index(effort) if effort in efforts else len(efforts) - 1
    fitting = [name for name, budget in _BUDGETS[: most + 1] if budget < room]
    return fitting[-1] if fitting else None


def _google(target: Target, _request: Request) -> Settings:
    block = target.block
    made: Settings = {}
    if config := _object(block.get("thinking_config")):
        made["google_thinking_config"] = config
    elif target.options.reasoning_effort:
        effort = target.options.reasoning_effort
        made["thinking"] = False if effort == "none" else effort
    if isinstance(block.get("cached_content"), str):
        made["google_cached_content"] = block["cached_content"]
    if isinstance(block.get("safety_settings"), list):
        made["google_safety_settings"] = block["safety_settings"]
    elif isinstance(block.get("threshold"), str):
        made["google_safety_settings"] = [
            {"category": harm, "threshold": block["threshold"]} for harm in _HARMS
        ]
    return made


def _openrouter(target: Target, request: Request) -> Settings:
    block = target.block
    made = _openai(target, request)
    made.pop("openai_reasoning_effort", None)
    reasoning = _object(block.get("reasoning"))
    if not reasoning and target.options.reasoning_effort:
        reasoning = {"effort": target.options.reasoning_effort}
    if reasoning:
        made["openrouter_reasoning"] = reasoning
    if provider := _object(block.get("provider")):
        made["openrouter_provider"] = provider
    if block.get("include_usage") is not False:
        made["openrouter_usage"] = {"include": True}
    if target.is_claude:
        made |= {"openrouter_cache_instructions": "5m", "openrouter_cache_messages": "5m"}
    return made


def _chat(target: Target, request: Request) -> Settings:
    made = _openai(target, request)
    if target.provider == "vercel":
        body = _object(made.get("extra_body"))
        if reasoning := _object(target.block.get("reasoning")):
            body["reasoning"] = reasoning
        if gateway := _object(target.block.get("providerOptions")):
            body["providerOptions"] = {"gateway": gateway}
        if body:
            made["extra_body"] = body
    return made


def _object(value: object) -> Settings:
    return {str(name): inner for name, inner in value.items()} if isinstance(value, dict) else {}  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]


def _list(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []


_OF_FORMAT = {
    Format.ANTHROPIC: _anthropic,
    Format.BEDROCK: _anthropic,
    Format.RESPONSES: _openai,
    Format.CHAT: _chat,
    Format.GOOGLE: _google,
    Format.OPENROUTER: _openrouter,
}
