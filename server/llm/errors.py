"""Why a call of a model failed, in the classes that decide what happens next.

Source: reference, chats, section 3.7.
"""

from enum import StrEnum


class ErrorKind(StrEnum):
    """The class of a failure, as it is told to clients."""

    OVERLOADED = "overloaded"
    RATE_LIMIT = "rate_limit"
    TIMEOUT = "timeout"
    STARTUP_TIMEOUT = "startup_timeout"
    STREAM_SILENCE_TIMEOUT = "stream_silence_timeout"
    GENERIC = "generic"
    AUTH = "auth"
    CONFIG = "config"
    CONTEXT_WINDOW = "context_window"
    """Too long for the model: compact and try once more; told as ``config``."""
    CONTENT_FILTER = "content_filter"
    USAGE_LIMIT = "usage_limit"
    MISSING_KEY = "missing_key"
    PROVIDER_DISABLED = "provider_disabled"
    CHAIN_BROKEN = "chain_broken"
    """``previous_response_id`` is gone: send the whole history; told as ``generic``."""


class ModelError(Exception):
    """A call failed. ``message`` is a sentence for a person; it never holds a key.

    Args:
        detail: the provider's own words, at most 500 characters, covered.
        retry_after: seconds that the provider asks to wait at least.
    """

    def __init__(
        self,
        kind: ErrorKind,
        message: str,
        *,
        detail: str = "",
        provider: str = "",
        status_code: int | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.detail = detail
        self.provider = provider
        self.status_code = status_code
        self.retry_after = retry_after

    @property
    def retryable(self) -> bool:
        """Tell whether the same call may well succeed a little later."""
        if self.kind is ErrorKind.GENERIC:
            return self.status_code is not None and self.status_code >= 500
        return self.kind in _PASSING


_PASSING = frozenset(
    {
        ErrorKind.OVERLOADED,
        ErrorKind.RATE_LIMIT,
        ErrorKind.TIMEOUT,
        ErrorKind.STARTUP_TIMEOUT,
        ErrorKind.STREAM_SILENCE_TIMEOUT,
    }
)
