"""From rows to the wire. Keys are not among what comes in here."""

from collections.abc import Mapping

from pydantic import TypeAdapter

from coder_cli.sdk.chats.models import (
    ChatModelConfig,
    ChatProvider,
    ChatProviderConfig,
    ChatProviderConfigSource,
    UserChatProviderConfig,
)
from coder_cli.sdk.chats.options import ChatModelCallConfig
from coder_cli.sdk.common import ZERO_ID
from server.llm import Json
from server.models.model.configs import ModelConfig
from server.models.model.providers import NAMES, Provider

_OPTIONS = TypeAdapter(ChatModelCallConfig)


def provider(row: Provider) -> ChatProviderConfig:
    """Return a provider as an admin sees it."""
    return ChatProviderConfig(
        id=row.id,
        provider=row.provider,
        display_name=row.display_name or _name(row.provider),
        icon=row.icon,
        enabled=row.enabled,
        has_api_key=row.has_api_key,
        central_api_key_enabled=row.central_api_key_enabled,
        allow_user_api_key=row.allow_user_api_key,
        allow_central_api_key_fallback=row.allow_central_api_key_fallback,
        base_url=row.base_url,
        source=ChatProviderConfigSource.DATABASE,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def supported(name: ChatProvider) -> ChatProviderConfig:
    """Return a provider that could be set up."""
    return ChatProviderConfig(
        id=ZERO_ID,
        provider=name,
        display_name=NAMES[name],
        enabled=False,
        source=ChatProviderConfigSource.SUPPORTED,
    )


def config(row: ModelConfig) -> ChatModelConfig:
    """Return a model as it is set up."""
    return ChatModelConfig(
        id=row.id,
        provider=row.provider,
        model=row.model,
        display_name=row.display_name or row.model,
        enabled=row.enabled,
        is_default=row.is_default,
        context_limit=row.context_limit,
        compression_threshold=row.compression_threshold,
        options=_options(row.options),
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def user_provider(row: Provider, *, has_own: bool) -> UserChatProviderConfig:
    """Return a provider as somebody sees it who may bring a key."""
    return UserChatProviderConfig(
        provider_id=row.id,
        provider=row.provider,
        display_name=row.display_name or _name(row.provider),
        icon=row.icon,
        has_user_api_key=has_own,
        has_central_api_key_fallback=row.allow_central_api_key_fallback and row.has_central,
    )


def _options(stored: Mapping[str, Json]) -> ChatModelCallConfig | None:
    return _OPTIONS.validate_python(stored) if stored else None


def _name(name: str) -> str:
    return NAMES[ChatProvider(name)]
