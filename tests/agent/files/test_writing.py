"""Files that are written come at once, whole, and with the mode that they had."""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from agent.files import routes
from agent.network.http import Request
from tests.agent.asking import Asking
from tests.agent.files.conftest import asking_of
from tests.agent.waiting import until

WRITE = "/api/v0/write-file?path="


def names(path: Path) -> list[str]:
    return sorted(one.name for one in path.iterdir())


async def test_a_file_and_its_directories_are_made(ask: Asking, tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        path = tmp_path / "a" / "b" / "c.txt"
        content = os.urandom(100_000)
        answer = {"message": f'Successfully wrote to "{path}"'}
        assert await ask.post(f"{WRITE}{path}", content) == (200, answer)
    finally:
        os.umask(before)
    assert path.read_bytes() == content
    assert path.stat().st_mode & 0o777 == 0o644
    assert path.parent.stat().st_mode & 0o777 == 0o755
    assert names(path.parent) == ["c.txt"]


async def test_a_file_keeps_its_mode_and_a_link_its_target(ask: Asking, tmp_path: Path) -> None:
    real, link = tmp_path / "real" / "a", tmp_path / "link"
    real.parent.mkdir()
    real.write_text("old")
    real.chmod(0o750)
    link.symlink_to("real/a")
    assert (await ask.post(f"{WRITE}{link}", b"new"))[0] == 200
    assert link.is_symlink()
    assert (real.read_text(), real.stat().st_mode & 0o7777) == ("new", 0o750)


async def test_what_a_link_points_at_is_made(ask: Asking, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("target")
    assert (await ask.post(f"{WRITE}{tmp_path}/link", b"new"))[0] == 200
    assert (tmp_path / "target").read_text() == "new"


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("x", 400, "file path must be absolute"),
        ("/dev/null", 400, "not a regular file"),
        ("/tmp", 400, "open /tmp: not a file"),
        ("/etc/passwd/x", 400, "not a directory"),
        ("/proc/nothing", 404, "no such file or directory"),
        (f"/tmp/{'x' * 300}", 400, "file name too long"),
    ],
)
async def test_what_cannot_be_written(ask: Asking, path: str, status: int, words: str) -> None:
    answered, answer = await ask.post(WRITE + path, b"x")
    assert answered == status
    assert words in answer["message"]


async def test_a_pipe_is_refused_without_waiting(ask: Asking, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    assert (await ask.post(f"{WRITE}{tmp_path}/fifo", b"x"))[0] == 400


async def test_what_may_not_be_written_is_forbidden(humble: Path) -> None:
    ask = asking_of(humble)
    path, directory = humble / "a", humble / "directory"
    path.write_text("old")
    path.chmod(0o400)
    directory.mkdir(0o500)
    edit = {"files": [{"path": str(path), "edits": [{"search": "old", "replace": "new"}]}]}
    assert (await ask.post(f"{WRITE}{path}", b"new"))[0] == 403
    assert (await ask.post("/api/v0/edit-files", edit))[0] == 403
    assert (await ask.post(f"{WRITE}{directory}/b", b"new"))[0] == 403
    assert (path.read_text(), names(humble)) == ("old", ["a", "directory"])


async def test_too_much_leaves_the_file_as_it_was(
    ask: Asking, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(routes, "LARGEST_WRITTEN", 5000)
    path = tmp_path / "a"
    path.write_text("old")
    assert (await ask.post(f"{WRITE}{path}", b"x" * 6000))[0] == 413
    assert path.read_text() == "old"
    await until(lambda: names(tmp_path) == ["a"])


async def test_a_client_that_goes_away_leaves_the_file_as_it_was(
    ask: Asking, tmp_path: Path
) -> None:
    path = tmp_path / "a"
    path.write_text("old")
    sent = asyncio.Event()

    async def half() -> AsyncIterator[bytes]:
        yield b"half"
        sent.set()
        await asyncio.Event().wait()

    request = Request("POST", "/api/v0/write-file", {"path": str(path)}, {}, half())
    writing = asyncio.ensure_future(ask.table(request))
    async with asyncio.timeout(20):
        await sent.wait()
    assert len(names(tmp_path)) == 2
    writing.cancel()
    await until(lambda: names(tmp_path) == ["a"])
    assert path.read_text() == "old"
