"""What chats cost: of a user in a span of time, of a chat with its sub-agents, of everybody.

Source: reference, chats, section 2.15. Sub-agents are shown as a tree: who spent what is visible.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from server import identity
from server.chats import policy
from server.chats.actions import find
from server.chats.model.costs import OfChat, OfModel, OfUser, Span, Summary
from server.chats.store import costs, spending
from server.kit.db import Tx
from server.kit.errors import FieldError, Invalid

DAYS = timedelta(days=30)
LONGEST = timedelta(days=366 * 5)
USERS_AT_ONCE = 10


async def summary(
    tx: Tx, who: str, start: datetime | None = None, end: datetime | None = None
) -> Summary:
    """Return what a user's chats came to, in the last 30 days unless said otherwise.

    Raises:
        NotFound: there is no such user, or their costs are hidden from the actor.
        Invalid: the span ends before it begins.
    """
    user = await identity.resolve_user(tx, who)
    policy.may_see_costs(tx.actor, user.id)
    span = _span(tx.now, start, end)
    return Summary(
        span=span,
        totals=await costs.totals(tx, user.id, span),
        by_model=await costs.by_model(tx, user.id, span),
        by_chat=await costs.by_chat(tx, user.id, span),
        standing=await spending.standing_if_known(tx, user.id),
    )


async def of_chat(tx: Tx, chat_id: UUID) -> tuple[list[OfChat], list[OfModel]]:
    """Return a chat with its sub-agents, and their calls by model.

    Raises:
        NotFound: there is no such chat, or it is hidden.
    """
    await find.chat(tx, chat_id)
    return await costs.tree(tx, chat_id), await costs.tree_by_model(tx, chat_id)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which users are asked for."""

    start: datetime | None = None
    end: datetime | None = None
    username: str = ""
    limit: int = 0
    offset: int = 0


async def users(tx: Tx, wanted: Wanted) -> tuple[Span, int, list[OfUser]]:
    """Return users by what their chats came to, the dearest first, and how many there are.

    Raises:
        NotFound: the actor may not see settings of the deployment.
        Invalid: the span ends before it begins.
    """
    policy.may_see_costs(tx.actor)
    span = _span(tx.now, wanted.start, wanted.end)
    limit = wanted.limit or USERS_AT_ONCE
    rows = await costs.users(tx, span, wanted.username, limit, wanted.offset)
    count = rows[0].matching if rows else 0
    if not rows and wanted.offset:
        first = await costs.users(tx, span, wanted.username, 1, 0)
        count = first[0].matching if first else 0
    return span, count, rows


def _span(now: datetime, start: datetime | None, end: datetime | None) -> Span:
    until = end or now
    since = start or until - DAYS
    if since >= until:
        raise _bad("start_date", "start_date must be before end_date.")
    if until - since > LONGEST:
        raise _bad("start_date", f"At most {LONGEST.days} days can be summed up at once.")
    return Span(since, until)


def _bad(field: str, message: str) -> Invalid:
    return Invalid(message, fields=[FieldError(field, message)])
