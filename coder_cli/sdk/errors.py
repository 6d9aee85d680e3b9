"""What can go wrong between a client and a deployment, as exceptions.

SdkError
+ ApiError         the server answered with a refusal: status, message, detail, validations
+ Unreachable      no answer at all
+ BadAnswer        an answer, but not from something that speaks this API
"""

from collections.abc import Sequence


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
