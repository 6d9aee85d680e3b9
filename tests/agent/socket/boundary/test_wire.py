"""Frames and messages of boundaries, hostile ones too."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.socket.boundary.wire import BadFrame, Status, Tag, header, message
from coder_cli.sdk.agentapi.boundary import BoundaryLog, BoundaryLogs, HttpAccess
from tests.agent.socket.boundary.protobuf import batch, entry, field, status

WHEN = datetime(2026, 3, 1, 12, 30, 1, 250_000, tzinfo=UTC)
BATCH = BoundaryLogs(
    (
        BoundaryLog(True, WHEN, HttpAccess("GET", "https://a/", "domain=x"), 1),
        BoundaryLog(False, WHEN, HttpAccess("GET", "https://b/"), 2),
    ),
    "s-1",
    "claude",
)
BODY = batch(
    entry("https://a/", WHEN, sequence=1), entry("https://b/", WHEN, allowed=False, sequence=2)
)


def test_tag_v1_is_a_bare_batch_as_older_boundaries_send_it() -> None:
    assert message(Tag.V1, BODY) == BATCH


def test_tag_v2_is_an_envelope_with_a_batch_or_a_status() -> None:
    assert message(Tag.V2, field(1, BODY)) == BATCH
    assert message(Tag.V2, status(3, 4)) == Status(3, 4)


def test_what_a_newer_boundary_adds_is_skipped() -> None:
    more = (
        field(9, "new")
        + field(10, 7)
        + bytes([11 << 3 | 1])
        + bytes(8)
        + bytes([12 << 3 | 5])
        + bytes(4)
    )
    assert message(Tag.V1, BODY + more) == BATCH
    assert message(Tag.V2, field(3, b"new kind")) is None


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (bytes([0, 0, 0, 1]), "unknown tag 0"),
        (bytes([3, 0, 0, 1]), "unknown tag 3"),
        (bytes([1, 0, 0x80, 1]), "32769 bytes"),
        (bytes([2, 0xFF, 0xFF, 0xFF]), "16777215 bytes"),
    ],
)
def test_a_bad_tag_and_a_frame_that_is_too_large_are_refused(data: bytes, why: str) -> None:
    with pytest.raises(BadFrame, match=why):
        header(data)


def test_the_largest_frame_is_taken() -> None:
    assert header(bytes([2, 0, 0x80, 0])) == (Tag.V2, 32768)


@given(st.binary(max_size=200), st.sampled_from(Tag))
def test_no_bytes_crash_the_reader(data: bytes, tag: Tag) -> None:
    try:
        message(tag, data)
    except BadFrame:
        return


def test_a_time_that_no_calendar_has_is_refused() -> None:
    log = field(2, field(1, 2**62))
    with pytest.raises(BadFrame, match="calendar"):
        message(Tag.V1, field(1, log))
