"""Money and days as people write and read them; the API has micros and moments."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation

from coder_cli.commands.agents.finding import USAGE
from coder_cli.kit.refused import Refused

MICROS = 1_000_000
NONE = "none"


def dollars(micros: int | None) -> str:
    """Return an amount: ``$12.50``, more digits where they matter, ``-`` for none."""
    if micros is None:
        return "-"
    cents, rest = divmod(micros, MICROS // 100)
    return f"${micros / MICROS:.6f}".rstrip("0") if rest else f"${cents / 100:,.2f}"


def read_dollars(text: str, flag: str) -> int | None:
    """Return micros of ``2.50`` or ``$2.50``; None of ``none``.

    Raises:
        Refused: it is no amount above 0.
    """
    if text.strip().lower() == NONE:
        return None
    try:
        micros = int(Decimal(text.strip().removeprefix("$")) * MICROS)
    except (InvalidOperation, ValueError, OverflowError):
        micros = 0
    if not 0 < micros < 2**53:
        words = f"{flag} {text!r}: write an amount in US dollars, such as 2.50, or {NONE}."
        raise Refused(words, exit_code=USAGE)
    return micros


def read_day(text: str, flag: str, *, after: bool = False) -> str:
    """Return the moment (RFC 3339) at which a day begins; with ``after``, at which it is over.

    Raises:
        Refused: it is no day.
    """
    if not text:
        return ""
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        words = f"{flag} {text!r}: write a day as 2026-11-21."
        raise Refused(words, exit_code=USAGE) from error
    moment = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=after)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
