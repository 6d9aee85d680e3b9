"""Small things that several commands say in the same way."""

from datetime import datetime, timedelta


def ago(moment: datetime, now: datetime) -> str:
    """Return how long ago something was: ``now``, ``3m``, ``2h``, ``5d``."""
    if moment.year <= 1:
        return "never"
    return "now" if now - moment < timedelta(minutes=1) else short_span(now - moment)


def short_span(span: timedelta) -> str:
    """Return a span in its two greatest units: ``45s``, ``12m``, ``3h20m``, ``5d4h``."""
    total = int(span.total_seconds())
    days, rest = divmod(total, 86400)
    hours, rest = divmod(rest, 3600)
    minutes, seconds = divmod(rest, 60)
    if days:
        return f"{days}d{hours}h" if hours else f"{days}d"
    if hours:
        return f"{hours}h{minutes}m" if minutes else f"{hours}h"
    return f"{minutes}m" if minutes else f"{seconds}s"


def timestamp(moment: datetime) -> str:
    """Return a moment as tables show it, in UTC."""
    return "never" if moment.year <= 1 else moment.strftime("%Y-%m-%dT%H:%M:%SZ")
