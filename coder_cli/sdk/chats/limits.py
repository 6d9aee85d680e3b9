"""Money: limits of spending, what was spent, and the refusal when nothing is left.

Amounts are micros: millionths of a US dollar. Costs of what is not priced are not counted; how
many such messages there are is told beside.
"""

from enum import StrEnum
from uuid import UUID

from coder_cli.sdk.chats.omitted import Filled, Maybe
from coder_cli.sdk.common import Request, Response, Shape, Time


class ChatUsageLimitPeriod(StrEnum):
    DAY = "day"
    WEEK = "week"
    MONTH = "month"


class ChatUsageLimitExceeded(Response):
    """The body of the 409 ``Chat usage limit exceeded.``."""

    spent_micros: int
    limit_micros: int
    resets_at: Time


class ChatUsageLimitOverride(Shape):
    user_id: UUID
    username: str
    name: str = ""
    avatar_url: str = ""
    spend_limit_micros: int | None = None


class ChatUsageLimitGroupOverride(Shape):
    group_id: UUID
    group_name: str
    group_display_name: str = ""
    group_avatar_url: str = ""
    member_count: int = 0
    spend_limit_micros: int | None = None


class ChatUsageLimitConfig(Shape):
    """The limit of each user (null: none), that of all users together, and who has another."""

    spend_limit_micros: int | None = None
    deployment_limit_micros: int | None = None
    """All users of the deployment together; no field of upstream's."""
    period: ChatUsageLimitPeriod = ChatUsageLimitPeriod.MONTH
    updated_at: Time
    unpriced_model_count: int = 0
    overrides: list[ChatUsageLimitOverride] = []
    group_overrides: list[ChatUsageLimitGroupOverride] = []


class UpdateChatUsageLimitConfigRequest(Request):
    """Null takes a limit away. ``deployment_limit_micros`` stays where it is not given at all."""

    spend_limit_micros: int | None = None
    deployment_limit_micros: int | None = None
    period: str = ""


class UpsertChatUsageLimitOverrideRequest(Request):
    spend_limit_micros: int = 0


class ChatUsageLimitStatus(Shape):
    """How the caller stands in the present period."""

    is_limited: bool = False
    period: Maybe[ChatUsageLimitPeriod] = None
    spend_limit_micros: Maybe[int] = None
    current_spend: int = 0
    period_start: Maybe[Time] = None
    period_end: Maybe[Time] = None
    warning: Filled[str] = ""
    """A sentence from 80 % of a limit on; no field of upstream's."""


class ChatCostTotals(Shape):
    """Sums over messages, deleted ones included."""

    total_cost_micros: int = 0
    message_count: int = 0
    priced_message_count: int = 0
    unpriced_message_count: int = 0
    total_input_tokens: int = 0
    total_output_tokens: int = 0
    total_reasoning_tokens: int = 0
    total_cache_read_tokens: int = 0
    total_cache_creation_tokens: int = 0
    total_runtime_ms: int = 0


class ChatCostModel(ChatCostTotals):
    model_config_id: UUID
    display_name: str = ""
    provider: str = ""
    model: str = ""


class ChatCostChat(ChatCostTotals):
    """A root chat together with its sub-agents."""

    root_chat_id: UUID
    chat_title: str = ""


class ChatCostSummary(ChatCostTotals):
    start_date: Time
    end_date: Time
    by_model: list[ChatCostModel] = []
    by_chat: list[ChatCostChat] = []
    usage_limit: Maybe[ChatUsageLimitStatus] = None


class ChatCostNode(ChatCostTotals):
    """Of one chat alone, in the tree of its family."""

    chat_id: UUID
    parent_chat_id: Maybe[UUID] = None
    title: str = ""


class ChatCost(ChatCostTotals):
    """Of one chat with its sub-agents, over all time; ``chats`` has each of them, itself first."""

    chat_id: UUID
    by_model: Filled[list[ChatCostModel]] = []
    chats: Filled[list[ChatCostNode]] = []


class ChatCostUser(ChatCostTotals):
    user_id: UUID
    username: str
    name: str = ""
    avatar_url: str = ""
    chat_count: int = 0


class ChatCostUsersResponse(Shape):
    start_date: Time
    end_date: Time
    count: int = 0
    users: list[ChatCostUser] = []
