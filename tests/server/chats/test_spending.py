"""Money: what counts when, who is refused with which words, and when nobody is held up."""

from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from server.chats.actions import spending as actions
from server.chats.errors import ChatsPaused, UsageLimitExceeded
from server.chats.model.spending import dollars
from server.chats.store import spending
from server.kit.authz import Actor
from server.kit.db import Database
from server.kit.errors import Invalid, NotFound
from tests.server.chats.rows import SYSTEM, Rows
from tests.support.clock import FakeClock

CENT = 10_000
SPEND = """
    INSERT INTO chat_spend (owner_id, organization_id, day, cost_micros)
    VALUES (%(owner)s, %(organization)s, %(day)s, %(cost)s)
"""
ADMIN = Actor(UUID(int=1), "admin", frozenset({"owner"}))


@pytest.fixture
async def rows(dsn: str, clock: FakeClock) -> AsyncGenerator[Rows]:
    database = Database(dsn, clock=clock)
    await database.open()
    yield await Rows.begin(database)
    await database.close()


async def spent(rows: Rows, day: str, cost: int) -> None:
    async with rows.database.tx(SYSTEM) as tx:
        args = {"owner": rows.owner, "organization": rows.organization, "day": day, "cost": cost}
        await tx.run(SPEND, args)


async def limit(rows: Rows, micros: int | None, period: str = "month", **more: Any) -> None:
    async with rows.database.tx(ADMIN) as tx:
        deployment = more.get("deployment")
        await actions.set_limits(tx, micros, deployment, period, keep_deployment=False)


async def check(rows: Rows) -> None:
    async with rows.database.tx(SYSTEM) as tx:
        await actions.check(tx, rows.owner)


@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Pacific/Kiritimati"])
@pytest.mark.parametrize(
    ("period", "now", "start", "end"),
    [
        ("day", "2026-03-29T02:30", "2026-03-29", "2026-03-30"),  # Europe's clocks go forward
        ("day", "2026-11-01T06:30", "2026-11-01", "2026-11-02"),  # America's go back
        ("day", "2026-01-01T00:00", "2026-01-01", "2026-01-02"),
        ("week", "2026-11-01T23:59", "2026-10-26", "2026-11-02"),  # a Sunday ends its week
        ("week", "2026-11-02T00:00", "2026-11-02", "2026-11-09"),
        ("week", "2027-01-01T12:00", "2026-12-28", "2027-01-04"),  # week 53 of the year before
        ("month", "2026-02-28T23:59", "2026-02-01", "2026-03-01"),
        ("month", "2028-02-29T12:00", "2028-02-01", "2028-03-01"),
        ("month", "2026-12-31T23:59", "2026-12-01", "2027-01-01"),
    ],
)
async def test_periods_are_those_of_utc(
    rows: Rows, zone: str, period: str, now: str, start: str, end: str
) -> None:
    await limit(rows, CENT, period)
    async with rows.database.tx(SYSTEM) as tx:
        await tx.run("SELECT set_config('TimeZone', %(zone)s, true)", {"zone": zone})
        at = datetime.fromisoformat(now).replace(tzinfo=UTC)
        args = {"owner_id": rows.owner, "now": at}
        (found,) = await tx.rows(spending.STANDING, args)
    assert found["period_start"] == datetime.fromisoformat(start).replace(tzinfo=UTC)
    assert found["period_end"] == datetime.fromisoformat(end).replace(tzinfo=UTC)


async def test_only_the_present_period_counts(rows: Rows) -> None:
    """The clock of these tests says 2026-01-01, a Thursday."""
    await spent(rows, "2025-12-31", 7 * CENT)
    await spent(rows, "2026-01-01", 2 * CENT)
    for period, counted in (("day", 2), ("week", 9), ("month", 2)):
        await limit(rows, 100 * CENT, period)
        async with rows.database.tx(SYSTEM) as tx:
            found = await spending.standing(tx, rows.owner)
        assert found is not None
        assert found.spent_micros == counted * CENT


async def test_nobody_is_limited_before_somebody_says_so(rows: Rows) -> None:
    await spent(rows, "2026-01-01", 10**12)
    await check(rows)


