"""The socket speaks HTTP to anybody who may speak to it, and takes no nonsense."""

import asyncio
import json
import os
import shutil
import subprocess
import sys
import tempfile

import pytest

from agent.network.http import LARGEST_BODY, PATIENCE
from agent.socket import Socket, server
from tests.agent.socket.conftest import Client, Door, Told
from tests.support.clock import FakeClock

ROOT = "http://localhost/api/v0"
PING = b"GET /api/v0/ping HTTP/1.1\r\nhost: x\r\n\r\n"


async def run(*words: str) -> str:
    process = await asyncio.create_subprocess_exec(*words, stdout=subprocess.PIPE)
    out, _ = await process.communicate()
    return out.decode()


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not on PATH")
async def test_curl_speaks_to_it(door: Door) -> None:
    curl = ["curl", "-sS", "--unix-socket", door.socket.path]
    assert json.loads(await run(*curl, f"{ROOT}/ping")) == {}
    want = json.dumps({"unit": "claude", "depends_on": ["git"]})
    assert json.loads(await run(*curl, "-d", want, f"{ROOT}/sync/want")) == {}
    status = await run(*curl, "-G", "--data-urlencode", "unit=claude", f"{ROOT}/sync/status")
    assert json.loads(status) == {
        "unit_name": "claude",
        "status": "pending",
        "is_ready": False,
        "dependencies": [
            {
                "depends_on": "git",
                "required_status": "completed",
                "current_status": "",
                "is_satisfied": False,
            }
        ],
    }
    code = await run(*curl, "-I", f"{ROOT}/ping", "-o", "/dev/null", "-w", "%{http_code}")
    assert code == "405"
    expecting = [*curl, "-H", "Expect: 100-continue", "-d", '{"unit":"git"}']
    assert json.loads(await run(*expecting, f"{ROOT}/sync/start")) == {"waited_for": []}


async def test_one_connection_carries_many_requests(door: Door) -> None:
    client = await door.client()
    for number in range(3):
        assert await client.ask("POST", "/api/v0/sync/start", {"unit": str(number)}) == (
            200,
            {"waited_for": []},
        )
    client.writer.write(PING * 3 + PING.replace(b"\r\n\r\n", b"\r\nconnection: close\r\n\r\n"))
    assert (await client.rest()).count(b"HTTP/1.1 200") == 4


async def raw(door: Door, content: bytes) -> bytes:
    client = await door.client()
    client.writer.write(content)
    return await client.rest()


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"hello\r\n\r\n", b"400"),
        (b"\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\n\r\n", b"400"),
        (PING.replace(b"\r\n\r\n", b"\r\nx: " + b"y" * 20_000), b"431"),
        (b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n", b"400"),
        (b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: x\r\n\r\n", b"501"),
    ],
    ids=["words", "tls", "no-host", "headers", "lengths", "encoding"],
)
async def test_what_is_not_http_is_refused_and_closed(
    door: Door, content: bytes, status: bytes
) -> None:
    answer = await raw(door, content)
    assert answer.startswith(b"HTTP/1.1 " + status)
    assert b'{"message": "not HTTP: ' in answer
    assert await door.ask("GET", "/api/v0/ping") == (200, {})


@pytest.mark.parametrize(
    ("path", "status"), [(b"/api/v0/sync/want", b"413"), (b"/nowhere", b"404")]
)
async def test_a_body_that_is_too_large_is_refused_before_it_has_come(
    door: Door, path: bytes, status: bytes
) -> None:
    head = b"POST %s HTTP/1.1\r\nhost: x\r\ncontent-length: 999999\r\n\r\n" % path
    answer = await raw(door, head + b"y" * (LARGEST_BODY + 1))
    assert answer.startswith(b"HTTP/1.1 " + status)
    assert b"connection: close" in answer


async def test_a_body_in_chunks_is_read(door: Door) -> None:
    head = b"POST /api/v0/sync/start HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n"
    body = b'connection: close\r\n\r\n8\r\n{"unit":\r\n4\r\n"a"}\r\n0\r\n\r\n'
    assert b'{"waited_for": []}' in await raw(door, head + body)


async def test_a_client_that_says_nothing_is_closed(door: Door) -> None:
    client = await door.client()
    assert await client.ask("GET", "/api/v0/ping") == (200, {})
    client.writer.write(PING[:20])
    await door.clock.wake_within(PATIENCE)
    assert await client.rest() == b""


