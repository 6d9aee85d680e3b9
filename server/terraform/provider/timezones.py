"""Names of time zones, as schedules give them."""

from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones


def is_timezone(name: str) -> bool:
    """Tell whether a name is one of the time zone database; nothing at all means UTC."""
    if name in {"", "UTC", "Local"}:
        return True
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        # A host without a time zone database knows no zone at all and cannot judge.
        return not available_timezones()
    return True
