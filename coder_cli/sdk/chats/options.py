"""How a model is called: the ``model_config`` of a model, with a block for each provider.

Source: reference, chats, section 1.10. Azure uses the ``openai`` block, Bedrock that of Anthropic.
"""

from decimal import Decimal
from typing import Any, Literal

from pydantic import Field

from coder_cli.sdk.chats.omitted import Maybe
from coder_cli.sdk.common import Request

ReasoningEffort = Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"]
"""From least to most."""


class ChatModelCost(Request):
    """USD per million tokens."""

    input_price_per_million_tokens: Maybe[Decimal] = None
    output_price_per_million_tokens: Maybe[Decimal] = None
    cache_read_price_per_million_tokens: Maybe[Decimal] = None
    cache_write_price_per_million_tokens: Maybe[Decimal] = None


class ChatModelReasoningEffort(Request):
    default: Maybe[ReasoningEffort] = None
    max: Maybe[ReasoningEffort] = None


class ChatModelOpenAIConfig(Request):
    use_responses_api: Maybe[bool] = None


class OpenAIOptions(Request):
    include: Maybe[list[str]] = None
    instructions: Maybe[str] = None
    logit_bias: Maybe[dict[str, int]] = None
    log_probs: Maybe[bool] = None
    top_log_probs: Maybe[int] = None
    max_tool_calls: Maybe[int] = None
    parallel_tool_calls: Maybe[bool] = None
    user: Maybe[str] = None
    reasoning_effort: Maybe[ReasoningEffort] = None
    reasoning_summary: Maybe[Literal["auto", "concise", "detailed"]] = None
    max_completion_tokens: Maybe[int] = None
    text_verbosity: Maybe[Literal["low", "medium", "high"]] = None
    prediction: Maybe[dict[str, Any]] = None
    store: Maybe[bool] = None
    metadata: Maybe[dict[str, str]] = None
    prompt_cache_key: Maybe[str] = None
    safety_identifier: Maybe[str] = None
    service_tier: Maybe[Literal["auto", "default", "flex", "scale", "priority"]] = None
    structured_outputs: Maybe[bool] = None
    strict_json_schema: Maybe[bool] = None
    web_search_enabled: Maybe[bool] = None
    search_context_size: Maybe[Literal["low", "medium", "high"]] = None
    allowed_domains: Maybe[list[str]] = None


class AnthropicThinking(Request):
    budget_tokens: Maybe[int] = None


class AnthropicOptions(Request):
    """``allowed_domains`` and ``blocked_domains`` exclude each other."""

    send_reasoning: Maybe[bool] = None
    thinking: Maybe[AnthropicThinking] = None
    thinking_display: Maybe[Literal["summarized", "omitted"]] = None
    effort: Maybe[Literal["low", "medium", "high", "xhigh", "max"]] = None
    disable_parallel_tool_use: Maybe[bool] = None
    web_search_enabled: Maybe[bool] = None
    allowed_domains: Maybe[list[str]] = None
    blocked_domains: Maybe[list[str]] = None
    context_1m_enabled: Maybe[bool] = None


class GoogleThinking(Request):
    """``thinking_budget`` and ``thinking_level`` exclude each other."""

    thinking_budget: Maybe[int] = None
    thinking_level: Maybe[str] = None
    include_thoughts: Maybe[bool] = None


class GoogleSafetySetting(Request):
    category: str
    threshold: str


class GoogleOptions(Request):
    thinking_config: Maybe[GoogleThinking] = None
    cached_content: Maybe[str] = None
    safety_settings: Maybe[list[GoogleSafetySetting]] = None
    threshold: Maybe[str] = None
    web_search_enabled: Maybe[bool] = None


class OpenAICompatOptions(Request):
    user: Maybe[str] = None
    reasoning_effort: Maybe[ReasoningEffort] = None


class RouterReasoning(Request):
    enabled: Maybe[bool] = None
    exclude: Maybe[bool] = None
    max_tokens: Maybe[int] = None
    effort: Maybe[ReasoningEffort] = None


class OpenRouterProvider(Request):
    order: Maybe[list[str]] = None
    allow_fallbacks: Maybe[bool] = None
    require_parameters: Maybe[bool] = None
    data_collection: Maybe[str] = None
    only: Maybe[list[str]] = None
    ignore: Maybe[list[str]] = None
    quantizations: Maybe[list[str]] = None
    sort: Maybe[str] = None


class OpenRouterOptions(Request):
    reasoning: Maybe[RouterReasoning] = None
    extra_body: Maybe[dict[str, Any]] = None
    include_usage: Maybe[bool] = None
    logit_bias: Maybe[dict[str, int]] = None
    log_probs: Maybe[bool] = None
    parallel_tool_calls: Maybe[bool] = None
    user: Maybe[str] = None
    provider: Maybe[OpenRouterProvider] = None


class VercelProvider(Request):
    order: Maybe[list[str]] = None
    models: Maybe[list[str]] = None


class VercelOptions(Request):
    reasoning: Maybe[RouterReasoning] = None
    provider_options: Maybe[VercelProvider] = Field(
        default=None, validation_alias="providerOptions", serialization_alias="providerOptions"
    )
    extra_body: Maybe[dict[str, Any]] = None
    logit_bias: Maybe[dict[str, int]] = None
    log_probs: Maybe[bool] = None
    top_log_probs: Maybe[int] = None
    parallel_tool_calls: Maybe[bool] = None
    user: Maybe[str] = None


class ChatModelProviderOptions(Request):
    openai: Maybe[OpenAIOptions] = None
    anthropic: Maybe[AnthropicOptions] = None
    google: Maybe[GoogleOptions] = None
    openaicompat: Maybe[OpenAICompatOptions] = None
    openrouter: Maybe[OpenRouterOptions] = None
    vercel: Maybe[VercelOptions] = None


class ChatModelCallConfig(Request):
    """The options of each call; what is absent is the provider's own choice."""

    max_output_tokens: Maybe[int] = None
    """32,000 where it is absent."""
    temperature: Maybe[float] = None
    top_p: Maybe[float] = None
    top_k: Maybe[int] = None
    presence_penalty: Maybe[float] = None
    frequency_penalty: Maybe[float] = None
    cost: Maybe[ChatModelCost] = None
    reasoning_effort: Maybe[ChatModelReasoningEffort] = None
    openai_config: Maybe[ChatModelOpenAIConfig] = None
    provider_options: Maybe[ChatModelProviderOptions] = None