async def test_the_limit_itself_is_too_much(rows: Rows) -> None:
    await limit(rows, 10 * CENT)
    await spent(rows, "2026-01-01", 10 * CENT - 1)
    await check(rows)
    await spent(rows, "2026-01-02", 1)
    with pytest.raises(UsageLimitExceeded) as caught:
        await check(rows)
    assert caught.value.message == "Chat usage limit exceeded."
    assert caught.value.facts == {
        "spent_micros": 10 * CENT,
        "limit_micros": 10 * CENT,
        "resets_at": "2026-02-01T00:00:00Z",
    }
    assert caught.value.detail == (
        "$0.10 of the $0.10 that you may spend are spent this month. "
        "It resets at 2026-02-01 00:00 UTC."
    )


async def test_a_users_own_limit_comes_before_the_default(rows: Rows) -> None:
    await limit(rows, CENT)
    await spent(rows, "2026-01-01", 5 * CENT)
    async with rows.database.tx(ADMIN) as tx:
        made = await actions.set_override(tx, "ann", 6 * CENT)
    assert (made.user_id, made.spend_limit_micros) == (rows.owner, 6 * CENT)
    await check(rows)
    # It holds without a default, too.
    await limit(rows, None)
    await spent(rows, "2026-01-02", CENT)
    with pytest.raises(UsageLimitExceeded):
        await check(rows)
    async with rows.database.tx(ADMIN) as tx:
        await actions.delete_override(tx, str(rows.owner))
        with pytest.raises(Invalid, match="no spend limit of their own"):
            await actions.delete_override(tx, "ann")
    await check(rows)


async def test_a_deployment_has_a_limit_for_all_together(rows: Rows) -> None:
    await limit(rows, None, deployment=3 * CENT)
    await spent(rows, "2026-01-05", 3 * CENT)
    with pytest.raises(UsageLimitExceeded) as caught:
        await check(rows)
    assert "that all users together may spend" in caught.value.detail


async def test_limits_that_make_no_sense_are_refused(rows: Rows) -> None:
    for micros in (0, -1, 10**18):
        with pytest.raises(Invalid, match="Spend limit must be"):
            await limit(rows, micros)
    with pytest.raises(Invalid, match="Period must be one of: day, week, month"):
        await limit(rows, CENT, "year")


async def test_members_do_not_set_limits(rows: Rows) -> None:
    member = rows.actor(rows.owner)
    async with rows.database.tx(member) as tx:
        with pytest.raises(NotFound):
            await actions.limits(tx)
        with pytest.raises(NotFound):
            await actions.set_override(tx, "ann", CENT)
        with pytest.raises(NotFound):
            await actions.set_limits(tx, CENT, None, "month", keep_deployment=True)


@pytest.mark.parametrize(("cents", "warned"), [(79, False), (80, True), (100, True)])
async def test_people_are_warned_from_80_percent_on(rows: Rows, cents: int, warned: bool) -> None:
    await limit(rows, 100 * CENT)
    await spent(rows, "2026-01-01", cents * CENT)
    async with rows.database.tx(rows.actor(rows.owner)) as tx:
        standing = await actions.status(tx)
    assert standing is not None
    assert bool(standing.warning) is warned
    assert (f"{cents} % of your limit" in standing.warning) is warned


async def test_limit_resolution_failure_fails_open(rows: Rows) -> None:
    await limit(rows, CENT)
    await spent(rows, "2026-01-01", CENT)
    async with rows.database.tx(SYSTEM) as tx:
        await tx.run("ALTER TABLE chat_usage_limit_config RENAME TO broken")
        # The transaction goes on: the message that was to be sent is stored.
        await actions.check(tx, rows.owner)
        assert await tx.value("SELECT 1") == 1


async def test_a_pause_refuses_with_its_reason(rows: Rows) -> None:
    async with rows.database.tx(SYSTEM) as tx:
        await tx.run(
            "INSERT INTO chat_pauses (owner_id, reason, created_at) VALUES (NULL, 'fire', now())"
        )
    with pytest.raises(ChatsPaused, match="Chats are stopped by an administrator") as caught:
        await check(rows)
    assert "fire" in caught.value.detail


@pytest.mark.parametrize(
    ("micros", "shown"),
    [
        (0, "$0.00"),
        (10_000, "$0.01"),
        (1_500_000, "$1.50"),
        (1, "$0.000001"),
        (10**10, "$10,000.00"),
    ],
)
def test_amounts_are_shown_as_people_write_them(micros: int, shown: str) -> None:
    assert dollars(micros) == shown
