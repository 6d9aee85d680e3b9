"""Which class a failure belongs to, and the sentence that a person reads of it.

Source: reference, chats, section 3.7: status and words of the provider decide, in a fixed order of
precedence. Numbers that only look like a status (a port, the id of a stream) are passed over, and
no key leaves this module.
"""

import re
from collections.abc import Callable, Iterable, Mapping

from server.llm.errors import ErrorKind, ModelError

MAX_DETAIL = 500

_KEYS = re.compile(
    r"(?:\bsk-|\bkey-|\bAIza|\bAKIA|\bBearer\s+|\bBasic\s+|\beyJ)[A-Za-z0-9_\-./+=*]{6,}"
    r"|(?<=api[_-]key[\"'=: ])\s*[\"']?[A-Za-z0-9_\-./+=*]{6,}",
    re.IGNORECASE,
)
_NO_STATUS = re.compile(
    r"stream (?:id )?\d+|\b[\w.-]+:\d{2,5}\b|\b\d+\.\d+\.\d+\.\d+\b", re.IGNORECASE
)
_STATUS = re.compile(
    r"\b(?:status(?: code)?|code|error|HTTP(?:/\d(?:\.\d)?)?)\W{0,4}([45]\d\d)\b", re.IGNORECASE
)


def _words(*phrases: str) -> Callable[[str], bool]:
    pattern = re.compile("|".join(phrases), re.IGNORECASE)
    return lambda text: pattern.search(text) is not None


_overloaded = _words("overloaded", "over capacity", "at capacity")
_usage_limit = _words(
    "insufficient[_ ]quota",
    "exceeded your current quota",
    r"\bbilling\b",
    "payment required",
    "credit balance",
    "out of credits",
    "insufficient (?:credits|funds|balance)",
    r"quota[_ ]exceeded",
    "(?:usage|spend(?:ing)?|daily|monthly) limit",
    r"per[ _]?day",
)
_strong_auth = _words(
    "authentication[_ ]error",
    "invalid[_ ]api[_ ]key",
    "incorrect api key",
    "invalid x-api-key",
    "api key not valid",
    "unauthorized",
    "unauthenticated",
    "expired ?token",
    "security token",
    "unrecognizedclient",
)
_weak_auth = _words(
    "permission[_ ](?:error|denied)", "forbidden", "access ?denied", r"\bapi key\b", "credentials"
)
_rate_limit = _words("rate[_ -]?limit", "too many requests", "throttl", "resource_exhausted")
_disabled = _words(r"provider (?:is )?disabled")
_context = _words(
    "context[_ ](?:length|window)",
    "maximum context",
    "prompt is too long",
    "input is too long",
    "too many (?:input )?tokens",
    "exceeds? the (?:available )?context",
    "request_too_large",
    "input token count .{0,40}exceeds",
    "reduce the length",
)
_config = _words(
    "model[_ ]not[_ ]found",
    "(?:invalid|unknown|unsupported) model",
    "model .{0,80}(?:does not exist|not found)",
    "unsupported[_ ](?:parameter|value)",
    "unknown parameter",
    "not_found_error",
    "unrecognized request argument",
    "no such model",
    "decommissioned",
    "not supported",
)
_timeout = _words(
    "timed? ?out",
    r"\bEOF\b",
    "connection (?:reset|closed|refused|error|aborted|lost)",
    "reset by peer",
    "goaway",
    "broken pipe",
    "bad gateway",
    "gateway time-?out",
    "service unavailable",
    "server disconnected",
    "incomplete (?:chunked )?(?:read|message)",
    "peer closed",
    "stream (?:ended|error|reset)",
    "refused_stream",
    "enhance_your_calm",
    "temporarily unavailable",
)
_filtered = _words("content[_ ]?(?:filter|policy|management)", "safety system", "responsible ?ai")
_chain = _words("previous[_ ]response.{0,120}not found", "previous_response_not_found")
_server_error = _words("internal server error", "server_error", "api_error")


def classify(text: str, status: int | None = None) -> tuple[ErrorKind, int | None]:
    """Return the class of a failure, and its status where the words hold one.

    Args:
        text: all that the provider said: class, code, message, body.
        status: the status of HTTP, if there was an answer.
    """
    status = status or status_in(text)
    for kind, holds in _PRECEDENCE:
        if holds(text, status):
            return kind, status
    return ErrorKind.GENERIC, status


