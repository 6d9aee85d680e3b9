"""Files as bytes and as lines; what is no ordinary file is refused, and nothing waits."""

import os
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import quote

import pytest

from agent.files.reading import LARGEST_ANSWER, LARGEST_LINED
from agent.network.http import Content, Request
from tests.agent.asking import Asking
from tests.agent.files.conftest import asking_of

READ = "/api/v0/read-file?path="
LINES = "/api/v0/read-file-lines?path="


async def test_a_file_is_read(ask: Asking, tmp_path: Path) -> None:
    content = os.urandom(700_000)
    (tmp_path / "blob").write_bytes(content)
    at = f"{READ}{tmp_path}/blob"
    assert await ask.get(at) == (200, content)
    assert await ask.get(f"{at}&offset=699990") == (200, content[-10:])
    assert await ask.get(f"{at}&offset=10&limit=5") == (200, content[10:15])
    assert await ask.get(f"{at}&offset=700000") == (200, b"")
    assert await ask.get(f"{at}&offset=7000000&limit=5") == (200, b"")
    (tmp_path / "empty").touch()
    assert await ask.get(f"{READ}{tmp_path}/empty") == (200, b"")


@pytest.mark.parametrize(
    ("name", "kind"),
    [("a.html", "text/html"), ("a.png", "image/png"), ("a.unknown", "application/octet-stream")],
)
async def test_the_media_type_is_that_of_the_name(
    ask: Asking, tmp_path: Path, name: str, kind: str
) -> None:
    (tmp_path / name).write_text("x")
    query = {"path": f"{tmp_path}/{name}"}
    reply = await ask.table(Request("GET", "/api/v0/read-file", query, {}, _no_body()))
    assert isinstance(reply, Content)
    assert (reply.kind, reply.length) == (kind, 1)


async def _no_body() -> AsyncIterator[bytes]:
    for none in ():
        yield none


async def test_a_name_may_be_any_bytes(ask: Asking, tmp_path: Path) -> None:
    name = b"\xff \xc3\xa9"
    (tmp_path / os.fsdecode(name)).write_text("x")
    assert await ask.get(f"{READ}{tmp_path}/{quote(name)}") == (200, b"x")


@pytest.mark.parametrize(
    ("query", "status", "words"),
    [
        ("relative", 400, 'file path must be absolute: "relative"'),
        ("../up", 400, 'file path must be absolute: "../up"'),
        ("~/x", 400, "file path must be absolute"),
        ("", 400, '"path" is required'),
        ("/no/such", 404, "open /no/such: no such file or directory"),
        ("/etc/passwd/x", 400, "not a directory"),
        ("/tmp", 400, "open /tmp: not a file"),
        ("/x%00y", 400, "is not a path"),
        ("/etc/passwd&x=1", 400, "Query parameters have invalid values."),
        ("/etc/passwd&offset=-1", 400, "Query parameters have invalid values."),
        ("/etc/passwd&offset=x", 400, "Query parameters have invalid values."),
        ("/etc/passwd&limit=99999999999999999999", 400, "Query parameters have invalid values."),
        ("/dev/zero", 400, "open /dev/zero: not a regular file"),
        ("/dev/tty", 400, "not a regular file"),
        ("/proc/self/pagemap", 413, "1048576 are the most"),
    ],
)
@pytest.mark.parametrize("at", [READ, LINES])
async def test_what_cannot_be_read(
    ask: Asking, at: str, query: str, status: int, words: str
) -> None:
    answered, answer = await ask.get(at + query)
    assert answered == status
    assert words in answer["message"]


async def test_files_of_proc_are_read_though_they_say_they_are_empty(ask: Asking) -> None:
    status, content = await ask.get(f"{READ}/proc/self/status")
    assert (status, content[:5]) == (200, b"Name:")
    assert (await ask.get(f"{READ}/proc/self/status&offset=5&limit=1"))[1] == content[5:6]
    _, lined = await ask.get(f"{LINES}/proc/self/status&limit=1")
    assert lined["content"].startswith("1\tName:")


