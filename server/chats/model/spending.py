"""How somebody stands with their money: what was spent in a period, and what the limits are. Pure.

Amounts are micros, millionths of a US dollar. Source: reference, chats, section 1.13.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from coder_cli.sdk.chats.limits import ChatUsageLimitPeriod

WARN_AT = 80
"""Percent of a limit from which on people are warned."""

_LASTS = {
    ChatUsageLimitPeriod.DAY: "today",
    ChatUsageLimitPeriod.WEEK: "this week",
    ChatUsageLimitPeriod.MONTH: "this month",
}


@dataclass(frozen=True, slots=True)
class Standing:
    """A user's spending in the present period; a limit of None is none."""

    period: str
    period_start: datetime
    period_end: datetime
    """Exclusive: when it begins anew."""
    limit_micros: int | None
    spent_micros: int
    deployment_limit_micros: int | None
    deployment_spent_micros: int
    limits_exist: bool
    """Somebody in the deployment is limited."""
    paused: bool
    everybody_paused: bool
    pause_reason: str

    @property
    def limited(self) -> bool:
        """Tell whether this user's calls are counted before they are made."""
        return self.limit_micros is not None or self.deployment_limit_micros is not None

    @property
    def over(self) -> "Over | None":
        """Return which limit is reached by what was spent, or None."""
        return self.over_with(0, 0)

    def over_with(self, more: int, more_together: int) -> "Over | None":
        """Return which limit is reached when so much more is counted, or None."""
        own, together = self.spent_micros + more, self.deployment_spent_micros + more_together
        if self.limit_micros is not None and own >= self.limit_micros:
            return Over(own, self.limit_micros, self.period, self.period_end)
        if self.deployment_limit_micros is not None and together >= self.deployment_limit_micros:
            limit = self.deployment_limit_micros
            return Over(together, limit, self.period, self.period_end, everybody=True)
        return None

    @property
    def warning(self) -> str:
        """Return a sentence from 80 % of a limit on, else nothing."""
        for limit, spent, whose in (
            (self.limit_micros, self.spent_micros, "your limit"),
            (self.deployment_limit_micros, self.deployment_spent_micros, "the limit of all users"),
        ):
            if limit is not None and spent * 100 >= limit * WARN_AT:
                return (
                    f"{dollars(spent)} of {dollars(limit)} are spent {_lasts(self.period)}: "
                    f"that is {spent * 100 // limit} % of {whose}."
                )
        return ""


@dataclass(frozen=True, slots=True)
class Over:
    """A limit that is reached."""

    spent_micros: int
    limit_micros: int
    period: str
    resets_at: datetime
    everybody: bool = False
    """The limit of all users together."""

    @property
    def sentence(self) -> str:
        """Say the amounts, whose limit it is, and when it begins anew."""
        whose = "all users together may spend" if self.everybody else "you may spend"
        return (
            f"{dollars(self.spent_micros)} of the {dollars(self.limit_micros)} that {whose} are "
            f"spent {_lasts(self.period)}. It resets at {self.resets_at:%Y-%m-%d %H:%M} UTC."
        )


@dataclass(frozen=True, slots=True)
class Verdict(Standing):
    """A standing with calls under way: ``open`` ones may cost so much, ``settled`` ones did."""

    admitted: bool
    open_micros: int
    settled_micros: int
    deployment_open_micros: int
    deployment_settled_micros: int

    @property
    def spent_for_good(self) -> Over | None:
        """Return the limit that is reached whatever calls under way come to, or None."""
        return self.over_with(self.settled_micros, self.deployment_settled_micros)


@dataclass(frozen=True, slots=True)
class LimitConfig:
    """The limits of a deployment."""

    enabled: bool
    default_limit_micros: int
    deployment_limit_micros: int | None
    period: str
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Override:
    """A user with a limit of their own."""

    user_id: UUID
    username: str
    name: str
    avatar_url: str
    spend_limit_micros: int


@dataclass(frozen=True, slots=True)
class Pause:
    """Whose chats run nothing; without a user it is everybody's."""

    user_id: UUID | None
    username: str
    reason: str
    paused_by: UUID | None
    paused_by_username: str
    created_at: datetime


def dollars(micros: int) -> str:
    """Return an amount for people: at least two digits, and more where they matter."""
    cents, rest = divmod(micros, 10_000)
    return f"${micros / 1_000_000:.6f}".rstrip("0") if rest else f"${cents / 100:,.2f}"


def _lasts(period: str) -> str:
    return _LASTS[ChatUsageLimitPeriod(period)]
