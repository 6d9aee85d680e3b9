"""What a workspace shows of itself on port 4 of a whole agent: ports, and what chats change."""

import asyncio
import json
import shutil
import subprocess
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from websockets.asyncio.client import ClientConnection, connect

from coder_cli.sdk.agentapi.http import ChatContext
from tests.agent.apiclient import ApiClient
from tests.agent.conftest import Start
from tests.agent.control_plane import ControlPlane


@asynccontextmanager
async def socket_to(plane: ControlPlane, path: str) -> AsyncGenerator[ClientConnection]:
    """Open a WebSocket to the agent's API, through a stream of the relay."""
    async with plane.bridge(4) as port:
        url = f"ws://127.0.0.1:{port}{path}"
        async with connect(url, compression=None, proxy=None, max_size=None) as socket:
            yield socket


async def test_listening_ports_are_told(plane: ControlPlane, start: Start) -> None:
    await start()
    await plane.until(lambda: "ready" in plane.states)
    status, told = await ApiClient(plane).get("/api/v0/listening-ports")
    assert status == 200
    assert isinstance(told["ports"], list)


def repository(home: Path) -> Path:
    repo = home / "repo"
    subprocess.run(["git", "init", "-q", "-b", "trunk", str(repo)], check=True)
    return repo


async def changes(socket: ClientConnection) -> Any:
    async with asyncio.timeout(20):
        (only,) = json.loads(await socket.recv())["repositories"]
    return only


async def test_a_file_that_a_chat_writes_is_seen_as_a_change(
    plane: ControlPlane, start: Start, home: Path
) -> None:
    repo = repository(home)
    await start()
    await plane.until(lambda: "ready" in plane.states)
    chat = ChatContext(uuid4())
    api = ApiClient(plane, chat.headers())
    async with socket_to(plane, f"/api/v0/git/watch?chat_id={chat.id}") as socket:
        status, _ = await api.post(f"/api/v0/write-file?path={repo}/new.txt", b"hello\n")
        assert status == 200
        told = await changes(socket)
        assert (told["repo_root"], told["branch"]) == (str(repo), "trunk")
        assert "+++ b/new.txt\n@@ -0,0 +1 @@\n+hello\n" in told["unified_diff"]
        edits = [{"path": f"{repo}/new.txt", "edits": [{"search": "hello", "replace": "bye"}]}]
        assert (await api.post("/api/v0/edit-files", {"files": edits}))[0] == 200
        assert "+bye\n" in (await changes(socket))["unified_diff"]


async def test_a_command_that_a_chat_ran_is_a_reason_to_look(
    plane: ControlPlane, start: Start, home: Path
) -> None:
    repo = repository(home)
    await start()
    await plane.until(lambda: "ready" in plane.states)
    chat = ChatContext(uuid4())
    api = ApiClient(plane, chat.headers())
    command = {"command": "echo made > made.txt", "workdir": str(repo)}
    status, process = await api.post("/api/v0/processes/start", command)
    assert status == 200
    async with socket_to(plane, f"/api/v0/git/watch?chat_id={chat.id}") as socket:
        await api.get(f"/api/v0/processes/{process['id']}/output?wait=true")
        told = await changes(socket)
        while "+made" not in told["unified_diff"]:  # It may have looked amid the command.
            told = await changes(socket)


async def test_a_workspace_without_a_desktop_says_so(plane: ControlPlane, start: Start) -> None:
    await start(env={"PATH": "/nowhere", "HOME": "/"})
    await plane.until(lambda: "ready" in plane.states)
    status, body = await ApiClient(plane).get("/api/v0/desktop/vnc")
    assert (status, body["message"]) == (424, "The workspace has no desktop.")


@pytest.mark.skipif(shutil.which("Xvnc") is None, reason="Xvnc is not on PATH")
async def test_a_viewer_and_a_process_see_the_same_desktop(
    plane: ControlPlane, start: Start
) -> None:
    await start()
    await plane.until(lambda: "ready" in plane.states)
    api = ApiClient(plane)
    async with socket_to(plane, "/api/v0/desktop/vnc") as socket:
        async with asyncio.timeout(20):
            assert await socket.recv() == b"RFB 003.008\n"
        command = {"command": "echo $DISPLAY; test -r $XAUTHORITY && echo readable"}
        _, process = await api.post("/api/v0/processes/start", command)
        _, told = await api.get(f"/api/v0/processes/{process['id']}/output?wait=true")
        display, readable = told["output"].split()
        assert display.startswith(":")
        assert readable == "readable"
