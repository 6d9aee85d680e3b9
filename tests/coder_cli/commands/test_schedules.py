"""Start times: what people type, and what the API keeps."""

from zoneinfo import available_timezones

import pytest

from coder_cli.commands.schedules import cron_of, in_words, local_zone


@pytest.mark.parametrize(
    ("typed", "cron"),
    [
        ("9:00am Mon-Fri Europe/Berlin", "CRON_TZ=Europe/Berlin 0 9 * * Mon-Fri"),
        ("9am", "CRON_TZ=UTC 0 9 * * *"),
        ("17:30 1,3,5", "CRON_TZ=UTC 30 17 * * 1,3,5"),
        ("12:15am Sun", "CRON_TZ=UTC 15 0 * * Sun"),
        ("12pm UTC", "CRON_TZ=UTC 0 12 * * *"),
    ],
)
def test_what_people_type(typed: str, cron: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "UTC")
    assert cron_of(typed.split()) == cron


@pytest.mark.parametrize("typed", ["", "9", "25:00", "13pm", "9:61", "9am Funday", "9am * UTC x"])
def test_what_is_no_schedule(typed: str) -> None:
    with pytest.raises(ValueError, match=r"\.$"):
        cron_of(typed.split())


@pytest.mark.parametrize(
    ("cron", "words"),
    [
        ("CRON_TZ=Europe/Berlin 0 9 * * Mon-Fri", "9:00AM Mon-Fri (Europe/Berlin)"),
        ("CRON_TZ=UTC 5 12 * * *", "12:05PM daily (UTC)"),
        ("CRON_TZ=UTC 0 0 * * 6", "12:00AM 6 (UTC)"),
        ("something else", "something else"),
        (None, ""),
    ],
)
def test_what_tables_show(cron: str | None, words: str) -> None:
    assert in_words(cron) == words


def test_this_machines_zone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    assert local_zone() == "Asia/Tokyo"
    monkeypatch.setenv("TZ", "Nowhere/Land")
    assert local_zone() in available_timezones() | {"UTC"}
