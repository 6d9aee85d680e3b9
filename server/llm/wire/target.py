"""Where a request goes: what decides how messages and options are put. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from server.llm.model import CallOptions, Request
from server.llm.parts import Json


class Format(StrEnum):
    """The protocol that is spoken."""

    ANTHROPIC = "anthropic"
    RESPONSES = "responses"
    CHAT = "chat"
    GOOGLE = "google"
    BEDROCK = "bedrock"
    OPENROUTER = "openrouter"


_FORMATS: Mapping[str, Format] = {
    "anthropic": Format.ANTHROPIC,
    "google": Format.GOOGLE,
    "bedrock": Format.BEDROCK,
    "openrouter": Format.OPENROUTER,
}
_BLOCKS: Mapping[str, str] = {
    "azure": "openai",
    "bedrock": "anthropic",
    "openai-compat": "openaicompat",
}


@dataclass(frozen=True, slots=True)
class Target:
    """One call: to whom, in which format, with which options."""

    provider: str
    model: str
    format: Format
    options: CallOptions
    block: Mapping[str, Json] = field(default_factory=dict[str, Json])
    """The provider's own options (``provider_options``)."""
    web_search: bool = False
    by_id: bool = True
    """Items of answers are sent with the ids that the provider gave them."""

    @property
    def stores(self) -> bool:
        """Tell whether the provider keeps answers: then reasoning is not sent again."""
        return self.block.get("store") is True

    @property
    def marks_cache(self) -> bool:
        """Tell whether a prompt cache wants marks within the messages."""
        bedrock = self.format is Format.BEDROCK and self.is_claude
        return self.format is Format.ANTHROPIC or bedrock

    @property
    def is_claude(self) -> bool:
        """Tell whether the model is Anthropic's, whoever serves it."""
        return "claude" in self.model or "anthropic" in self.model

    @property
    def sends_reasoning(self) -> bool:
        """Tell whether signed reasoning goes back to who signed it."""
        return not self.stores and self.block.get("send_reasoning") is not False


def target(provider: str, model: str, options: CallOptions, request: Request) -> Target:
    """Return where a request goes."""
    known = options.values.get("provider_options")
    blocks = known if isinstance(known, dict) else {}
    found = blocks.get(_BLOCKS.get(provider, provider))
    block: Mapping[str, Json] = found if isinstance(found, dict) else {}
    return Target(
        provider,
        model,
        _FORMATS.get(provider) or _openai_format(provider, options),
        options,
        block,
        request.web_search,
        by_id=block.get("store") is not True,
    )


def _openai_format(provider: str, options: CallOptions) -> Format:
    config = options.values.get("openai_config")
    wish = config.get("use_responses_api") if isinstance(config, dict) else None
    responses = provider == "openai" if wish is None else bool(wish)
    return Format.RESPONSES if responses and provider != "vercel" else Format.CHAT
