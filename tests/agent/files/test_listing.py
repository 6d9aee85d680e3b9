"""Directories, and where paths lead."""

import os
from pathlib import Path

import pytest

from agent.files import listing
from tests.agent.asking import Asking

LIST = "/api/v0/list-directory"
RESOLVE = "/api/v0/resolve-path?path="


async def test_a_directory_is_listed_from_home_and_from_the_root(
    ask: Asking, tmp_path: Path
) -> None:
    work = tmp_path / "work"
    work.mkdir()
    (work / "b").write_text("")
    (work / "a").mkdir()
    (work / "link").symlink_to("a")
    (work / "broken").symlink_to("nowhere")
    expected = {
        "absolute_path": list(work.parts[1:]),
        "absolute_path_string": str(work),
        "contents": [
            {"name": name, "absolute_path_string": f"{work}/{name}", "is_dir": is_dir}
            for name, is_dir in (("a", True), ("b", False), ("broken", False), ("link", True))
        ],
        "truncated": False,
    }
    assert await ask.post(LIST, {"path": ["work"], "relativity": "home"}) == (200, expected)
    body = {"path": list(work.parts[1:]), "relativity": "root"}
    assert await ask.post(LIST, body) == (200, expected)


async def test_without_a_path_it_is_home_or_the_root(ask: Asking, tmp_path: Path) -> None:
    _, home = await ask.post(LIST, {"path": [], "relativity": "home"})
    assert home["absolute_path_string"] == str(tmp_path)
    _, root = await ask.post(LIST, {"path": [], "relativity": "root"})
    assert (root["absolute_path"], root["absolute_path_string"]) == ([], "/")


@pytest.mark.parametrize(
    ("path", "relativity", "status"),
    [
        (["nowhere"], "home", 404),
        (["file"], "home", 400),
        ([".."], "home", 400),
        (["a/../../.."], "home", 400),
        (["..", "etc"], "root", 400),
        (["a\0"], "home", 400),
        ([], "moon", 400),
        ("home", "root", 400),
    ],
)
async def test_what_is_no_directory_is_refused(
    ask: Asking, tmp_path: Path, path: object, relativity: str, status: int
) -> None:
    (tmp_path / "file").touch()
    assert (await ask.post(LIST, {"path": path, "relativity": relativity}))[0] == status


async def test_names_that_are_no_text_are_told_as_far_as_they_are(
    ask: Asking, tmp_path: Path
) -> None:
    (tmp_path / os.fsdecode(b"\xff")).touch()
    _, answer = await ask.post(LIST, {"relativity": "home"})
    assert [entry["name"] for entry in answer["contents"]] == ["\N{REPLACEMENT CHARACTER}"]


async def test_a_large_directory_is_cut(
    ask: Asking, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "MOST_ENTRIES", 3)
    for number in range(5):
        (tmp_path / str(number)).touch()
    _, answer = await ask.post(LIST, {"relativity": "home"})
    assert (len(answer["contents"]), answer["truncated"]) == (3, True)


async def test_paths_are_resolved(ask: Asking, tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    (tmp_path / "loop").symlink_to("loop")
    assert await ask.get(f"{RESOLVE}{tmp_path}/link/../link/new.md") == (
        200,
        {"resolved_path": f"{tmp_path}/real/new.md"},
    )
    assert (await ask.get(f"{RESOLVE}{tmp_path}/loop"))[0] == 400
    assert (await ask.get(f"{RESOLVE}loop"))[0] == 400
