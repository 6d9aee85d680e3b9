"""Money in SQL: what was spent in a period, the limits, and what calls under way may cost."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, LiteralString
from uuid import UUID

import structlog
from psycopg import Error

from server.chats.model.spending import LimitConfig, Override, Standing, Verdict
from server.kit.db import Tx

log = structlog.get_logger()

# Periods are those of UTC, weeks begin on Monday; the session's time zone does not matter.
_STANDING: LiteralString = """
    bounds AS (
        SELECT coalesce(c.period, 'month') AS period,
               CASE WHEN c.enabled THEN c.default_limit_micros END AS default_limit,
               c.deployment_limit_micros AS deployment_limit,
               date_trunc(coalesce(c.period, 'month'),
                          %(now)s::timestamptz AT TIME ZONE 'UTC') AS first
          FROM (VALUES (1)) one LEFT JOIN chat_usage_limit_config c ON true),
    standing AS (
        SELECT b.period, b.first AT TIME ZONE 'UTC' AS period_start,
               (b.first + ('1 ' || b.period)::interval) AT TIME ZONE 'UTC' AS period_end,
               coalesce(u.chat_spend_limit_micros, b.default_limit) AS limit_micros,
               (SELECT coalesce(sum(s.cost_micros), 0)::bigint FROM chat_spend s
                 WHERE s.owner_id = u.id AND s.day >= b.first::date
                   AND s.day < (b.first + ('1 ' || b.period)::interval)::date) AS spent_micros,
               b.deployment_limit AS deployment_limit_micros,
               CASE WHEN b.deployment_limit IS NULL THEN 0 ELSE (
                   SELECT coalesce(sum(s.cost_micros), 0)::bigint FROM chat_spend s
                    WHERE s.day >= b.first::date
                      AND s.day < (b.first + ('1 ' || b.period)::interval)::date)
               END AS deployment_spent_micros,
               b.default_limit IS NOT NULL OR b.deployment_limit IS NOT NULL
                   OR EXISTS (SELECT FROM users o WHERE o.chat_spend_limit_micros IS NOT NULL)
                   AS limits_exist,
               p.reason IS NOT NULL AS paused, coalesce(p.everybody, false) AS everybody_paused,
               coalesce(p.reason, '') AS pause_reason
          FROM bounds b
          JOIN users u ON u.id = %(owner_id)s
          LEFT JOIN LATERAL (
               SELECT p.reason, p.owner_id IS NULL AS everybody FROM chat_pauses p
                WHERE p.owner_id IS NULL OR p.owner_id = u.id
                ORDER BY p.owner_id NULLS FIRST LIMIT 1) p ON true)
"""
STANDING: LiteralString = f"WITH {_STANDING} SELECT * FROM standing"

LOCK_OWNER: LiteralString = """
    SELECT pg_advisory_xact_lock(hashtext('chat money'), hashtext(%(owner_id)s::text))
"""
LOCK_ALL: LiteralString = "SELECT pg_advisory_xact_lock(hashtext('chat money of everybody'))"

# After the lock, and so with a snapshot of its own: whoever was admitted before is seen. A row of
# a runner whose lease is over counts no more.
_LIVE: LiteralString = """
    EXISTS (SELECT FROM chat_heartbeats h
             WHERE h.chat_id = r.chat_id AND h.runner_id = r.runner_id
               AND h.expires_at > %(now)s::timestamptz)
"""
RESERVE: LiteralString = f"""
    WITH {_STANDING},
    others AS (
        SELECT r.owner_id = %(owner_id)s AS own, r.settled, r.cost_micros
          FROM chat_spend_reservations r
         WHERE r.runner_id <> %(runner_id)s AND {_LIVE}),
    sums AS (
        SELECT coalesce(sum(cost_micros) FILTER (WHERE own AND NOT settled), 0)::bigint
                   AS open_micros,
               coalesce(sum(cost_micros) FILTER (WHERE own AND settled), 0)::bigint
                   AS settled_micros,
               coalesce(sum(cost_micros) FILTER (WHERE NOT settled), 0)::bigint
                   AS deployment_open_micros,
               coalesce(sum(cost_micros) FILTER (WHERE settled), 0)::bigint
                   AS deployment_settled_micros
          FROM others),
    judged AS (
        SELECT standing.*, sums.*,
               (limit_micros IS NULL
                OR spent_micros + open_micros + settled_micros < limit_micros)
               AND (deployment_limit_micros IS NULL
                    OR deployment_spent_micros + deployment_open_micros
                       + deployment_settled_micros < deployment_limit_micros) AS admitted
          FROM standing CROSS JOIN sums),
    swept AS (
        DELETE FROM chat_spend_reservations r
         WHERE r.owner_id = %(owner_id)s AND r.runner_id <> %(runner_id)s AND NOT {_LIVE}),
    kept AS (
        INSERT INTO chat_spend_reservations (runner_id, chat_id, owner_id, cost_micros)
        SELECT %(runner_id)s, %(chat_id)s, %(owner_id)s, %(at_most)s::bigint
          FROM judged WHERE admitted
        ON CONFLICT (runner_id) DO UPDATE
           SET cost_micros = excluded.cost_micros, settled = false)
    SELECT * FROM judged
