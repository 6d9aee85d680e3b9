"""Names for workspaces that a model makes."""

import re
import secrets
from typing import Final

from coder_cli.kit.names import check_name

LONGEST_BASE: Final = 27
_ALPHABET: Final = "abcdefghijklmnopqrstuvwxyz0123456789"
_OTHER: Final = re.compile(r"[^a-z0-9]+")


def workspace_name(wanted: str, template: str) -> str:
    """Return the name that was wanted, if it is one, else one like it that nobody has."""
    wanted = wanted.strip()
    if wanted and check_name(wanted) is None:
        return wanted
    return generated(wanted or template)


def generated(seed: str) -> str:
    """Return a name that begins like ``seed`` and ends in four random characters."""
    base = _OTHER.sub("-", seed.lower()).strip("-")[:LONGEST_BASE].strip("-") or "workspace"
    return f"{base}-{''.join(secrets.choice(_ALPHABET) for _ in range(4))}"
