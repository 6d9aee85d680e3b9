"""Reaching the server, and its ways to say no."""

import socket

import pytest

from agent.network import Dialer, Refused, Unreachable
from coder_cli.sdk.agentapi import TOKEN_HEADER
from tests.agent.control_plane import TOKEN, ControlPlane


async def test_the_control_line_says_who_calls_and_by_which_version(plane: ControlPlane) -> None:
    frames = await Dialer(f"{plane.url}/", TOKEN, {"X-Team": "blue"}).control()
    await frames.close()
    (request,) = plane.requests
    assert request.path == "/api/v2/workspaceagents/me/rpc?version=2.0&role=agent"
    assert request.headers[TOKEN_HEADER] == TOKEN
    assert request.headers["X-Team"] == "blue"
    assert "Sec-WebSocket-Extensions" not in request.headers


@pytest.mark.parametrize("status", [400, 401, 403])
async def test_a_refusal_carries_the_servers_words(plane: ControlPlane, status: int) -> None:
    plane.refusal = (status, "Agent trying to connect from non-latest build.")
    with pytest.raises(Refused) as no:
        await Dialer(plane.url, TOKEN).control()
    assert no.value.status == status
    assert no.value.message == "Agent trying to connect from non-latest build."


async def test_a_server_in_trouble_is_no_refusal(plane: ControlPlane) -> None:
    plane.refusal = (503, "starting")
    with pytest.raises(Unreachable) as trouble:
        await Dialer(plane.url, TOKEN).control()
    assert not isinstance(trouble.value, Refused)
    assert "503" in str(trouble.value)


async def test_nobody_there() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with pytest.raises(Unreachable):
        await Dialer(f"http://127.0.0.1:{port}", TOKEN).control()


async def test_a_proxy_is_not_asked_for_the_way_to_this_machine(
    plane: ControlPlane, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    frames = await Dialer(plane.url, TOKEN).control()
    await frames.close()


def test_the_token_is_not_in_the_representation() -> None:
    assert TOKEN not in repr(Dialer("http://x", TOKEN, {"A": "hush"}))
    assert "hush" not in repr(Dialer("http://x", TOKEN, {"A": "hush"}))
