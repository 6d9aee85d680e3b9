"""What the libraries let pass, and what they raise, as our classes of failure.

Source: reference, llm, section 3 (traps 1, 2 and 9) and chats, section 3.7.
"""

import json
from collections.abc import Iterable
from typing import NoReturn

from pydantic_ai import exceptions as theirs
from pydantic_ai.messages import ModelResponse, ToolCallPart

from server.llm.errors import ErrorKind, ModelError
from server.llm.failures import classify, failure, label

_PROTOCOL_STATUS = 502
"""What is no answer at all counts as a broken gateway: it may pass."""

_FIRST = {
    ErrorKind.CHAIN_BROKEN,
    ErrorKind.CONTEXT_WINDOW,
    ErrorKind.USAGE_LIMIT,
    ErrorKind.OVERLOADED,
    ErrorKind.CONTENT_FILTER,
}
"""Classes that a provider's words tell better than the library's."""

_CLASSES: tuple[tuple[type[Exception], ErrorKind], ...] = (
    (theirs.ModelQuotaExceededError, ErrorKind.USAGE_LIMIT),
    (theirs.ModelContextWindowExceededError, ErrorKind.CONTEXT_WINDOW),
    (theirs.ModelAuthenticationError, ErrorKind.AUTH),
    (theirs.ModelNotFoundError, ErrorKind.CONFIG),
    (theirs.ModelRateLimitError, ErrorKind.RATE_LIMIT),
    (theirs.ModelOverloadedError, ErrorKind.OVERLOADED),
    (theirs.ModelUnavailableError, ErrorKind.TIMEOUT),
    (theirs.ModelConnectionError, ErrorKind.TIMEOUT),
)


def translated(
    error: Exception, provider: str, *, begun: bool, secrets: Iterable[str] = ()
) -> ModelError:
    """Return a failure of a library as ours.

    ``begun`` says whether the answer had begun: it tells a silence from a slow start.
    """
    if isinstance(error, ModelError):
        return error
    if isinstance(error, theirs.ModelAPIError) and not _timed_out(error):
        return _of_provider(error, provider, secrets)
    kind = _kind(error, begun=begun)
    if kind is None:
        return _protocol(provider, _said(error), secrets)
    return failure(provider, _said(error), kind=kind, secrets=secrets)


def _timed_out(error: Exception) -> bool:
    return isinstance(error, theirs.ModelTimeoutError | theirs.ModelRequestTimeout | TimeoutError)


def _kind(error: Exception, *, begun: bool) -> ErrorKind | None:
    """Return the class of what no provider said; None is what no class knows."""
    match error:
        case theirs.ModelTimeoutError(phase="connect" | "pool" | "write"):
            return ErrorKind.TIMEOUT
        case _ if _timed_out(error):
            return ErrorKind.STREAM_SILENCE_TIMEOUT if begun else ErrorKind.STARTUP_TIMEOUT
        case theirs.ContentFilterError():
            return ErrorKind.CONTENT_FILTER
        case theirs.UserError():
            return ErrorKind.CONFIG
        case OSError():
            return ErrorKind.TIMEOUT
        case _:
            return None


def _of_provider(error: theirs.ModelAPIError, provider: str, secrets: Iterable[str]) -> ModelError:
    status = error.status_code if isinstance(error, theirs.ModelHTTPError) else None
    codes = (error.provider_error_code, error.provider_error_type)
    said = " ".join(str(word) for word in (*codes, error.message) if word)
    kind, found = classify(said, status)
    if kind not in _FIRST:
        known = next((ours for class_, ours in _CLASSES if isinstance(error, class_)), None)
        if known is not None and not (known is ErrorKind.TIMEOUT and kind is ErrorKind.CONFIG):
            kind = known
        elif kind is ErrorKind.GENERIC and found is None:
            # No status: the stream broke off (trap 1).
            kind = ErrorKind.TIMEOUT
    return failure(
        provider, said, kind=kind, status=found, retry_after=error.retry_after, secrets=secrets
    )


def _protocol(provider: str, said: str, secrets: Iterable[str]) -> ModelError:
    error = failure(
        provider, said, kind=ErrorKind.GENERIC, status=_PROTOCOL_STATUS, secrets=secrets
    )
    error.message = f"{label(provider)} sent something that is no answer of a model."
    return error


def _said(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}".removesuffix(": ")


def check(response: ModelResponse, provider: str) -> None:
    """Refuse an answer that is not whole, or in which calls of tools ran into each other.

    Raises:
        ModelError: so.
    """
    details = response.provider_details or {}
    if not (details.get("finish_reason") or details.get("refusal")):
        raise failure(
            provider, "The stream ended before its terminal event.", kind=ErrorKind.TIMEOUT
        )
    for part in response.parts:
        if isinstance(part, ToolCallPart) and isinstance(part.args, str) and _several(part.args):
            _refuse_merged(provider, part.tool_name)


def _refuse_merged(provider: str, tool: str) -> NoReturn:
    error = failure(
        provider,
        f"The arguments of {tool} are two JSON values: several calls came with one index.",
        kind=ErrorKind.CONFIG,
    )
    error.message = (
        f"{label(provider)} sent several tool calls with the same index, and they cannot be told "
        "apart. Switch parallel tool calls off for this model, or update the server."
    )
    raise error


def _several(args: str) -> bool:
    """Tell whether there is more than one JSON value."""
    text = args.strip()
    try:
        _, end = json.JSONDecoder().raw_decode(text)
    except ValueError:
        return False
    rest = text[end:].strip()
    return rest.startswith(("{", "[")) and text.startswith("{")
