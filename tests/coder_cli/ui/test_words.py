"""Spans and moments as people read them."""

from datetime import timedelta

import pytest

from coder_cli.sdk.common import ZERO_TIME
from coder_cli.ui.words import ago, short_span, timestamp
from tests.coder_cli.shapes import WHEN


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(45, "45s"), (720, "12m"), (12_000, "3h20m"), (7200, "2h"), (446_400, "5d4h"), (86_400, "1d")],
)
def test_spans(seconds: int, text: str) -> None:
    assert short_span(timedelta(seconds=seconds)) == text


def test_moments() -> None:
    assert ago(WHEN, WHEN + timedelta(seconds=30)) == "now"
    assert ago(WHEN, WHEN + timedelta(hours=2)) == "2h"
    assert ago(ZERO_TIME, WHEN) == "never"
    assert timestamp(WHEN) == "2026-11-21T12:00:00Z"
    assert timestamp(ZERO_TIME) == "never"
