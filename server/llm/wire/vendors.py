"""One model of the library for each call: the vendor's SDK, with a user's key and our transport.

The SDKs are imported where they are used: a deployment pays for those that it has configured.
"""

import re
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any
from urllib.parse import parse_qs, urlsplit, urlunsplit

import httpx2
from pydantic_ai.models import Model

from server.llm.credentials import Credentials
from server.llm.errors import ErrorKind
from server.llm.failures import failure
from server.llm.wire.target import Format, Target

_NO_KEY = "none"
"""Sent to servers of one's own that ask for no key; SDKs refuse to send nothing."""
_REGION = re.compile(r"bedrock[\w-]*\.([a-z]{2}(?:-[a-z]+)+-\d)\.")
_AZURE_VERSION = "2025-04-01-preview"
_GOOGLE = "https://generativelanguage.googleapis.com"
_THREADS = 256
"""Bedrock's SDK blocks: an event of a stream takes a thread (llm, trap 10)."""

Maker = Callable[[Credentials, Target, httpx2.AsyncClient], Model]


def model(credentials: Credentials, target: Target, client: httpx2.AsyncClient) -> Model:
    """Return the library's model for a call.

    Raises:
        ModelError: a provider that needs a key has none, or nobody knows the provider.
    """
    make = _MAKERS.get(credentials.provider)
    if make is None:
        said = f"unknown provider {credentials.provider}"
        raise failure(credentials.provider, said, kind=ErrorKind.CONFIG)
    if not credentials.api_key and credentials.provider not in _KEYLESS:
        raise failure(credentials.provider, "no API key", kind=ErrorKind.MISSING_KEY)
    return make(credentials, target, client)


_KEYLESS = {"openai-compat", "bedrock"}


def _anthropic(credentials: Credentials, target: Target, client: httpx2.AsyncClient) -> Model:
    import anthropic
    from pydantic_ai.models.anthropic import AnthropicModel
    from pydantic_ai.providers.anthropic import AnthropicProvider

    # Older proxies know nothing but this header (llm, trap 12).
    headers = {"X-Api-Key": credentials.api_key} if credentials.base_url else {}
    sdk = anthropic.AsyncAnthropic(
        api_key=credentials.api_key,
        base_url=credentials.base_url or "https://api.anthropic.com",
        http_client=client,
        max_retries=0,
        default_headers=headers,
    )
    _forget_environment(sdk, headers)
    return AnthropicModel(target.model, provider=AnthropicProvider(anthropic_client=sdk))


def _openai_sdk(credentials: Credentials, base_url: str, client: httpx2.AsyncClient) -> Any:
    import openai

    sdk = openai.AsyncOpenAI(
        api_key=credentials.api_key or _NO_KEY,
        base_url=credentials.base_url or base_url,
        http_client=client,
        max_retries=0,
    )
    _forget_environment(sdk, {})
    return sdk


def _forget_environment(sdk: Any, headers: Mapping[str, str]) -> None:
    """Send ``headers`` only: an SDK adds those of the server's environment (``*_CUSTOM_HEADERS``).

    They may hold secrets, and would go to whatever address a provider has.
    """
    sdk._custom_headers = dict(headers)  # noqa: SLF001 - no option switches it off


def _openai_model(target: Target, provider: Any) -> Model:
    from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel
    from pydantic_ai.profiles.openai import OpenAIModelProfile

    if target.format is Format.RESPONSES:
        return OpenAIResponsesModel(target.model, provider=provider)
    # A stream that just ends was cut off (llm, trap 1).
    profile = OpenAIModelProfile(openai_chat_streaming_requires_finish_reason=True)
    return OpenAIChatModel(target.model, provider=provider, profile=profile)


def _openai(credentials: Credentials, target: Target, client: httpx2.AsyncClient) -> Model:
    from pydantic_ai.providers.openai import OpenAIProvider

    sdk = _openai_sdk(credentials, "https://api.openai.com/v1", client)
    return _openai_model(target, OpenAIProvider(openai_client=sdk))


