"""A chat on a whole deployment: it makes a workspace, writes a file, runs it, shows the diff."""

import json
import shutil
from collections.abc import Generator
from typing import Any

import httpx
import pytest
from websockets.sync.client import connect

from tests.support.house import House, until

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(300),
    pytest.mark.skipif(shutil.which("terraform") is None, reason="terraform is not on PATH"),
]
SCRIPT = """create workspace named chatty
$ mkdir -p project && cd project && git init -q . && git add -A
write ~/project/hello.sh echo hello from a chat
$ sh project/hello.sh
diff project
"""


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, module_dsn: str) -> Generator[House]:
    """A deployment after `coder server --quickstart`."""
    house = House(tmp_path_factory.mktemp("house"), module_dsn)
    try:
        house.start("--quickstart")
        until("the quickstart", lambda: "is ready. In another terminal" in house.said())
        yield house
    finally:
        house.close()


@pytest.fixture(scope="module")
def client(house: House) -> Generator[httpx.Client]:
    """A client of the API, as the quickstart's user."""
    token = (house.home / "config" / "session").read_text()
    headers = {"Coder-Session-Token": token}
    with httpx.Client(base_url=f"{house.url}/api/v2", headers=headers, timeout=60) as client:
        yield client


@pytest.fixture(scope="module")
def chat(client: httpx.Client) -> dict[str, Any]:
    """A chat whose first turn has begun."""
    home = client.get("/organizations").json()[0]["id"]
    body = {"organization_id": home, "content": [{"type": "text", "text": SCRIPT}]}
    made = client.post("/chats", json=body)
    assert made.status_code == 201, made.text
    return made.json()


def test_a_first_turn_makes_a_workspace_and_works_in_it(
    house: House, client: httpx.Client, chat: dict[str, Any]
) -> None:
    events: list[dict[str, Any]] = []
    url = f"{house.url.replace('http', 'ws')}/api/v2/chats/{chat['id']}/stream"
    headers = {"Coder-Session-Token": client.headers["Coder-Session-Token"]}
    with connect(url, additional_headers=headers, max_size=None) as stream:
        while not events or events[-1].get("status") != {"status": "waiting"}:
            events.extend(json.loads(stream.recv(timeout=200)))
    messages = [event["message"] for event in events if event["type"] == "message"]
    assert [one["id"] for one in messages] == sorted({one["id"] for one in messages})
    results = {
        part["tool_name"]: part
        for message in messages
        for part in message["content"]
        if part["type"] == "tool-result"
    }
    failed = {name: part["result"] for name, part in results.items() if part.get("is_error")}
    assert not failed, failed
    assert "hello from a chat" in json.dumps(results["execute"]["result"]) or any(
        "hello from a chat" in json.dumps(message["content"]) for message in messages
    )
    heard = [event for event in events if event["type"] == "message_part"]
    assert heard, "words come before they are stored"
    assert house.coder("ssh", "chatty", "cat project/hello.sh").stdout.strip() == (
        "echo hello from a chat"
    )


def test_the_chat_knows_its_workspace_and_a_second_turn_uses_it(
    client: httpx.Client, chat: dict[str, Any]
) -> None:
    shown = client.get(f"/chats/{chat['id']}").json()
    assert shown["workspace_id"]
    assert shown["agent_id"]
    body = {"content": [{"type": "text", "text": "read ~/project/hello.sh"}]}
    assert client.post(f"/chats/{chat['id']}/messages", json=body).status_code == 200
    until("the second turn", lambda: _waits(client, chat))
    messages = client.get(f"/chats/{chat['id']}/messages").json()["messages"]
    assert "hello from a chat" in json.dumps(messages[0]["content"])


def test_git_is_watched_through_the_agent(
    house: House, client: httpx.Client, chat: dict[str, Any]
) -> None:
    url = f"{house.url.replace('http', 'ws')}/api/v2/chats/{chat['id']}/git/watch"
    headers = {"Coder-Session-Token": client.headers["Coder-Session-Token"]}
    with connect(url, additional_headers=headers, max_size=None) as watch:
        watch.send(json.dumps({"type": "refresh"}))
        told = json.loads(watch.recv(timeout=60))
    assert told["type"] == "changes"
    diffs = [one["unified_diff"] for one in told["repositories"]]
    assert any("hello from a chat" in diff for diff in diffs), told


def _waits(client: httpx.Client, chat: dict[str, Any]) -> bool:
    return client.get(f"/chats/{chat['id']}").json()["status"] == "waiting"
