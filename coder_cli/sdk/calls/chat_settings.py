"""Calls about what chats run on: providers, models, keys, and money."""

from typing import TYPE_CHECKING
from uuid import UUID

from coder_cli.sdk.transport import Transport

if TYPE_CHECKING:
    from coder_cli.sdk.chats.limits import (
        ChatCost,
        ChatCostSummary,
        ChatCostUsersResponse,
        ChatUsageLimitConfig,
        ChatUsageLimitOverride,
        ChatUsageLimitStatus,
        UpdateChatUsageLimitConfigRequest,
    )
    from coder_cli.sdk.chats.models import (
        ChatModelConfig,
        ChatModelsResponse,
        ChatProviderConfig,
        CreateChatModelConfigRequest,
        CreateChatProviderConfigRequest,
        UpdateChatModelConfigRequest,
        UpdateChatProviderConfigRequest,
        UserChatProviderConfig,
    )
    from coder_cli.sdk.chats.stopping import ChatPauses, StopChatsRequest, StopChatsResponse


class ChatSettingCalls(Transport):
    """Providers, models, limits, costs and the kill switch, below ``/chats``."""

    __slots__ = ()

    def chat_models(self) -> "ChatModelsResponse":
        """Return the models that the caller can choose from, by provider."""
        answer = self.get("/chats/models")
        from coder_cli.sdk.chats.models import ChatModelsResponse

        return answer.read(ChatModelsResponse)

    def chat_providers(self) -> "list[ChatProviderConfig]":
        """Return every provider, those that are not set up included."""
        answer = self.get("/chats/providers")
        from coder_cli.sdk.chats.models import ChatProviderConfig

        return answer.read_list(ChatProviderConfig)

    def create_chat_provider(
        self, request: "CreateChatProviderConfigRequest"
    ) -> "ChatProviderConfig":
        """Set a provider up."""
        answer = self.send("POST", "/chats/providers", body=request)
        from coder_cli.sdk.chats.models import ChatProviderConfig

        return answer.read(ChatProviderConfig)

    def update_chat_provider(
        self, provider_id: UUID, request: "UpdateChatProviderConfigRequest"
    ) -> "ChatProviderConfig":
        """Change a provider."""
        answer = self.send("PATCH", f"/chats/providers/{provider_id}", body=request)
        from coder_cli.sdk.chats.models import ChatProviderConfig

        return answer.read(ChatProviderConfig)

    def delete_chat_provider(self, provider_id: UUID) -> None:
        """Forget a provider and its key."""
        self.send("DELETE", f"/chats/providers/{provider_id}")

    def chat_model_configs(self) -> "list[ChatModelConfig]":
        """Return models with their settings."""
        answer = self.get("/chats/model-configs")
        from coder_cli.sdk.chats.models import ChatModelConfig

        return answer.read_list(ChatModelConfig)

    def create_chat_model_config(
        self, request: "CreateChatModelConfigRequest"
    ) -> "ChatModelConfig":
        """Offer a model."""
        answer = self.send("POST", "/chats/model-configs", body=request)
        from coder_cli.sdk.chats.models import ChatModelConfig

        return answer.read(ChatModelConfig)

    def update_chat_model_config(
        self, config_id: UUID, request: "UpdateChatModelConfigRequest"
    ) -> "ChatModelConfig":
        """Change a model."""
        answer = self.send("PATCH", f"/chats/model-configs/{config_id}", body=request)
        from coder_cli.sdk.chats.models import ChatModelConfig

        return answer.read(ChatModelConfig)

    def delete_chat_model_config(self, config_id: UUID) -> None:
        """Offer a model no more."""
        self.send("DELETE", f"/chats/model-configs/{config_id}")

    def user_chat_provider_keys(self) -> "list[UserChatProviderConfig]":
        """Return the providers to which the caller may bring a key."""
        answer = self.get("/chats/user-provider-configs")
        from coder_cli.sdk.chats.models import UserChatProviderConfig

        return answer.read_list(UserChatProviderConfig)

    def set_user_chat_provider_key(self, provider: str, api_key: str) -> None:
        """Use a key of the caller's own with a provider."""
        from coder_cli.sdk.chats.models import UpsertUserChatProviderKeyRequest

        body = UpsertUserChatProviderKeyRequest(api_key=api_key)
        self.send("PUT", f"/chats/user-provider-configs/{provider}", body=body)

    def delete_user_chat_provider_key(self, provider: str) -> None:
        """Forget the caller's own key."""
        self.send("DELETE", f"/chats/user-provider-configs/{provider}")

    def chat_usage_limits(self) -> "ChatUsageLimitConfig":
        """Return the limits of spending."""
        answer = self.get("/chats/usage-limits")
        from coder_cli.sdk.chats.limits import ChatUsageLimitConfig

        return answer.read(ChatUsageLimitConfig)

    def set_chat_usage_limits(
        self, request: "UpdateChatUsageLimitConfigRequest"
    ) -> "ChatUsageLimitConfig":
        """Set the limits of spending; a limit that is given as None goes."""
        # A null says something here: it is sent where it was given.
        data = request.model_dump_json(exclude_unset=True).encode()
        answer = self.send("PUT", "/chats/usage-limits", content=("application/json", data))
        from coder_cli.sdk.chats.limits import ChatUsageLimitConfig

        return answer.read(ChatUsageLimitConfig)

    def chat_usage_limit_status(self) -> "ChatUsageLimitStatus":
        """Return how the caller stands."""
        answer = self.get("/chats/usage-limits/status")
        from coder_cli.sdk.chats.limits import ChatUsageLimitStatus

        return answer.read(ChatUsageLimitStatus)

    def set_chat_usage_limit_of(
        self, user_id: UUID, spend_limit_micros: int
    ) -> "ChatUsageLimitOverride":
        """Give one user a limit of their own."""
        from coder_cli.sdk.chats.limits import (
            ChatUsageLimitOverride,
            UpsertChatUsageLimitOverrideRequest,
        )

        body = UpsertChatUsageLimitOverrideRequest(spend_limit_micros=spend_limit_micros)
        answer = self.send("PUT", f"/chats/usage-limits/overrides/{user_id}", body=body)
        return answer.read(ChatUsageLimitOverride)

    def delete_chat_usage_limit_of(self, user_id: UUID) -> None:
        """Let the default count for a user again."""
        self.send("DELETE", f"/chats/usage-limits/overrides/{user_id}")

    def chat_cost(self, chat_id: UUID) -> "ChatCost":
        """Return what one chat and its sub-agents cost."""
        answer = self.get(f"/chats/{chat_id}/cost")
        from coder_cli.sdk.chats.limits import ChatCost

        return answer.read(ChatCost)

    def chat_cost_summary(
        self, user: str = "me", *, start_date: str = "", end_date: str = ""
    ) -> "ChatCostSummary":
        """Return what a user's chats cost; the last 30 days without dates (RFC 3339)."""
        path = f"/chats/cost/{user}/summary"
        answer = self.get(path, start_date=start_date, end_date=end_date)
        from coder_cli.sdk.chats.limits import ChatCostSummary

        return answer.read(ChatCostSummary)

    def chat_cost_users(
        self, *, limit: int = 0, offset: int = 0, start_date: str = "", end_date: str = ""
    ) -> "ChatCostUsersResponse":
        """Return what everybody's chats cost, dearest first."""
        answer = self.get(
            "/chats/cost/users",
            limit=limit or None,
            offset=offset or None,
            start_date=start_date,
            end_date=end_date,
        )
        from coder_cli.sdk.chats.limits import ChatCostUsersResponse

        return answer.read(ChatCostUsersResponse)

    def stop_chats(self, request: "StopChatsRequest") -> "StopChatsResponse":
        """Stop all chats of a user or of everybody."""
        answer = self.send("POST", "/chats/kill-switch", body=request)
        from coder_cli.sdk.chats.stopping import StopChatsResponse

        return answer.read(StopChatsResponse)

    def resume_chats(self, user: str = "") -> None:
        """Let them go on; without a user everybody's."""
        self.send("DELETE", "/chats/kill-switch", query={"user": user})

    def chat_pauses(self) -> "ChatPauses":
        """Return whose chats are stopped."""
        answer = self.get("/chats/kill-switch")
        from coder_cli.sdk.chats.stopping import ChatPauses

        return answer.read(ChatPauses)
