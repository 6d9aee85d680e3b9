"""``coder_workspace_preset``: limits, and schedules of ready workspaces."""

from typing import Any

import pytest

from server.terraform.provider.preset import overlap
from tests.server.terraform.world import read


def errors(**config: Any) -> list[str]:
    return read("coder_workspace_preset", {"name": "big", **config}).errors


def scheduled(*crons: str, timezone: str = "UTC") -> list[dict[str, Any]]:
    schedule = [{"cron": cron, "instances": 1} for cron in crons]
    return [{"instances": 1, "scheduling": [{"timezone": timezone, "schedule": schedule}]}]


def test_the_name_is_the_id() -> None:
    assert read("coder_workspace_preset", {"name": "big"}).value["id"] == "big"


@pytest.mark.parametrize(
    ("config", "error"),
    [
        ({"name": ""}, 'expected "name" to not be an empty string, got '),
        (
            {"description": "x" * 129},
            f"expected length of description to be in the range (0 - 128), got {'x' * 129}",
        ),
        (
            {"icon": "x" * 257},
            f"expected length of icon to be in the range (0 - 256), got {'x' * 257}",
        ),
        (
            {"prebuilds": [{"instances": -1}]},
            "expected prebuilds.0.instances to be at least (0), got -1",
        ),
        (
            {"prebuilds": [{"instances": 1, "expiration_policy": [{"ttl": 3599}]}]},
            (
                '"prebuilds.0.expiration_policy.0.ttl" must be 0 or between 3600 and 31536000, '
                "got 3599"
            ),
        ),
        (
            {"prebuilds": scheduled("* * * * *", timezone="Mars/Base")},
            'failed to load timezone "Mars/Base": unknown time zone Mars/Base',
        ),
        (
            {"prebuilds": scheduled("* * * *")},
            "cron spec failed validation: cron specification should consist of 5 fields",
        ),
        (
            {"prebuilds": scheduled("0 8 * * *")},
            "cron spec failed validation: minute field should be *",
        ),
        (
            {"prebuilds": scheduled("* 25 * * *")},
            "failed to parse cron spec: end of range (25) above maximum (23): 25",
        ),
        (
            {"prebuilds": scheduled("* 8-18 * * 1-5", "* 17-19 * * 5,6")},
            (
                "schedules overlap with each other: "
                "schedules overlap: * 8-18 * * 1-5 and * 17-19 * * 5,6"
            ),
        ),
        (
            {"prebuilds": scheduled("* */2 * * *", "* 1 * * *")},
            (
                "schedules overlap with each other: invalid schedule: invalid hour range: "
                "invalid value: */2 is no number"
            ),
        ),
    ],
)
def test_what_is_refused(config: dict[str, Any], error: str) -> None:
    assert errors(**config) == [error]


@pytest.mark.parametrize(
    "config",
    [
        {"parameters": {"does not": "exist"}},
        {"description": "x" * 128},
        {"prebuilds": [{"instances": 0, "expiration_policy": [{"ttl": 0}]}]},
        {"prebuilds": [{"instances": 0, "expiration_policy": [{"ttl": 31536000}]}]},
        {"prebuilds": scheduled("* 8-18 * * 1-5", "* 19-23 * * 1-5", timezone="Europe/Berlin")},
    ],
)
def test_what_is_accepted(config: dict[str, Any]) -> None:
    assert errors(**config) == []


@pytest.mark.parametrize(
    ("one", "other", "meet"),
    [
        ("* * * * *", "* * * * *", True),
        ("* * * 1 *", "* * * 2 *", False),
        # A star among the days of the month leaves it to the weekdays.
        ("* * * * 1", "* * 13 * 2", False),
        ("* * 13 * *", "* * 14 * 2", False),
        # Both name both: either one suffices.
        ("* * 13 * 1", "* * 13 * 2", True),
        ("* * 13 * 1", "* * 14 * 1", True),
        ("* * 13 * 1", "* * 14 * 2", False),
        # A star reaches from zero, also where zero does not exist.
        ("* * 0 * 1", "* * * * 1", True),
    ],
)
def test_overlap(one: str, other: str, *, meet: bool) -> None:
    assert overlap(one, other) is meet
    assert overlap(other, one) is meet


@pytest.mark.parametrize("field", ["5-2", "0-24"])
def test_overlap_refuses_ranges_that_are_none(field: str) -> None:
    with pytest.raises(
        ValueError,
        match=f"invalid hour range: invalid range {field}: values must be between 0 and 23",
    ):
        overlap(f"* {field} * * *", "* * * * *")
