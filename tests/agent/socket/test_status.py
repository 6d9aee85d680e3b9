"""What an app does: said on the socket, forwarded to the server."""

import pytest

from agent.upstream import CallFailed, LineDown
from coder_cli.sdk.agentapi import AppState, AppStatus
from tests.agent.socket.conftest import Door

PATH = "/api/v0/app-status"
BODY = {"app_slug": "claude", "state": "working", "message": "cloning", "uri": "https://x.test"}


async def test_an_apps_status_is_forwarded(door: Door) -> None:
    """Seed: UpdateAppStatus on the socket, wired up to forward to the server."""
    assert await door.ask("PATCH", PATH, BODY) == (200, {})
    assert await door.ask("PATCH", PATH, {"app_slug": "claude", "state": "complete"}) == (200, {})
    assert door.told.statuses == [
        AppStatus("claude", AppState.WORKING, "cloning", "https://x.test"),
        AppStatus("claude", AppState.COMPLETE),
    ]


@pytest.mark.parametrize(
    ("trouble", "status", "words"),
    [
        (CallFailed("No app found with slug 'no'"), 400, "No app found with slug 'no'"),
        (
            LineDown("the line broke", sent=False),
            503,
            "the agent is not connected to the server (the line broke); try again",
        ),
    ],
)
async def test_what_the_server_does_not_take_is_told(
    door: Door, trouble: Exception, status: int, words: str
) -> None:
    door.told.trouble = trouble
    assert await door.ask("PATCH", PATH, BODY) == (status, {"message": words})


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"state": "dancing"}, "AppStatus.state is not a AppStatusState"),
        ({"app_slug": None}, "AppStatus.app_slug must be str, not NoneType"),
        ({"slug": "x"}, "'slug' is unknown here; known are app_slug, message, state, uri"),
    ],
)
async def test_a_wrong_status_is_not_forwarded(
    door: Door, change: dict[str, object], words: str
) -> None:
    assert await door.ask("PATCH", PATH, {**BODY, **change}) == (400, {"message": words})
    assert door.told.statuses == []
