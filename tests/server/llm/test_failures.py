"""Failures land in the class that decides whether to try again, and tell no key."""

import pytest

from server.llm import ErrorKind
from server.llm.failures import classify, cover, failure, status_in, told_as


@pytest.mark.parametrize(
    ("status", "text", "kind"),
    [
        (529, "", "overloaded"),
        (503, "Overloaded", "overloaded"),
        (200, "overloaded_error: Overloaded", "overloaded"),
        (429, "Rate limit reached", "rate_limit"),
        (429, "You exceeded your current quota", "usage_limit"),
        (429, "insufficient_quota", "usage_limit"),
        (400, "Your credit balance is too low to access the API. Go to Billing", "usage_limit"),
        (402, "", "usage_limit"),
        (429, "RESOURCE_EXHAUSTED quota per minute", "rate_limit"),
        (429, "RESOURCE_EXHAUSTED GenerateRequestsPerDayPerProject", "usage_limit"),
        (401, "", "auth"),
        (403, "", "auth"),
        (400, "API key not valid. Please pass a valid API key.", "auth"),
        (None, "UnrecognizedClientException: The security token is invalid", "auth"),
        (408, "", "timeout"),
        (502, "<html>Bad Gateway</html>", "timeout"),
        (503, "", "timeout"),
        (504, "", "timeout"),
        (None, "unexpected EOF", "timeout"),
        (None, "Connection reset by peer", "timeout"),
        (None, "GOAWAY received", "timeout"),
        (None, "stream error: stream ID 5; INTERNAL_ERROR", "timeout"),
        (503, "invalid model: gpt-9", "config"),
        (404, "model_not_found", "config"),
        (400, "Unsupported parameter: temperature", "config"),
        (400, "prompt is too long: 250000 tokens > 200000 maximum", "context_window"),
        (400, "context_length_exceeded", "context_window"),
        (400, "Previous response with id 'resp_1' not found.", "chain_broken"),
        (400, "The response was filtered: content_filter", "content_filter"),
        (500, "Internal server error", "generic"),
        (500, "api_error", "generic"),
        (None, "something else", "generic"),
        (None, "dial tcp 10.0.0.1:429: connection refused", "timeout"),
    ],
)
def test_a_failure_has_its_class(status: int | None, text: str, kind: str) -> None:
    assert classify(text, status)[0] == ErrorKind(kind)


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("HTTP 503 from upstream", 503),
        ("status code: 429", 429),
        ("error 502", 502),
        ("connect to 127.0.0.1:503 failed", None),
        ("code: host:502", None),
        ("stream ID 429 was reset", None),
        ("took 500 ms", None),
    ],
)
def test_only_a_status_counts_as_one(text: str, status: int | None) -> None:
    assert status_in(text) == status


@pytest.mark.parametrize(
    ("kind", "status", "again"),
    [
        (ErrorKind.GENERIC, 500, True),
        (ErrorKind.GENERIC, None, False),
        (ErrorKind.OVERLOADED, 529, True),
        (ErrorKind.AUTH, 401, False),
        (ErrorKind.USAGE_LIMIT, 429, False),
    ],
)
def test_what_may_pass_is_tried_again(kind: ErrorKind, status: int | None, again: bool) -> None:
    assert failure("openai", "x", kind=kind, status=status).retryable is again


def test_no_key_is_in_the_detail() -> None:
    said = (
        "Incorrect API key provided: sk-proj-abcdefghijkl. "
        "Authorization: Bearer abcdefghijkl; hidden"
    )
    error = failure("openai", said, status=401, secrets=("hidden",))
    assert error.kind is ErrorKind.AUTH
    for key in ("sk-proj", "abcdefghijkl", "hidden"):
        assert key not in error.detail


def test_the_detail_is_short_and_on_one_line() -> None:
    detail = cover("x" * 600 + "\n\n" + "y")
    assert len(detail) == 500
    assert cover("a\n  b") == "a b"


def test_classes_that_only_steer_the_loop_are_told_by_another_name() -> None:
    assert told_as(ErrorKind.CONTEXT_WINDOW) is ErrorKind.CONFIG
    assert told_as(ErrorKind.CHAIN_BROKEN) is ErrorKind.GENERIC
    assert told_as(ErrorKind.AUTH) is ErrorKind.AUTH


def test_every_class_has_its_sentence() -> None:
    for kind in ErrorKind:
        assert failure("anthropic", "x", kind=kind).message
