"""The tree of refusals. A message is a sentence for a person; ``fields`` name the offenders.

ApiError
+ Invalid             400  carries one FieldError per bad field
+ Unauthorized        401  no key, an expired key, a suspended user
+ Forbidden           403  where the existence of the thing is no secret
+ NotFound            404  also what a forbidden read looks like
+ Conflict            409  a name is taken, a build is active
+ Gone                410  the workspace was deleted
+ PreconditionFailed  412  the thing is in the wrong state
+ TooLarge            413  an upload over its limit
+ TooEarly            425  a job that has not finished
+ TooMany             429  a rate limit
+ Unavailable         503  try again later
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True)
class FieldError:
    """One bad field of a request: its name on the wire, and what is wrong with it."""

    field: str
    detail: str


class ApiError(Exception):
    """Base of every error that a client may see; the handler writes it as the error body."""

    status: ClassVar[int] = 500
    facts: Mapping[str, Any] = MappingProxyType({})
    """More fields of the body, where clients know some for this refusal."""

    def __init__(
        self, message: str, *, detail: str = "", fields: Sequence[FieldError] = ()
    ) -> None:
        super().__init__(message)
        self.message = message
        self.detail = detail
        self.fields = tuple(fields)


class Invalid(ApiError):
    """The request makes no sense."""

    status = 400


class Unauthorized(ApiError):
    """Nobody we know is asking."""

    status = 401


class Forbidden(ApiError):
    """The actor may know of the thing, but not do this."""

    status = 403

    def __init__(self, message: str = "Forbidden.", *, detail: str = "") -> None:
        super().__init__(message, detail=detail)


class NotFound(ApiError):
    """Missing, or hidden from the actor: both look alike on purpose."""

    status = 404

    def __init__(
        self,
        message: str = "Resource not found or you do not have access to this resource",
        *,
        detail: str = "",
    ) -> None:
        super().__init__(message, detail=detail)


class Conflict(ApiError):
    """Somebody was first."""

    status = 409


class Gone(ApiError):
    """It was there, and was deleted."""

    status = 410


class PreconditionFailed(ApiError):
    """The thing is in a state that does not allow this."""

    status = 412


class TooLarge(ApiError):
    """The body is over its limit."""

    status = 413


class TooEarly(ApiError):
    """What is asked for is still being made."""

    status = 425


class TooMany(ApiError):
    """A rate limit was hit."""

    status = 429

    def __init__(self, message: str, *, retry_after: int = 60) -> None:
        unit = "second" if retry_after == 1 else "seconds"
        super().__init__(message, detail=f"Try again in {retry_after} {unit}.")
        self.retry_after = retry_after


class Unavailable(ApiError):
    """Something we stand on does not answer."""

    status = 503
