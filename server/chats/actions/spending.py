"""Limits of spending: how somebody stands, and the check before something is said.

Source: reference, chats, sections 1.13 and 2.15. Where limits cannot be found out nobody is held
up: models are worth more than the last cent of a budget.
"""

from dataclasses import replace
from uuid import UUID

from coder_cli.sdk.chats.limits import ChatUsageLimitPeriod
from server import identity, models
from server.chats import policy
from server.chats.errors import ChatsPaused, UsageLimitExceeded
from server.chats.model.spending import LimitConfig, Override, Standing
from server.chats.store import spending
from server.kit.db import Tx
from server.kit.errors import FieldError, Invalid, NotFound

LARGEST = 10**15
"""A thousand million dollars."""


async def check(tx: Tx, owner_id: UUID) -> None:
    """Refuse to begin a turn whose owner's money is spent, or whose chats are stopped.

    Raises:
        UsageLimitExceeded: it is; the refusal has the amounts.
        ChatsPaused: somebody stopped them, and has not lifted that yet.
    """
    known = await spending.standing_if_known(tx, owner_id)
    if known is None:
        return
    if known.paused:
        raise ChatsPaused(known.pause_reason, everybody=known.everybody_paused)
    if (over := known.over) is not None:
        raise UsageLimitExceeded(
            over.sentence,
            spent=over.spent_micros,
            limit=over.limit_micros,
            resets_at=over.resets_at,
        )


async def status(tx: Tx) -> Standing | None:
    """Return how the actor stands."""
    return await spending.standing_if_known(tx, tx.actor.user_id)


async def limits(tx: Tx) -> tuple[LimitConfig, list[Override], int]:
    """Return the deployment's limits, who has others, and how many models have no price.

    Raises:
        NotFound: the actor may not see settings of the deployment.
    """
    policy.may_configure(tx.actor)
    return await _config(tx), list(await spending.overrides(tx)), await models.unpriced(tx)


async def set_limits(
    tx: Tx, limit_micros: int | None, deployment: int | None, period: str, *, keep_deployment: bool
) -> None:
    """Write the deployment's limits; None takes one away, and ``keep_deployment`` leaves it.

    Raises:
        NotFound: the actor may not change settings of the deployment.
        Invalid: an amount or a period that makes no sense.
    """
    policy.may_configure(tx.actor)
    for amount in (limit_micros, deployment):
        if amount is not None:
            _check(amount)
    before = await _config(tx)
    after = replace(
        before,
        enabled=limit_micros is not None,
        default_limit_micros=limit_micros or 0,
        deployment_limit_micros=before.deployment_limit_micros if keep_deployment else deployment,
        period=_period(period or before.period),
    )
    await spending.put_config(tx, after)


async def set_override(tx: Tx, who: str, limit_micros: int) -> Override:
    """Give a user a limit of their own.

    Raises:
        NotFound: there is no such user, or the actor may not change settings.
        Invalid: the amount makes no sense.
    """
    policy.may_configure(tx.actor)
    _check(limit_micros)
    user = await identity.resolve_user(tx, who)
    await spending.put_override(tx, user.id, limit_micros)
    return Override(user.id, user.username, user.name, user.avatar_url, limit_micros)


async def delete_override(tx: Tx, who: str) -> None:
    """Let the limit of all others hold for a user again.

    Raises:
        NotFound: there is no such user, or the actor may not change settings.
        Invalid: they have no limit of their own.
    """
    policy.may_configure(tx.actor)
    user = await identity.resolve_user(tx, who)
    if not await spending.put_override(tx, user.id, None):
        raise Invalid("The user has no spend limit of their own.")


async def group_override(tx: Tx) -> None:
    """Refuse: groups do not exist yet, so none can have a limit.

    Raises:
        NotFound: always; the text says why to whoever may change settings.
    """
    policy.may_configure(tx.actor)
    raise NotFound(
        "Group not found.",
        detail="Groups do not exist in this deployment; give users limits of their own.",
    )


async def _config(tx: Tx) -> LimitConfig:
    found = await spending.config(tx)
    return found or LimitConfig(
        enabled=False,
        default_limit_micros=0,
        deployment_limit_micros=None,
        period=ChatUsageLimitPeriod.MONTH,
        updated_at=tx.now,
    )


def _check(micros: int) -> None:
    if micros <= 0:
        raise _bad("Spend limit must be greater than 0.", "spend_limit_micros")
    if micros > LARGEST:
        raise _bad(f"Spend limit must be at most {LARGEST}.", "spend_limit_micros")


def _period(text: str) -> str:
    if text not in set(ChatUsageLimitPeriod):
        raise _bad("Period must be one of: day, week, month.", "period")
    return text


def _bad(message: str, field: str) -> Invalid:
    return Invalid(message, fields=[FieldError(field, message)])
