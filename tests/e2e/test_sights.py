"""What a workspace shows of itself over the real relay: its ports, its changes, its desktop."""

import json
import shutil
import socket
import threading
from collections.abc import Generator
from contextlib import contextmanager, suppress
from typing import Any
from uuid import uuid4

import httpx
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from coder_cli.sdk.agentapi.http import ChatContext
from tests.e2e.test_agent_api import Api
from tests.support.house import House, until

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(240),
    pytest.mark.skipif(shutil.which("terraform") is None, reason="terraform is not on PATH"),
]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, module_dsn: str) -> Generator[House]:
    """A deployment after `coder server --quickstart`."""
    house = House(tmp_path_factory.mktemp("house"), module_dsn)
    try:
        house.start("--quickstart")
        until("the quickstart", lambda: "is ready. In another terminal" in house.said())
        until("the agent", lambda: house.agent("dev").get("status") == "connected")
        yield house
    finally:
        house.close()


def token(house: House) -> dict[str, str]:
    return {"Coder-Session-Token": (house.home / "config" / "session").read_text()}


@contextmanager
def web_socket(house: House, path: str) -> Generator[ClientConnection]:
    """Open a WebSocket to the agent's API, inside of a stream to port 4."""
    agent = house.agent("dev")["id"]
    url = f"{house.url}/api/v2/workspaceagents/{agent}/stream?port=4".replace("http", "ws", 1)
    near, far = socket.socketpair()
    with connect(url, additional_headers=token(house), max_size=None, compression=None) as stream:

        def outward() -> None:
            with suppress(ConnectionClosed, OSError):
                while data := far.recv(65536):
                    stream.send(data)

        def inward() -> None:
            with suppress(ConnectionClosed, OSError):
                for frame in stream:
                    assert isinstance(frame, bytes)
                    far.sendall(frame)
            far.close()

        for pump in (outward, inward):
            threading.Thread(target=pump, daemon=True).start()
        with connect(f"ws://agent{path}", sock=near, max_size=None, compression=None) as inner:
            yield inner


def ports(house: House) -> list[dict[str, Any]]:
    url = f"{house.url}/api/v2/workspaceagents/{house.agent('dev')['id']}/listening-ports"
    answer = httpx.get(url, headers=token(house), trust_env=False)
    assert answer.status_code == 200, answer.text
    return answer.json()["ports"]


def test_a_server_in_the_workspace_is_found_by_its_name(house: House) -> None:
    code = "import socket, time; s = socket.create_server(('127.0.0.1', 0)); "
    api = Api(house, ChatContext(uuid4()))
    code += "print(s.getsockname()[1], flush=True); time.sleep(600)"
    command = f'exec python3 -c "{code}"'
    started = api.json("POST", "/api/v0/processes/start", {"command": command})
    at = f"/api/v0/processes/{started['id']}"
    port = int(until("the port", lambda: api.json("GET", f"{at}/output")["output"]))
    found = until(
        "the port's name", lambda: [each for each in ports(house) if each["port"] == port]
    )
    assert found[0]["network"] == "tcp"
    assert found[0]["process_name"].startswith("python")
    api.json("POST", f"{at}/signal", {"signal": "kill"})
    until("its end", lambda: port not in [each["port"] for each in ports(house)])


def test_what_a_chat_changes_is_told(house: House) -> None:
    """Seed: the agent determines which paths to watch based on tool calls made by the chat."""
    where = house.coder("ssh", "dev", "git init -q -b trunk repo && cd repo && pwd").stdout.strip()
    chat = ChatContext(uuid4())
    with web_socket(house, f"/api/v0/git/watch?chat_id={chat.id}") as watched:
        Api(house, chat).ask("POST", f"/api/v0/write-file?path={where}/new.txt", b"hello\n")
        told = json.loads(watched.recv(timeout=60))
        (repository,) = told["repositories"]
        assert (told["type"], repository["repo_root"]) == ("changes", where)
        assert (repository["branch"], repository["removed"]) == ("trunk", False)
        assert "+++ b/new.txt\n@@ -0,0 +1 @@\n+hello\n" in repository["unified_diff"]
        house.coder("ssh", "dev", "rm -rf repo")
        watched.send('{"type": "refresh"}')
        (repository,) = json.loads(watched.recv(timeout=60))["repositories"]
        assert (repository["repo_root"], repository["removed"]) == (where, True)


@pytest.mark.skipif(shutil.which("Xvnc") is None, reason="Xvnc is not on PATH")
def test_the_desktop_is_streamed_and_moved(house: House) -> None:
    """Seed: exposes a VNC stream from a process running inside the workspace."""
    with web_socket(house, "/api/v0/desktop/vnc") as viewer:
        assert viewer.recv(timeout=60) == b"RFB 003.008\n"
        viewer.send(b"RFB 003.008\n")
        assert viewer.recv(timeout=60) == b"\x01\x01"
    api = Api(house)
    done = api.json("POST", "/api/v0/desktop/action", {"action": "screenshot"})
    assert (done["screenshot_width"], done["screenshot_height"]) == (1280, 800)
    moved = {"action": "mouse_move", "coordinate": [100, 100]}
    assert api.json("POST", "/api/v0/desktop/action", moved)["output"]


def test_a_stopped_workspace_has_no_ports_to_tell(house: House) -> None:
    agent = house.agent("dev")["id"]
    house.coder("stop", "dev", "--yes")
    url = f"{house.url}/api/v2/workspaceagents/{agent}/listening-ports"
    answer = httpx.get(url, headers=token(house), trust_env=False)
    assert answer.status_code in {400, 404}
    assert answer.json()["message"]
