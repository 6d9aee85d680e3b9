"""What things may be called (reference: names and values, section 3.6)."""

import re

NAME = re.compile(r"[a-zA-Z0-9]+(?:-[a-zA-Z0-9]+)*")
VERSION_NAME = re.compile(r"[a-zA-Z0-9]+(?:[_.-][a-zA-Z0-9]+)*")
_EMAIL = re.compile(r"[^@\s\x00-\x1f]{1,64}@[^@\s\x00-\x1f.][^@\s\x00-\x1f]{0,253}")
_RESERVED = frozenset({"new", "create"})


def check_name(value: str) -> str | None:
    """Return why ``value`` cannot name a user, workspace, template or organization, or None."""
    if not 1 <= len(value) <= 32:
        return "must be between 1 and 32 characters"
    if not NAME.fullmatch(value):
        return "must be letters and digits, with single hyphens between them"
    if value.lower() in _RESERVED:
        return f"{value!r} is reserved"
    return None


def check_version_name(value: str) -> str | None:
    """Return why ``value`` cannot name a template version, or None."""
    if len(value) > 64:
        return "must be at most 64 characters"
    if not VERSION_NAME.fullmatch(value):
        return "must be letters and digits, with single '_', '.' or '-' between them"
    return None


def check_display_name(value: str) -> str | None:
    """Return why ``value`` cannot be a display name, or None; empty is fine."""
    if len(value) > 64:
        return "must be at most 64 characters"
    if value != value.strip():
        return "must not begin or end with white space"
    return None


def check_real_name(value: str) -> str | None:
    """Return why ``value`` cannot be a person's full name, or None; empty is fine."""
    if len(value) > 128:
        return "must be at most 128 characters"
    if value != value.strip():
        return "must not begin or end with white space"
    return None


def check_email(value: str) -> str | None:
    """Return why ``value`` cannot be an email address, or None."""
    return None if _EMAIL.fullmatch(value) else "must be an email address such as you@example.com"
