"""Checks of single values against the words of Go's libraries."""

import pytest

from server.terraform.provider import checks, cron


@pytest.mark.parametrize(
    "url",
    [
        "",
        "/icon/code.svg",
        "/an icon.svg",
        "https://user:pw@example.com:8080/a?b=%zz#%zz",
        "http://localhost:",
        "mailto:bob",
        "data:image/png;base64,xx==",
        "http://[::1]:80/",
        "a/b:c",
        "//example.com",
    ],
)
def test_url_accepted(url: str) -> None:
    assert checks.url(url, "icon") is None


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("%zz", 'invalid URL escape "%zz"'),
        ("http://x/%2", 'invalid URL escape "%2"'),
        (":8080", "missing protocol scheme"),
        ("1http:x", "first path segment in URL cannot contain colon"),
        ("http://x:y/", 'invalid port ":y" after host'),
        ("http://a b/", 'invalid character " " in host name'),
        ("http://[::1/", "missing ']' in host"),
        ("a\nb", "net/url: invalid control character in URL"),
    ],
)
def test_url_refused(url: str, problem: str) -> None:
    found = checks.url(url, "icon")
    assert found is not None
    assert found.detail.endswith(f": {problem}")


@pytest.mark.parametrize(
    ("expression", "fields"),
    [
        ("0 0 8 * * 1-5", 6),
        ("*/5 * * * *", 5),
        ("0 0 8 1 JAN sun", 6),
        ("TZ=Europe/Berlin 0 0 8 * *", 5),
        ("0 0 0 ? * *", 6),
        ("@daily", 0),
        ("@every 1h30m", 0),
    ],
)
def test_cron_accepted(expression: str, fields: int) -> None:
    assert cron.check(expression) == fields


@pytest.mark.parametrize(
    ("expression", "problem"),
    [
        ("", "empty spec string"),
        ("* * *", "expected 5 to 6 fields, found 3: [* * *]"),
        ("60 * * * * *", "end of range (60) above maximum (59): 60"),
        ("0 0 0 0 * *", "beginning of range (0) below minimum (1): 0"),
        ("5-1 * * * * *", "beginning of range (5) beyond end of range (1): 5-1"),
        ("1-2-3 * * * * *", "too many hyphens: 1-2-3"),
        ("1/2/3 * * * * *", "too many slashes: 1/2/3"),
        ("*/0 * * * * *", "step of range should be a positive number: */0"),
        ("x * * * * *", "failed to parse int from x"),
        ("@sometimes", "unrecognized descriptor: @sometimes"),
        ("@every day", "failed to parse duration @every day"),
    ],
)
def test_cron_refused(expression: str, problem: str) -> None:
    with pytest.raises(cron.BadCron) as refused:
        cron.check(expression)
    assert str(refused.value).startswith(problem)
