"""Edits of several files: all of them or none, and one after the other."""

import asyncio
import os
from pathlib import Path
from typing import Any

import pytest

from agent.files import editing
from agent.files.writing import Draft
from agent.network.http import Refusal
from tests.agent.asking import Asking

EDIT = "/api/v0/edit-files"
NONE: list[object] = []


def file(path: Path | str, *edits: tuple[str, str], **more: bool) -> dict[str, Any]:
    pairs = [{"search": search, "replace": replace, **more} for search, replace in edits]
    return {"path": str(path), "edits": pairs}


@pytest.fixture
def paths(tmp_path: Path) -> tuple[Path, Path]:
    """Two files."""
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_text("alpha\nbeta\n")
    two.write_text("gamma\ndelta\n")
    return one, two


async def test_all_files_are_edited(ask: Asking, paths: tuple[Path, Path]) -> None:
    one, two = paths
    body = {"files": [file(one, ("alpha", "a"), ("beta", "b")), file(f" {two} ", ("gamma", "g"))]}
    assert await ask.post(EDIT, body) == (200, {"message": "Successfully edited file(s)"})
    assert (one.read_text(), two.read_text()) == ("a\nb\n", "g\ndelta\n")
    assert sorted(path.name for path in one.parent.iterdir()) == ["one", "two"]


async def test_one_file_that_cannot_be_edited_leaves_all_as_they_were(
    ask: Asking, paths: tuple[Path, Path], tmp_path: Path
) -> None:
    one, two = paths
    gone = tmp_path / "gone"
    body = {"files": [file(one, ("alpha", "a")), file(two, ("x", "y")), file(gone, ("x", "y"))]}
    status, answer = await ask.post(EDIT, body)
    assert status == 404  # The highest.
    first, second = answer["message"].split("\n")
    assert first.startswith(f"{two}: search string not found in file")
    assert second == f"open {gone}: no such file or directory"
    assert (one.read_text(), two.read_text()) == ("alpha\nbeta\n", "gamma\ndelta\n")


