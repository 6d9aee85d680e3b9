"""Checks of single values against the words of Go's libraries."""

import pytest

from server.terraform.provider import checks, cron, gotext
from server.terraform.provider.values import quote


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
    assert checks.url(url, "icon") == f"parse {quote(url)}: {problem}"


@pytest.mark.parametrize(
    ("expression", "unix"),
    [
        ("0 0 8 * * 1-5", False),
        ("0 0 8 * 1", True),
        ("*/5 * * * *", True),
        # Five fields, but as minute, hour, day, month it means nothing.
        ("0 0 8 1 JAN", False),
        ("0 0 8 1 JAN sun", False),
        ("CRON_TZ=Europe/Berlin 0 0 8 * * *", False),
        ("0 0 0 ? * *", False),
        ("0 1,,2 * * * *", False),
        ("@daily", False),
        ("@every 1h30m", False),
    ],
)
def test_cron_accepted(expression: str, *, unix: bool) -> None:
    cron.check(expression)
    assert cron.looks_unix(expression) is unix


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
        (
            "x * * * * *",
            'failed to parse int from x: strconv.Atoi: parsing "x": invalid syntax',
        ),
        ("1/-1 * * * * *", "negative number (-1) not allowed: -1"),
        ("0 0 * * 0", "beginning of range (0) below minimum (1): 0"),
        ("TZ=Mars/Base 0 0 8 * *", "provided bad location Mars/Base: unknown time zone Mars/Base"),
        ("TZ=Europe/Berlin", "expected 5 to 6 fields, found 0: []"),
        ("@sometimes", "unrecognized descriptor: @sometimes"),
        ("@every day", "failed to parse duration @every day"),
    ],
)
def test_cron_refused(expression: str, problem: str) -> None:
    with pytest.raises(cron.BadCron) as refused:
        cron.check(expression)
    assert str(refused.value).startswith(problem)


@pytest.mark.parametrize("text", ["1", "t", "T", "true", "TRUE", "True", "0", "f", "FALSE"])
def test_truth_as_parse_bool_reads_it(text: str) -> None:
    assert gotext.is_bool(text)


@pytest.mark.parametrize("text", ["", "yes", "on", "tRUE", " true", "2"])
def test_no_truth(text: str) -> None:
    assert not gotext.is_bool(text)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("5", 5),
        ("+5", 5),
        ("-0", 0),
        ("9223372036854775807", 2**63 - 1),
        ("9223372036854775808", None),
        ("5.0", None),
        ("1_0", None),
        ("0x10", None),
        (" 5", None),
        ("٣", None),
        ("", None),
    ],
)
def test_integers_as_atoi_reads_them(text: str, number: int | None) -> None:
    assert gotext.integer(text) == number


@pytest.mark.parametrize(
    "text",
    [
        "5",
        "-5.5",
        ".5",
        "5.",
        "1e3",
        "1_000.5_0e+1_0",
        "0x1p-2",
        "0x_1.8P1",
        "inf",
        "-Infinity",
        "NaN",
        "1e-400",
    ],
)
def test_numbers_as_parse_float_reads_them(text: str) -> None:
    assert gotext.is_float(text)


@pytest.mark.parametrize(
    "text",
    ["", ".", "ten", "1__0", "_1", "1_", "0x1", "0x1p", "1e400", "0x1p99999", "-nan", "5 ", "٣"],
)
def test_no_numbers(text: str) -> None:
    assert not gotext.is_float(text)