@pytest.mark.parametrize("at", [READ, LINES])
async def test_pipes_and_sockets_are_refused_without_waiting(
    ask: Asking, tmp_path: Path, at: str
) -> None:
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "link").symlink_to("fifo")
    directory = os.open(tmp_path, os.O_RDONLY)  # A socket's path may be 107 bytes long.
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"/proc/self/fd/{directory}/socket")
        for name in ("fifo", "link", "socket"):
            status, answer = await ask.get(f"{at}{tmp_path}/{name}")
            assert (status, answer["message"].rpartition(": ")[2]) == (400, "not a regular file")
    os.close(directory)


async def test_what_may_not_be_read_is_forbidden(humble: Path) -> None:
    ask = asking_of(humble)
    (humble / "secret").write_text("x")
    (humble / "secret").chmod(0)
    for at in (READ, LINES):
        no = {"message": f"{humble}/secret: permission denied"}
        assert await ask.get(f"{at}{humble}/secret") == (403, no)


async def test_lines_are_numbered(ask: Asking, tmp_path: Path) -> None:
    (tmp_path / "a").write_text("one\r\ntwo\n\nvier é\n")
    at = f"{LINES}{tmp_path}/a"
    whole = {
        "content": "1\tone\n2\ttwo\n3\t\n4\tvier é",
        "file_size": 18,
        "total_lines": 4,
        "lines_read": 4,
    }
    assert await ask.get(at) == (200, whole)
    assert (await ask.get(f"{at}&offset=2&limit=2"))[1] == {
        **whole,
        "content": "2\ttwo\n3\t",
        "lines_read": 2,
    }
    status, answer = await ask.get(f"{at}&offset=5")
    assert (status, answer["message"]) == (400, "offset 5 is beyond the file, which has 4 lines")
    (tmp_path / "empty").touch()
    assert (await ask.get(f"{LINES}{tmp_path}/empty"))[1] == {
        "content": "",
        "file_size": 0,
        "total_lines": 0,
        "lines_read": 0,
    }


async def test_lines_are_bounded(ask: Asking, tmp_path: Path) -> None:
    (tmp_path / "long").write_text("é" * 600 + "\n" + "b" * 1024 + "\n")
    _, answer = await ask.get(f"{LINES}{tmp_path}/long")
    assert answer["content"] == f"1\t{'é' * 512} ... [truncated]\n2\t{'b' * 1024}"
    (tmp_path / "many").write_text("".join(f"{number}\n" for number in range(5000)))
    _, answer = await ask.get(f"{LINES}{tmp_path}/many")
    assert (answer["lines_read"], answer["total_lines"]) == (2000, 5000)
    (tmp_path / "wide").write_text(("c" * 1000 + "\n") * 100)
    _, answer = await ask.get(f"{LINES}{tmp_path}/wide")
    assert 30 < answer["lines_read"] < 100
    assert len(answer["content"]) <= LARGEST_ANSWER
    (tmp_path / "big").write_bytes(b"x" * (LARGEST_LINED + 1))
    status, answer = await ask.get(f"{LINES}{tmp_path}/big")
    assert status == 413
    assert "has 1048577 bytes; 1048576 are the most" in answer["message"]


async def test_blocked_transfer_lets_no_whole_file_out(tmp_path: Path) -> None:
    ask = asking_of(tmp_path, block_transfer=True)
    (tmp_path / "a").write_text("x\n")
    no = (403, {"message": "File transfer has been disabled."})
    assert await ask.get(f"{READ}{tmp_path}/a") == no
    assert await ask.post(f"/api/v0/write-file?path={tmp_path}/a", b"y") == no
    assert (tmp_path / "a").read_text() == "x\n"
    assert (await ask.get(f"{LINES}{tmp_path}/a"))[0] == 200
