"""The agent's HTTP API over the real relay: processes outlive servers, files come and go whole."""

import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import h11
import pytest
from websockets.sync.client import connect

from coder_cli.sdk.agentapi.http import ChatContext
from tests.support.house import House, free_port, until

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(240),
    pytest.mark.skipif(shutil.which("terraform") is None, reason="terraform is not on PATH"),
]
PROCESSES = "/api/v0/processes"


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


class Api:
    """Asks the agent of ``dev`` for a chat, by a stream for each request."""

    def __init__(self, house: House, chat: ChatContext | None = None) -> None:
        self.house = house
        self.agent = house.agent("dev")["id"]
        self.headers = chat.headers() if chat else {}
        self.url = house.url

    def json(self, method: str, target: str, body: Any = None) -> Any:
        """Return the JSON of an answer that is 200."""
        content = b"" if body is None else json.dumps(body).encode()
        status, answer = self.ask(method, target, content)
        assert status == 200, answer
        return json.loads(answer)

    def ask(self, method: str, target: str, body: bytes = b"") -> tuple[int, bytes]:
        """Return status and content of an answer."""
        token = (self.house.home / "config" / "session").read_text()
        url = f"{self.url}/api/v2/workspaceagents/{self.agent}/stream?port=4"
        headers = [("host", "agent"), ("content-length", str(len(body))), *self.headers.items()]
        http = h11.Connection(h11.CLIENT)
        events = (h11.Request(method=method, target=target, headers=headers), h11.Data(data=body))
        raw = b"".join(http.send(event) or b"" for event in events)
        raw += http.send(h11.EndOfMessage()) or b""
        with connect(
            url.replace("http", "ws", 1),
            additional_headers={"Coder-Session-Token": token},
            max_size=None,
            compression=None,
        ) as stream:
            for at in range(0, len(raw), 65536):
                stream.send(raw[at : at + 65536])
            status, content = 0, b""
            while True:
                event = http.next_event()
                if isinstance(event, h11.Response):
                    status = event.status_code
                elif isinstance(event, h11.Data):
                    content += event.data
                elif isinstance(event, h11.EndOfMessage):
                    return status, content
                else:
                    frame = stream.recv(timeout=60)
                    assert isinstance(frame, bytes)
                    http.receive_data(frame)


