"""What agents write is not to be trusted with its form: clean it and hold it to its limits. Pure.

Source: reference, agent and provisioner, sections 1.8 and 1.9.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

MAX_LOG_BYTES = 1024 * 1024
"""Of one agent, for its whole life; the schema checks it too."""
MAX_METADATA_BYTES = 2048
"""Of a value, and of an error."""
MAX_HOST_KEY = 8 * 1024
_HOST_KEY_KINDS = ("ssh-", "ecdsa-sha2-", "sk-ssh-", "sk-ecdsa-")


@dataclass(frozen=True, slots=True)
class Line:
    """A line of an agent's log."""

    created_at: datetime
    level: str
    output: str


def clean(text: str) -> str:
    """Return ``text`` without what PostgreSQL cannot store: NUL, and halves of characters."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode()


def clip(text: str, most: int = MAX_METADATA_BYTES) -> str:
    """Return clean ``text``, cut to ``most`` bytes."""
    return clean(text).encode()[:most].decode(errors="ignore")


def fitting(lines: Iterable[Line], length: int) -> tuple[list[Line], int, bool]:
    """Return the cleaned lines that still fit, the log's length with them, and if some did not.

    ``length`` is how many bytes the agent's log has already.
    """
    kept: list[Line] = []
    for line in lines:
        output = clean(line.output)
        longer = length + len(output.encode()) + 1  # Its end: empty lines are rows as well.
        if longer > MAX_LOG_BYTES:
            return kept, length, True
        length = longer
        kept.append(replace(line, output=output))
    return kept, length, False


def host_key(line: str) -> str:
    """Return an OpenSSH public key line without its comment, or nothing when it is none."""
    parts = clean(line).split()
    if len(line) > MAX_HOST_KEY or len(parts) < 2 or not parts[0].startswith(_HOST_KEY_KINDS):
        return ""
    return " ".join(parts[:2])