@pytest.mark.parametrize(
    ("method", "target", "body", "status", "words"),
    [
        ("GET", "/", None, 404, "there is no '/' here, only: GET /api/v0/ping; POST /api/v0/sync/"),
        ("GET", "/api/v0/sync/want", None, 405, "/api/v0/sync/want takes POST only"),
        ("GET", "/api/v0/sync/status", None, 400, "/api/v0/sync/status needs ?unit=<name>"),
        ("GET", "/api/v0/sync/status?unit=", None, 400, "a unit needs a name"),
        ("GET", "/api/v0/sync/status?unit=a&x=b", None, 400, "and nothing else"),
        ("POST", "/api/v0/sync/start", None, 400, "the body is not JSON"),
        ("POST", "/api/v0/sync/start", [], 400, "Start must be an object"),
        ("POST", "/api/v0/sync/start", {}, 400, "Start.unit is missing"),
        ("POST", "/api/v0/sync/start", {"unit": 5}, 400, "Start.unit must be str, not int"),
        ("POST", "/api/v0/sync/start", {"unit": "a", "wait": -1}, 400, "Start.wait is from 0 to"),
        ("POST", "/api/v0/sync/start", {"unit": "a", "wait": 1e9}, 400, "Start.wait is from 0 to"),
        ("POST", "/api/v0/sync/start", {"unit": "a", "wiat": 1}, 400, "'wiat' is unknown here; k"),
        ("POST", "/api/v0/sync/want", {"unit": "a", "depends_on": []}, 400, "names at least one"),
        ("POST", "/api/v0/sync/want", {"unit": "a", "depends_on": "b"}, 400, "must be a list"),
        ("POST", "/api/v0/sync/want", {"unit": "a", "depends_on": ["a"]}, 409, "create a cycle"),
        ("POST", "/api/v0/sync/complete", {"unit": "a"}, 404, "unit not found"),
    ],
)
async def test_refusals_are_sentences(
    door: Door, method: str, target: str, body: object, status: int, words: str
) -> None:
    answer = await door.ask(method, target, body)
    assert (answer[0], words in answer[1]["message"]) == (status, True), answer
    assert await door.units() == {}


async def test_deep_json_is_no_json(door: Door) -> None:
    client = await door.client()
    body = b"[" * 200_000
    head = f"POST /api/v0/sync/start HTTP/1.1\r\nhost: x\r\ncontent-length: {len(body)}\r\n\r\n"
    client.writer.write(head.encode() + body)
    status, answer = await client_answer(client)
    assert (status, "not JSON" in answer["message"]) == (400, True)


async def client_answer(client: Client) -> tuple[int, dict[str, str]]:
    head = await client.reader.readuntil(b"\r\n\r\n")
    return int(head.split()[1]), json.loads(await client.reader.readline())


async def test_a_bug_in_one_answer_is_told_and_ends_nothing(
    door: Door, caplog: pytest.LogCaptureFixture
) -> None:
    door.told.trouble = ZeroDivisionError("a bug")
    body = {"app_slug": "a", "state": "idle"}
    status, answer = await door.ask("PATCH", "/api/v0/app-status", body)
    assert (status, answer["message"]) == (500, "the agent failed to answer; its log says why")
    assert "ZeroDivisionError" in caplog.text
    assert await door.ask("GET", "/api/v0/ping") == (200, {})


async def test_connections_are_counted(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "MOST_CONNECTIONS", 1)
    first = await door.client()
    assert await first.ask("GET", "/api/v0/ping") == (200, {})
    status, answer = await door.ask("GET", "/api/v0/ping")
    assert (status, answer["message"]) == (503, "1 connections are open already")
    assert await first.ask("GET", "/api/v0/ping") == (200, {})


CONNECT = """
import os, socket, sys
os.setgid(65534); os.setuid(65534)
s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1])
s.sendall(b"GET /api/v0/ping HTTP/1.1\\r\\nhost: x\\r\\n\\r\\n")
print(b"".join(iter(lambda: s.recv(65536), b"")).decode())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="asks Linux who the other end is")
@pytest.mark.skipif(os.getuid() != 0, reason="becomes somebody else")
async def test_other_users_are_refused_even_where_the_file_lets_them_in() -> None:
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        os.chmod(folder, 0o755)  # noqa: PTH101 - an async test
        door = Socket([f"{folder}/coder-agent.sock"], FakeClock(), Told())
        await door.open()
        os.chmod(door.path, 0o666)  # noqa: PTH101 - an async test
        answer = await run(sys.executable, "-c", CONNECT, door.path)
        assert answer.startswith("HTTP/1.1 403")
        assert "this agent listens to user 0 only, and you are user 65534" in answer
        await door.close()
