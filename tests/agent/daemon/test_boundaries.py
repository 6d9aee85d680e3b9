"""Boundaries of a whole agent: from the socket to the line, and the counters on port 4."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

from coder_cli.sdk.agentapi import Method
from tests.agent.apiclient import ApiClient
from tests.agent.conftest import Start
from tests.agent.control_plane import ControlPlane
from tests.agent.socket.boundary.protobuf import batch, entry, frame


async def test_what_a_boundary_says_reaches_the_server(
    plane: ControlPlane, start: Start, tmp_path: Path
) -> None:
    path = str(tmp_path / "audit.sock")
    running = await start(boundary_paths=(path,))
    await plane.until(lambda: "ready" in plane.states)
    env = running.agent.environment.build()
    assert env["CODER_AGENT_BOUNDARY_LOG_PROXY_SOCKET_PATH"] == path
    _, writer = await asyncio.open_unix_connection(path)
    writer.write(frame(1, batch(entry("https://a/", datetime(2026, 3, 1, tzinfo=UTC)))))
    await plane.until(lambda: plane.called(Method.BOUNDARY_LOGS))
    (report,) = plane.called(Method.BOUNDARY_LOGS)
    assert report["session_id"] == "s-1"
    assert report["logs"][0]["allowed"] is True
    assert report["logs"][0]["http_request"]["url"] == "https://a/"
    writer.close()
    status, text = await ApiClient(plane).ask("GET", "/metrics")
    assert status == 200
    assert b"agent_boundary_log_proxy_batches_forwarded_total" in text
