"""Settings of chats, of the deployment and of a person (``/chats/config/…``)."""

from uuid import UUID

from coder_cli.sdk.common import Request, Shape


class ChatSystemPromptResponse(Shape):
    system_prompt: str = ""
    include_default_system_prompt: bool = True
    default_system_prompt: str = ""


class UpdateChatSystemPromptRequest(Request):
    """Without ``include_default_system_prompt`` the flag stays."""

    system_prompt: str = ""
    include_default_system_prompt: bool | None = None


class ChatPlanModeInstructions(Request):
    plan_mode_instructions: str = ""


class UserChatCustomPrompt(Request):
    custom_prompt: str = ""


class UserChatCompactionThreshold(Shape):
    model_config_id: UUID
    threshold_percent: int


class UserChatCompactionThresholds(Shape):
    thresholds: list[UserChatCompactionThreshold] = []


class UpdateUserChatCompactionThresholdRequest(Request):
    threshold_percent: int = -1


class ChatDesktopEnabled(Request):
    enable_desktop: bool = False


class ChatTemplateAllowlist(Request):
    """Templates that chats may make workspaces from; empty is all."""

    template_ids: list[str] = []


class ChatWorkspaceTTL(Request):
    """How long workspaces that chats make live without use; 0 is the template's own time."""

    workspace_ttl_ms: int = 0


class ChatRetentionDays(Request):
    """0 keeps everything."""

    retention_days: int = 0


class ChatAutoArchiveDays(Request):
    auto_archive_days: int = 0


class ChatDebugRetentionDays(Request):
    debug_retention_days: int = 30


class ChatDebugLogging(Request):
    """Whether people may switch on traces of their calls of models."""

    allow_users: bool = False
    forced_by_deployment: bool = False


class UserChatDebugLogging(Request):
    debug_logging_enabled: bool = False
    user_toggle_allowed: bool = False
    forced_by_deployment: bool = False