async def test_a_file_that_cannot_be_put_brings_the_others_back(
    ask: Asking, paths: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = paths
    put = Draft.put

    def full(draft: Draft) -> None:
        if draft.path == str(two):
            raise Refusal(507, f"{two}: no space left on device")
        put(draft)

    monkeypatch.setattr(Draft, "put", full)
    body = {"files": [file(one, ("alpha", "a")), file(two, ("gamma", "g"))]}
    assert (await ask.post(EDIT, body))[0] == 507
    assert (one.read_text(), two.read_text()) == ("alpha\nbeta\n", "gamma\ndelta\n")
    assert sorted(path.name for path in one.parent.iterdir()) == ["one", "two"]


async def test_a_file_that_changes_meanwhile_is_left(
    ask: Asking, paths: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, _ = paths
    write = Draft.write

    def slow(draft: Draft, content: bytes) -> None:
        one.write_text("an editor was faster\n")
        write(draft, content)

    monkeypatch.setattr(Draft, "write", slow)
    status, answer = await ask.post(EDIT, {"files": [file(one, ("alpha", "a"))]})
    assert (status, answer["message"]) == (409, f"{one} has changed meanwhile; read it again")
    assert one.read_text() == "an editor was faster\n"


async def test_mode_and_link_stay(ask: Asking, paths: tuple[Path, Path], tmp_path: Path) -> None:
    one, _ = paths
    one.chmod(0o755)
    link = tmp_path / "link"
    link.symlink_to(one)
    assert (await ask.post(EDIT, {"files": [file(link, ("alpha", "a"))]}))[0] == 200
    assert link.is_symlink()
    assert (one.read_text(), one.stat().st_mode & 0o777) == ("a\nbeta\n", 0o755)


async def test_what_is_no_text_stays_as_it_is(ask: Asking, tmp_path: Path) -> None:
    path = tmp_path / "latin"
    path.write_bytes(b"caf\xe9 \xc3\xa9 x\r\n\0")
    assert (await ask.post(EDIT, {"files": [file(path, ("x", "y"))]}))[0] == 200
    assert path.read_bytes() == b"caf\xe9 \xc3\xa9 y\r\n\0"


async def test_an_ambiguous_edit_is_refused_and_replace_all_is_not(
    ask: Asking, tmp_path: Path
) -> None:
    path = tmp_path / "a"
    path.write_text("x\nx\n")
    status, answer = await ask.post(EDIT, {"files": [file(path, ("x", "y"))]})
    assert status == 400
    assert answer["message"].startswith(f"{path}: search string matches 2 places")
    assert (await ask.post(EDIT, {"files": [file(path, ("x", "y"), replace_all=True)]}))[0] == 200
    assert path.read_text() == "y\ny\n"


async def test_diffs_are_told_to_whoever_asks(ask: Asking, paths: tuple[Path, Path]) -> None:
    one, _ = paths
    body = {"files": [file(one, ("alpha", "a"))], "include_diff": True}
    _, answer = await ask.post(EDIT, body)
    diff = f"--- {one}\n+++ {one}\n@@ -1,2 +1,2 @@\n-alpha\n+a\n beta\n"
    assert answer["files"] == [{"path": str(one), "diff": diff}]


@pytest.mark.parametrize(
    ("files", "words"),
    [
        (NONE, "must specify at least one file"),
        ([{"path": "/a", "edits": NONE}], "/a: must specify at least one edit"),
        ([{"path": "/a"}], "/a: must specify at least one edit"),
        ([file("/a", ("a", "b")), file("  ", ("a", "b"))], "files[1].path is required"),
        ([file("a", ("a", "b"))], 'file path must be absolute: "a"'),
        ([file("/tmp/../tmp/a", ("a", "b")), file("/tmp/a ", ("a", "b"))], "/tmp/a is there twice"),
        ([file("/tmp", ("a", "b"))], "open /tmp: not a file"),
        ([file("/dev/zero", ("a", "b"))], "not a regular file"),
        ([file("/a", ("a", "b"))] * 101, "100 files and 1000 edits are the most"),
        ([{"path": "/a", "edits": [{"search": "a"}]}], "Request body must be valid."),
    ],
)
async def test_what_is_refused(ask: Asking, files: object, words: str) -> None:
    status, answer = await ask.post(EDIT, {"files": files})
    assert status == 400
    assert words in answer["message"]


async def test_a_file_that_is_too_large_is_refused(
    ask: Asking, paths: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(editing, "LARGEST_EDITED", 11)
    one, two = paths
    assert (await ask.post(EDIT, {"files": [file(two, ("gamma", "g"))]}))[0] == 413
    assert (await ask.post(EDIT, {"files": [file(one, ("alpha", "longer"))]}))[0] == 413
    assert (await ask.post(EDIT, {"files": [file(one, ("alpha", "a"))]}))[0] == 200


async def test_edits_of_one_file_follow_each_other(ask: Asking, tmp_path: Path) -> None:
    path = tmp_path / "numbers"
    path.write_text("".join(f"<{number}>\n" for number in range(40)))
    (tmp_path / "link").symlink_to(path)
    bodies = [
        {"files": [file(tmp_path / ("link" if number % 2 else "numbers"), (f"<{number}>", "x"))]}
        for number in range(40)
    ]
    answers = await asyncio.gather(*(ask.post(EDIT, body) for body in bodies))
    assert {status for status, _ in answers} == {200}
    assert path.read_text() == "x\n" * 40


async def test_two_edits_of_two_files_do_not_wait_for_each_other_for_ever(
    ask: Asking, paths: tuple[Path, Path]
) -> None:
    one, two = paths
    there = {"files": [file(one, ("alpha", "a")), file(two, ("gamma", "g"))]}
    back = {"files": [file(two, ("delta", "d")), file(one, ("beta", "b"))]}
    async with asyncio.timeout(20):
        answers = await asyncio.gather(ask.post(EDIT, there), ask.post(EDIT, back))
    assert [status for status, _ in answers] == [200, 200]
    assert (one.read_text(), two.read_text()) == ("a\nb\n", "g\nd\n")


async def test_half_a_character_is_not_written(ask: Asking, paths: tuple[Path, Path]) -> None:
    one, _ = paths
    body = {"files": [file(one, ("alpha", "\ud800"))]}
    assert (await ask.post(EDIT, body))[0] == 400
    assert one.read_text() == "alpha\nbeta\n"


async def test_a_hard_link_is_a_file_like_others(ask: Asking, paths: tuple[Path, Path]) -> None:
    one, _ = paths
    os.link(one, one.parent / "hard")
    assert (await ask.post(EDIT, {"files": [file(one, ("alpha", "a"))]}))[0] == 200
    assert one.read_text() == "a\nbeta\n"