@contextmanager
def another_server(house: House) -> Generator[str]:
    """Run a second replica on the same database; yield its URL."""
    port = free_port()
    words = [sys.executable, "-m", "coder_cli", "server", "--http-address", f"127.0.0.1:{port}"]
    log = house.root / "second.log"
    # A server tells the command line of its home where it is.
    env = {**house.env, "CODER_CONFIG_DIR": str(house.root / "second")}
    with log.open("wb") as out:
        process = subprocess.Popen(words, env=env, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
    try:
        until("the second server", lambda: "Logs will stream in below" in log.read_text())
        yield f"http://127.0.0.1:{port}"
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(40)


def test_the_agent_says_hello(house: House) -> None:
    assert Api(house).json("GET", "/") == {"message": "Hello from the agent!"}


def test_a_process_has_what_a_session_has(house: House) -> None:
    """Seed: processes of the API can authenticate git operations via the gitaskpass helper."""
    api = Api(house, ChatContext(uuid4()))
    script = 'echo "$CODER_WORKSPACE_NAME $GIT_ASKPASS $GIT_SSH_COMMAND"; pwd'
    started = api.json("POST", f"{PROCESSES}/start", {"command": script})
    output = api.json("GET", f"{PROCESSES}/{started['id']}/output?wait=true")
    assert output["output"] == house.coder("ssh", "dev", script).stdout
    assert output["exit_code"] == 0


def test_a_process_outlives_a_killed_server_and_any_replica_can_ask(house: House) -> None:
    """Seed: state lives on the agent, surviving failover and instance changes."""
    chat = ChatContext(uuid4())
    api = Api(house, chat)
    wanted = {
        "command": "echo before; while [ ! -e gate ]; do sleep 0.1; done; echo after; exit 5",
        "background": True,
        "client_token": "call-1",
    }
    started = api.json("POST", f"{PROCESSES}/start", wanted)
    at = f"{PROCESSES}/{started['id']}"
    house.stop(signal.SIGKILL)
    house.start()
    until("the agent's return", lambda: house.agent("dev").get("status") == "connected")
    assert api.json("POST", f"{PROCESSES}/start", wanted) == started
    assert api.json("GET", f"{at}/output") == {"output": "before\n", "running": True}
    with another_server(house) as url:
        api.url = url
        house.coder("ssh", "dev", "touch gate")
        assert api.json("GET", f"{at}/output?wait=true") == {
            "output": "before\nafter\n",
            "running": False,
            "exit_code": 5,
        }
        (listed,) = api.json("GET", f"{PROCESSES}/list")["processes"]
        assert (listed["id"], listed["running"]) == (started["id"], False)
    assert Api(house, ChatContext(uuid4())).json("GET", f"{PROCESSES}/list")["processes"] == []


def test_a_signal_takes_pipelines_along(house: House) -> None:
    """Seed: child processes from shell pipelines are also cleaned up."""
    api = Api(house, ChatContext(uuid4()))
    command = "sleep 987654 & (sleep 987655 | sleep 987656)"
    started = api.json("POST", f"{PROCESSES}/start", {"command": command})

    def sleeping() -> bool:
        listed = house.coder("ssh", "dev", "pgrep -f '^sleep 98765'", check=False).stdout
        return len(listed.split()) == 3

    until("the sleepers", sleeping)
    api.json("POST", f"{PROCESSES}/{started['id']}/signal", {"signal": "terminate"})
    output = api.json("GET", f"{PROCESSES}/{started['id']}/output?wait=true")
    assert (output["running"], output["exit_code"]) == (False, -1)
    left = house.coder("ssh", "dev", "pgrep -f '^sleep 98765'", check=False).stdout
    assert left == ""


def test_files_come_whole_and_are_edited_all_or_none(house: House) -> None:
    api = Api(house)
    where = house.coder("ssh", "dev", "pwd").stdout.strip()
    content = b"".join(b"%09d\n" % number for number in range(300_000))
    status, _ = api.ask("POST", f"/api/v0/write-file?path={where}/deep/er/numbers", content)
    assert status == 200
    assert house.coder("ssh", "dev", "wc -c < deep/er/numbers").stdout.strip() == "3000000"
    assert api.ask("GET", f"/api/v0/read-file?path={where}/deep/er/numbers") == (200, content)
    house.coder("ssh", "dev", "printf 'a\\r\\nb\\r\\n' > one; printf 'x\\n' > two; chmod 750 one")
    edits = [{"path": f"{where}/one", "edits": [{"search": "a\nb", "replace": "1\n2"}]}]
    wrong = [{"path": f"{where}/two", "edits": [{"search": "y", "replace": "z"}]}]
    body = json.dumps({"files": edits + wrong}).encode()
    status, answer = api.ask("POST", "/api/v0/edit-files", body)
    assert (status, f"{where}/two: search string not found" in answer.decode()) == (400, True)
    assert house.coder("ssh", "dev", "cat one").stdout.split() == ["a", "b"]
    assert api.json("POST", "/api/v0/edit-files", {"files": edits}) == {
        "message": "Successfully edited file(s)"
    }
    assert house.coder("ssh", "dev", "stat -c %a one; od -c one | head -1").stdout.split() == [
        *("750", "0000000", "1", "\\r", "\\n", "2", "\\r", "\\n"),
    ]


def test_many_megabytes_of_output_are_a_few_kilobytes(house: House) -> None:
    api = Api(house, ChatContext(uuid4()))
    started = api.json("POST", f"{PROCESSES}/start", {"command": "seq 5000000; echo the end"})
    output = api.json("GET", f"{PROCESSES}/{started['id']}/output?wait=true")
    assert output["truncated"]["original_bytes"] == 38_888_896 + len("the end\n")
    assert output["truncated"]["retained_bytes"] == 32768
    assert output["output"].startswith("1\n2\n")
    assert output["output"].endswith("5000000\nthe end\n")