"""
SETTLE: LiteralString = """
    UPDATE chat_spend_reservations SET cost_micros = %(cost)s, settled = true
     WHERE runner_id = %(runner_id)s
"""

CONFIG: LiteralString = """
    SELECT enabled, default_limit_micros, deployment_limit_micros, period, updated_at
      FROM chat_usage_limit_config
"""
PUT_CONFIG: LiteralString = """
    INSERT INTO chat_usage_limit_config (enabled, default_limit_micros, deployment_limit_micros,
                                         period, updated_at)
    VALUES (%(enabled)s, %(limit)s, %(deployment)s, %(period)s, %(now)s)
    ON CONFLICT (singleton) DO UPDATE
       SET enabled = excluded.enabled, default_limit_micros = excluded.default_limit_micros,
           deployment_limit_micros = excluded.deployment_limit_micros, period = excluded.period,
           updated_at = excluded.updated_at
"""
OVERRIDES: LiteralString = """
    SELECT id AS user_id, username, name, avatar_url, chat_spend_limit_micros AS spend_limit_micros
      FROM users WHERE chat_spend_limit_micros IS NOT NULL AND NOT deleted
     ORDER BY lower(username)
"""
OVERRIDE: LiteralString = """
    UPDATE users SET chat_spend_limit_micros = %(limit)s
     WHERE id = %(user_id)s AND (%(limit)s::bigint IS NOT NULL
                                 OR chat_spend_limit_micros IS NOT NULL)
"""


@dataclass(frozen=True, slots=True)
class Reservation:
    """A call that is about to be made."""

    owner_id: UUID
    chat_id: UUID
    runner_id: UUID
    at_most_micros: int


async def standing(tx: Tx, owner_id: UUID) -> Standing | None:
    """Return how a user stands; None when they are gone."""
    return await tx.one(Standing, STANDING, {"owner_id": owner_id, "now": tx.now})


async def standing_if_known(tx: Tx, owner_id: UUID) -> Standing | None:
    """Return how a user stands, or None where that cannot be found out; the transaction goes on."""
    try:
        async with tx.savepoint():
            return await standing(tx, owner_id)
    except Error as error:
        log.warning("limits of spending cannot be read; nobody is held up", reason=str(error))
        return None


async def reserve(tx: Tx, wanted: Reservation, limits: Standing) -> Verdict | None:
    """Set aside what a call may cost, if the limits allow; one caller after the other.

    ``limits`` says whom to wait for: the owner's other calls, or everybody's.
    """
    if limits.deployment_limit_micros is not None:
        await tx.run(LOCK_ALL)
    if limits.limit_micros is not None:
        await tx.run(LOCK_OWNER, {"owner_id": wanted.owner_id})
    args: dict[str, Any] = {
        "owner_id": wanted.owner_id,
        "chat_id": wanted.chat_id,
        "runner_id": wanted.runner_id,
        "at_most": wanted.at_most_micros,
        "now": tx.now,
    }
    return await tx.one(Verdict, RESERVE, args)


async def settle(tx: Tx, runner_id: UUID, cost_micros: int) -> None:
    """Replace what a call might have cost by what it did; its step is stored later."""
    await tx.run(SETTLE, {"runner_id": runner_id, "cost": cost_micros})


async def config(tx: Tx) -> LimitConfig | None:
    """Return the deployment's limits; None where nobody ever set any."""
    return await tx.one(LimitConfig, CONFIG)


async def put_config(tx: Tx, limits: LimitConfig) -> None:
    """Write the deployment's limits."""
    args = {
        "enabled": limits.enabled,
        "limit": limits.default_limit_micros,
        "deployment": limits.deployment_limit_micros,
        "period": limits.period,
        "now": tx.now,
    }
    await tx.run(PUT_CONFIG, args)


async def overrides(tx: Tx) -> Sequence[Override]:
    """Return who has a limit of their own."""
    return await tx.all(Override, OVERRIDES)


async def put_override(tx: Tx, user_id: UUID, limit_micros: int | None) -> bool:
    """Give a user a limit of their own, or take it away; False when there was nothing to take."""
    return await tx.run(OVERRIDE, {"user_id": user_id, "limit": limit_micros}) == 1
