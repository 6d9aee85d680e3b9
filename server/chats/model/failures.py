"""Why a turn failed, as the chat's row keeps it and clients see it."""

import re
from dataclasses import dataclass
from typing import Any

from server.llm import ErrorKind, told_as
from server.loop import Failed, Limited

_NO_TEXT = re.compile("[\0\ud800-\udfff]")
"""Providers may say it, and jsonb refuses it: a failure that cannot be kept is tried for ever."""


@dataclass(frozen=True, slots=True)
class Failure:
    """The last error of a chat. Source: reference, chats, section 1.2."""

    message: str
    detail: str = ""
    kind: str = ErrorKind.GENERIC.value
    provider: str = ""
    retryable: bool = False
    status_code: int | None = None

    def as_json(self) -> dict[str, Any]:
        """Return what is stored, without what is not known."""
        known = {
            "message": self.message,
            "detail": self.detail,
            "kind": self.kind,
            "provider": self.provider,
            "status_code": self.status_code,
        }
        return {
            **{key: _kept(value) for key, value in known.items() if value},
            "retryable": self.retryable,
        }


def _kept(value: str | int | None) -> str | int | None:
    return _NO_TEXT.sub("\N{REPLACEMENT CHARACTER}", value) if isinstance(value, str) else value


def failure_of(outcome: Failed | Limited) -> Failure:
    """Return what a turn's end says went wrong."""
    match outcome:
        case Limited(message):
            return Failure(message, kind=ErrorKind.USAGE_LIMIT.value)
        case Failed(error):
            return Failure(
                error.message,
                error.detail,
                told_as(error.kind).value,
                error.provider,
                error.retryable,
                error.status_code,
            )
