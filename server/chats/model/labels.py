"""Labels of chats: what programs hang on them to find them again. Pure."""

import re
from collections.abc import Mapping
from typing import Final

from server.chats.errors import InvalidLabels
from server.kit.errors import FieldError

MOST: Final = 50
LONGEST_KEY: Final = 64
LONGEST_VALUE: Final = 256
_KEY: Final = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9._/-]*")


def checked(labels: Mapping[str, str]) -> dict[str, str]:
    """Return labels that a chat can have.

    Raises:
        InvalidLabels: too many, or one that is too long, empty or misspelt; every one is named.
    """
    wrong = [problem for key, value in labels.items() if (problem := _problem(key, value))]
    if len(labels) > MOST:
        wrong.insert(0, FieldError("labels", f"A chat has {MOST} labels at most."))
    if wrong:
        raise InvalidLabels(*wrong)
    return dict(labels)


def _problem(key: str, value: str) -> FieldError | None:
    if not _KEY.fullmatch(key) or len(key) > LONGEST_KEY:
        reason = (
            f"The key {key[:LONGEST_KEY]!r} must have 1 to {LONGEST_KEY} letters, digits, "
            "'.', '_', '/' or '-', and begin with a letter or a digit."
        )
    elif not value:
        reason = f"The value of {key!r} must not be empty."
    elif not value.isprintable():
        reason = f"The value of {key!r} must be printable characters of one line."
    elif len(value) > LONGEST_VALUE:
        reason = f"The value of {key!r} must have {LONGEST_VALUE} characters at most."
    else:
        return None
    return FieldError("labels", reason)
