"""From sums and limits to the wire."""

from dataclasses import asdict
from uuid import UUID

from coder_cli.sdk.chats.limits import (
    ChatCost,
    ChatCostChat,
    ChatCostModel,
    ChatCostNode,
    ChatCostSummary,
    ChatCostTotals,
    ChatCostUser,
    ChatUsageLimitConfig,
    ChatUsageLimitOverride,
    ChatUsageLimitPeriod,
    ChatUsageLimitStatus,
)
from coder_cli.sdk.chats.stopping import ChatPause
from server.chats.model.costs import OfChat, OfModel, OfRoot, OfUser, Summary, Sums
from server.chats.model.spending import LimitConfig, Override, Pause, Standing


def status(standing: Standing | None) -> ChatUsageLimitStatus:
    """Return how somebody stands; nothing is known of who is gone."""
    if standing is None:
        return ChatUsageLimitStatus()
    return ChatUsageLimitStatus(
        is_limited=standing.limit_micros is not None,
        period=ChatUsageLimitPeriod(standing.period),
        spend_limit_micros=standing.limit_micros,
        current_spend=standing.spent_micros,
        period_start=standing.period_start,
        period_end=standing.period_end,
        warning=standing.warning,
    )


def config(limits: LimitConfig, overrides: list[Override], unpriced: int) -> ChatUsageLimitConfig:
    """Return the limits of a deployment."""
    return ChatUsageLimitConfig(
        spend_limit_micros=limits.default_limit_micros if limits.enabled else None,
        deployment_limit_micros=limits.deployment_limit_micros,
        period=ChatUsageLimitPeriod(limits.period),
        updated_at=limits.updated_at,
        unpriced_model_count=unpriced,
        overrides=[override(each) for each in overrides],
    )


def override(row: Override) -> ChatUsageLimitOverride:
    """Return a user with a limit of their own."""
    return ChatUsageLimitOverride(**asdict(row))


def summary(found: Summary) -> ChatCostSummary:
    """Return what a user's chats came to."""
    return ChatCostSummary(
        **_sums(found.totals),
        start_date=found.span.start,
        end_date=found.span.end,
        by_model=[of_model(row) for row in found.by_model],
        by_chat=[_of_root(row) for row in found.by_chat],
        usage_limit=status(found.standing) if found.standing else None,
    )


def of_chat(chat_id: UUID, tree: list[OfChat], by_model: list[OfModel]) -> ChatCost:
    """Return what a chat came to, with its sub-agents."""
    nodes = [ChatCostNode(**asdict(row)) for row in tree]
    totals = {
        name: sum(getattr(node, name) for node in nodes) for name in ChatCostTotals.model_fields
    }
    return ChatCost(
        chat_id=chat_id,
        **totals,
        by_model=[of_model(row) for row in by_model],
        chats=nodes,
    )


def of_model(row: OfModel) -> ChatCostModel:
    """Return the calls of one model."""
    return ChatCostModel(**asdict(row))


def of_user(row: OfUser) -> ChatCostUser:
    """Return the calls of one user."""
    told = asdict(row)
    del told["matching"]
    return ChatCostUser(**told)


def pause(row: Pause) -> ChatPause:
    """Return whose chats are stopped."""
    return ChatPause(**asdict(row))


def _of_root(row: OfRoot) -> ChatCostChat:
    return ChatCostChat(**asdict(row))


def _sums(row: Sums) -> dict[str, int]:
    return asdict(row)