_PRECEDENCE: tuple[tuple[ErrorKind, Callable[[str, int | None], bool]], ...] = (
    # Before all: what the loop answers with another request, not with patience.
    (ErrorKind.CHAIN_BROKEN, lambda text, _: _chain(text)),
    (ErrorKind.CONTEXT_WINDOW, lambda text, status: _context(text) and not _passing(status)),
    (ErrorKind.OVERLOADED, lambda text, status: status == 529 or _overloaded(text)),
    (ErrorKind.USAGE_LIMIT, lambda text, status: status == 402 or _usage_limit(text)),
    (ErrorKind.AUTH, lambda text, status: status == 401 or _strong_auth(text)),
    (ErrorKind.AUTH, lambda text, status: status == 403 or (status is None and _weak_auth(text))),
    (ErrorKind.RATE_LIMIT, lambda text, status: status == 429 or _rate_limit(text)),
    (ErrorKind.PROVIDER_DISABLED, lambda text, _: _disabled(text)),
    # "503 invalid model": the gateway's status is a wrapper, and waiting does not help.
    (ErrorKind.CONFIG, lambda text, status: status in _WRAPPERS and _config(text)),
    (ErrorKind.TIMEOUT, lambda text, status: status in _TIMEOUTS or _timed_out(text, status)),
    (ErrorKind.CONTENT_FILTER, lambda text, _: _filtered(text)),
    (ErrorKind.CONFIG, lambda text, status: status in _REFUSALS or _config(text)),
    (ErrorKind.CONFIG, lambda text, status: status is None and _context(text)),
)
_TIMEOUTS = frozenset({408, 499, 502, 503, 504})
_WRAPPERS = frozenset({500, 502, 503, 504})
_REFUSALS = frozenset({400, 404, 405, 413, 422})


def _passing(status: int | None) -> bool:
    return status in {429, 529}


def _timed_out(text: str, status: int | None) -> bool:
    return (status is None or status >= 500) and _timeout(text) and not _server_error(text)


def status_in(text: str) -> int | None:
    """Return the status of HTTP that an error's words tell, if any."""
    found = _STATUS.search(_NO_STATUS.sub(" ", text))
    return int(found[1]) if found else None


def cover(text: str, secrets: Iterable[str] = ()) -> str:
    """Return ``text`` without keys, at most 500 characters of it, on one line."""
    for secret in secrets:
        if len(secret) >= 4:
            text = text.replace(secret, "…")
    text = " ".join(_KEYS.sub("…", text).split())
    return text if len(text) <= MAX_DETAIL else text[: MAX_DETAIL - 1] + "…"


_LABELS: Mapping[str, str] = {
    "anthropic": "Anthropic",
    "openai": "OpenAI",
    "google": "Google",
    "azure": "Azure OpenAI",
    "bedrock": "AWS Bedrock",
    "openrouter": "OpenRouter",
    "vercel": "Vercel AI Gateway",
    "openai-compat": "The model server",
    "scripted": "The scripted model",
}

_SENTENCES: Mapping[ErrorKind, str] = {
    ErrorKind.OVERLOADED: "{} is overloaded at the moment.",
    ErrorKind.RATE_LIMIT: "{} limits how much may be asked in a while, and the limit is reached.",
    ErrorKind.TIMEOUT: "{} could not be reached, or broke off its answer.",
    ErrorKind.STARTUP_TIMEOUT: "{} did not begin to answer in time.",
    ErrorKind.STREAM_SILENCE_TIMEOUT: "{} fell silent in the middle of its answer.",
    ErrorKind.GENERIC: "{} answered with an error.",
    ErrorKind.AUTH: "{} does not accept the API key. Check the key and what it may do.",
    ErrorKind.CONFIG: "{} refused the request. Check the model's name and its options.",
    ErrorKind.CONTEXT_WINDOW: "The conversation is longer than the model of {} can take.",
    ErrorKind.CONTENT_FILTER: "{} refused to answer because of its rules for content.",
    ErrorKind.USAGE_LIMIT: "The account at {} has no quota or no credit left.",
    ErrorKind.MISSING_KEY: "There is no API key for {}.",
    ErrorKind.PROVIDER_DISABLED: "{} is switched off in this deployment.",
    ErrorKind.CHAIN_BROKEN: "{} no longer has the answer that this one was to continue.",
}


def label(provider: str) -> str:
    """Return a provider's name for people."""
    return _LABELS.get(provider, provider)


def failure(
    provider: str,
    said: str,
    *,
    kind: ErrorKind | None = None,
    status: int | None = None,
    retry_after: float | None = None,
    secrets: Iterable[str] = (),
) -> ModelError:
    """Return the error of a call: its class from what the provider said, unless it is known.

    Args:
        provider: who was called.
        said: the provider's words; they become the detail, covered.
        kind: the class, where the caller knows it.
        status: the status of HTTP, if there was an answer.
        retry_after: seconds that the provider asks to wait at least.
        secrets: what must not be in the detail.
    """
    found, status = (kind, status) if kind else classify(said, status)
    # A class is told by its own name; two of them only steer the loop.
    sentence = _SENTENCES[found].format(label(provider))
    return ModelError(
        found,
        sentence,
        detail=cover(said, secrets),
        provider=provider,
        status_code=status,
        retry_after=retry_after,
    )


def told_as(kind: ErrorKind) -> ErrorKind:
    """Return the class under which clients are told of a failure."""
    return {
        ErrorKind.CONTEXT_WINDOW: ErrorKind.CONFIG,
        ErrorKind.CHAIN_BROKEN: ErrorKind.GENERIC,
    }.get(kind, kind)