def _compatible(credentials: Credentials, target: Target, client: httpx2.AsyncClient) -> Model:
    from pydantic_ai.providers.openai_compatible import OpenAICompatibleProvider

    if not credentials.base_url:
        raise failure(credentials.provider, "no base URL", kind=ErrorKind.CONFIG)
    sdk = _openai_sdk(credentials, credentials.base_url, client)
    provider = OpenAICompatibleProvider("openai-compat", openai_client=sdk)
    return _openai_model(target, provider)


def _azure(credentials: Credentials, target: Target, client: httpx2.AsyncClient) -> Model:
    from pydantic_ai.providers.azure import AzureProvider

    endpoint, version = _azure_endpoint(credentials.base_url)
    provider = AzureProvider(
        azure_endpoint=endpoint,
        api_version=version,
        api_key=credentials.api_key,
        http_client=client,
    )
    provider.client.max_retries = 0
    _forget_environment(provider.client, {})
    return _openai_model(target, provider)


def _azure_endpoint(base_url: str) -> tuple[str, str]:
    """Return the endpoint and the API version, which may stand in the URL's query."""
    if not base_url:
        raise failure("azure", "no base URL", kind=ErrorKind.CONFIG)
    parts = urlsplit(base_url)
    version = parse_qs(parts.query).get("api-version", [_AZURE_VERSION])[0]
    return urlunsplit(parts._replace(query="")), version


def _openrouter(credentials: Credentials, target: Target, client: httpx2.AsyncClient) -> Model:
    from pydantic_ai.models.openrouter import OpenRouterModel
    from pydantic_ai.providers.openrouter import OpenRouterProvider

    sdk = _openai_sdk(credentials, "https://openrouter.ai/api/v1", client)
    return OpenRouterModel(target.model, provider=OpenRouterProvider(openai_client=sdk))


def _vercel(credentials: Credentials, target: Target, client: httpx2.AsyncClient) -> Model:
    from pydantic_ai.providers.vercel import VercelProvider

    sdk = _openai_sdk(credentials, "https://ai-gateway.vercel.sh/v1", client)
    return _openai_model(target, VercelProvider(openai_client=sdk))


def _google(credentials: Credentials, target: Target, client: httpx2.AsyncClient) -> Model:
    from pydantic_ai.models.google import GoogleModel
    from pydantic_ai.providers.google import GoogleProvider

    provider = GoogleProvider(
        api_key=credentials.api_key,
        http_client=client,
        # Else the environment of the server may send the key elsewhere.
        base_url=credentials.base_url or _GOOGLE,
    )
    return GoogleModel(target.model, provider=provider)


def _bedrock(credentials: Credentials, target: Target, _client: httpx2.AsyncClient) -> Model:
    import anyio.to_thread
    from pydantic_ai.models.bedrock import BedrockConverseModel
    from pydantic_ai.providers.bedrock import BedrockProvider

    limiter = anyio.to_thread.current_default_thread_limiter()
    limiter.total_tokens = max(limiter.total_tokens, _THREADS)
    region = _REGION.search(credentials.base_url)
    options: dict[str, Any] = {
        "base_url": credentials.base_url or None,
        "region_name": region[1] if region else None,
    }
    if credentials.api_key:
        options["api_key"] = credentials.api_key
    return BedrockConverseModel(target.model, provider=BedrockProvider(**options))


_MAKERS: Mapping[str, Maker] = {
    "anthropic": _anthropic,
    "openai": _openai,
    "openai-compat": _compatible,
    "azure": _azure,
    "openrouter": _openrouter,
    "vercel": _vercel,
    "google": _google,
    "bedrock": _bedrock,
}


_IMPORTED: Mapping[str, str] = {
    "anthropic": "pydantic_ai.models.anthropic",
    "google": "pydantic_ai.models.google",
    "bedrock": "pydantic_ai.models.bedrock",
    "openrouter": "pydantic_ai.models.openrouter",
}


def preload(provider: str) -> None:
    """Import what calls of a provider need; blocks for seconds."""
    import_module(_IMPORTED.get(provider, "pydantic_ai.models.openai"))
