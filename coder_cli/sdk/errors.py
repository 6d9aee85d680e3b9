"""What can go wrong between a client and a deployment, as exceptions.

SdkError
+ ApiError         the server answered with a refusal: status, message, detail, validations
+ Unreachable      no answer at all
+ BadAnswer        an answer, but not from something that speaks this API
"""

import json
import re
from collections.abc import Sequence
from typing import Any, cast


class SdkError(Exception):
    """Base of what a client of the API must expect."""


class ApiError(SdkError):
    """The server refused."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        detail: str = "",
        validations: Sequence[tuple[str, str]] = (),
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.detail = detail
        self.validations = tuple(validations)


class Unreachable(SdkError):
    """The deployment did not answer."""


class BadAnswer(SdkError):
    """Something answered that is not a deployment, or not one this client understands."""


_ERRNO = re.compile(r"^\[Errno -?\d+\] ")


def unreachable(url: str, error: BaseException) -> Unreachable:
    """Return the exception for a deployment that did not answer, in words for a person."""
    why = _ERRNO.sub("", str(error.__cause__ or error)) or type(error).__name__
    return Unreachable(f"could not reach {url}: {why}")


def refusal(status: int, content: bytes) -> ApiError | BadAnswer:
    """Return the exception for an answer of 400 or above."""
    try:
        body = cast("dict[str, Any]", json.loads(content))
        fields = cast("list[dict[str, str]]", body.get("validations") or [])
        return ApiError(
            status,
            str(body["message"]),
            detail=str(body.get("detail") or ""),
            validations=[(one["field"], one["detail"]) for one in fields],
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        start = content[:200].decode(errors="replace").strip().partition("\n")[0]
        return BadAnswer(
            f"unexpected answer {status} from the server: {start or 'nothing'}\n"
            "That is not how a Coder deployment answers. Check its URL, and what stands before it."
        )
