"""Providers, models and keys: what an admin sets up, and what a picker shows."""

from enum import StrEnum
from uuid import UUID

from pydantic import Field

from coder_cli.sdk.chats.omitted import Filled, Maybe
from coder_cli.sdk.chats.options import ChatModelCallConfig
from coder_cli.sdk.common import Request, Shape, Time


class ChatProvider(StrEnum):
    ANTHROPIC = "anthropic"
    OPENAI = "openai"
    GOOGLE = "google"
    AZURE = "azure"
    BEDROCK = "bedrock"
    OPENAI_COMPAT = "openai-compat"
    OPENROUTER = "openrouter"
    VERCEL = "vercel"
    SCRIPTED = "scripted"
    """No model at all: an offline stand-in that follows simple instructions in the prompt."""


class ChatProviderConfigSource(StrEnum):
    DATABASE = "database"
    ENV_PRESET = "env_preset"
    SUPPORTED = "supported"


class ChatProviderConfig(Shape):
    """A provider as it is set up; its key is never told. ``supported`` ones are not yet set up."""

    id: UUID
    provider: str
    display_name: str = ""
    icon: Filled[str] = ""
    enabled: bool = True
    has_api_key: bool = False
    central_api_key_enabled: bool = True
    allow_user_api_key: bool = False
    allow_central_api_key_fallback: bool = False
    base_url: str = ""
    source: ChatProviderConfigSource = ChatProviderConfigSource.DATABASE
    created_at: Maybe[Time] = None
    updated_at: Maybe[Time] = None


class CreateChatProviderConfigRequest(Request):
    """Which of the fields must be given depends on the credential policy; the server says."""

    provider: str = ""
    display_name: str = ""
    icon: str = ""
    api_key: str = ""
    base_url: str = ""
    enabled: bool | None = None
    central_api_key_enabled: bool | None = None
    allow_user_api_key: bool | None = None
    allow_central_api_key_fallback: bool | None = None


class UpdateChatProviderConfigRequest(Request):
    """What is not given stays; an empty ``api_key`` takes the key away."""

    display_name: str | None = None
    icon: str | None = None
    api_key: str | None = None
    base_url: str | None = None
    enabled: bool | None = None
    central_api_key_enabled: bool | None = None
    allow_user_api_key: bool | None = None
    allow_central_api_key_fallback: bool | None = None


class ChatModelConfig(Shape):
    """A model that chats may use. Exactly one is the default."""

    id: UUID
    provider: str
    model: str
    display_name: str = ""
    enabled: bool = True
    is_default: bool = False
    context_limit: int
    compression_threshold: int
    options: Maybe[ChatModelCallConfig] = Field(
        default=None, validation_alias="model_config", serialization_alias="model_config"
    )
    created_at: Time
    updated_at: Time


class CreateChatModelConfigRequest(Request):
    """``context_limit`` must be given; ``compression_threshold`` is percent of it."""

    provider: str = ""
    model: str = ""
    display_name: str = ""
    enabled: bool | None = None
    is_default: bool | None = None
    context_limit: int | None = None
    compression_threshold: int | None = None
    options: ChatModelCallConfig | None = Field(
        default=None, validation_alias="model_config", serialization_alias="model_config"
    )


class UpdateChatModelConfigRequest(Request):
    """What is not given stays; ``model_config`` is replaced as a whole."""

    provider: str | None = None
    model: str | None = None
    display_name: str | None = None
    enabled: bool | None = None
    is_default: bool | None = None
    context_limit: int | None = None
    compression_threshold: int | None = None
    options: ChatModelCallConfig | None = Field(
        default=None, validation_alias="model_config", serialization_alias="model_config"
    )


class ChatModelUnavailableReason(StrEnum):
    MISSING_API_KEY = "missing_api_key"
    USER_API_KEY_REQUIRED = "user_api_key_required"
    DISABLED = "disabled"


class ChatModel(Shape):
    """A model in the picker: ``id`` is what ``model_config_id`` wants."""

    id: UUID
    provider: str
    model: str
    display_name: str = ""
    is_default: bool = False
    context_limit: Maybe[int] = None


class ChatModelProvider(Shape):
    """A provider in the picker, and why its models cannot be used if so."""

    provider: str
    available: bool
    unavailable_reason: Maybe[ChatModelUnavailableReason | str] = None
    models: list[ChatModel] = []


class ChatModelsResponse(Shape):
    providers: list[ChatModelProvider] = []


class UserChatProviderConfig(Shape):
    """A provider to which a user may bring a key, and whether they did."""

    provider_id: UUID
    provider: str
    display_name: str = ""
    icon: Filled[str] = ""
    has_user_api_key: bool = False
    has_central_api_key_fallback: bool = False


class UpsertUserChatProviderKeyRequest(Request):
    api_key: str = ""
