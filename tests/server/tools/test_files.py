"""Files of a workspace: at an agent's real rooms."""

import json

import pytest

from server.tools import plan_path_under
from server.tools.files.attaching import shortened
from server.tools.files.sniffing import media_type
from server.tools.sentences import ToolError
from tests.server.tools.scene import Scene, Turn

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 16


@pytest.fixture
async def turn(scene: Scene) -> Turn:
    """A turn of a chat whose workspace runs."""
    return await scene.working()


async def test_write_read_edit(turn: Turn, scene: Scene) -> None:
    path = f"{scene.home}/new/é.txt"
    assert await turn.done("write_file", path=f" {path} ", content="one\ntwo\n") == {"ok": True}
    read = await turn.done("read_file", path=path)
    assert read == {
        "content": "1\tone\n2\ttwo",
        "file_size": 8,
        "total_lines": 2,
        "lines_read": 2,
    }
    part = await turn.done("read_file", path="~/new/é.txt", offset=2, limit=1)
    assert part["content"] == "2\ttwo"
    assert (await turn.done("read_file", path=path, offset=0, limit=0))["lines_read"] == 2
    edited = await turn.done(
        "edit_files", files=[{"path": path, "edits": [{"old_text": "two", "new_text": "2"}]}]
    )
    assert edited["ok"] is True
    [one] = edited["files"]
    assert one["path"] == path
    assert "-two\n+2\n" in one["diff"]
    assert (scene.home / "new" / "é.txt").read_text() == "one\n2\n"


async def test_a_directory_is_listed(turn: Turn, scene: Scene) -> None:
    (scene.home / "b").mkdir()
    (scene.home / "a.txt").write_text("")
    told = await turn.done("read_file", path=str(scene.home))
    assert told["content"] == "b/\na.txt"
    assert told["entries"] == 2
    words = await turn.refused("read_file", path="/no/such/file")
    assert "no such file" in words
    assert "must be absolute" in await turn.refused("read_file", path="relative")
    assert await turn.refused("read_file", path=" ") == "path is required"


async def test_both_eras_of_edits_are_understood(turn: Turn, scene: Scene) -> None:
    (scene.home / "a").write_text("x x")
    (scene.home / "b").write_text("y")
    old = {"path": "~/a", "edits": [{"search": "x", "replace": "z", "replace_all": True}]}
    new = {"path": "~/b", "edits": json.dumps([{"old_text": "y", "new_text": "w"}])}
    await turn.done("edit_files", files=json.dumps([old, new]))
    assert (scene.home / "a").read_text() == "z z"
    assert (scene.home / "b").read_text() == "w"


async def test_all_or_none(turn: Turn, scene: Scene) -> None:
    a, b = scene.home / "a", scene.home / "b"
    a.write_text("x")
    b.write_text("y y")
    one = {"path": str(a), "edits": [{"old_text": "x", "new_text": "z"}]}
    twice = {"path": str(b), "edits": [{"old_text": "y", "new_text": "z"}]}
    words = await turn.refused("edit_files", files=[one, twice])
    assert str(b) in words
    assert "matches 2 places" in words
    missing = {"path": str(b), "edits": [{"old_text": "q", "new_text": "z"}]}
    words = await turn.refused("edit_files", files=[one, missing])
    assert str(b) in words
    assert "not found" in words
    assert (a.read_text(), b.read_text()) == ("x", "y y")


async def test_wrong_edits_name_their_place(turn: Turn, scene: Scene) -> None:
    edits = [{"old_text": "a", "new_text": "b"}]
    path = f"{scene.home}/a"
    blank = [{"path": path, "edits": edits}, {"path": " ", "edits": edits}]
    assert await turn.refused("edit_files", files=blank) == "files[1].path is required"
    twice = [{"path": path, "edits": edits}, {"path": f"{path} ", "edits": edits}]
    assert "files[1].path" in await turn.refused("edit_files", files=twice)
    assert "files[0].edits must not be empty" in await turn.refused(
        "edit_files", files=[{"path": path, "edits": []}]
    )
    lacking = [{"path": path, "edits": [{"old_text": "a"}]}]
    assert await turn.refused("edit_files", files=lacking) == (
        "files[0].edits[0].new_text is required"
    )
    assert "files: " in await turn.refused("edit_files", files="nonsense")


async def test_plan_mode_writes_the_plan_only(scene: Scene) -> None:
    turn = await scene.working(planning=True)
    plan = plan_path_under(str(scene.home), turn.link.facts.id)
    assert plan == f"{scene.home}/.coder/plans/PLAN-{turn.link.facts.id}.md"
    words = await turn.refused("write_file", path=f"{scene.home}/a", content="x")
    assert plan in words
    detour = plan.replace("/plans/", "/plans/../plans/")
    assert plan in await turn.refused("write_file", path=detour, content="x")
    edit = [{"path": f"{scene.home}/a", "edits": [{"old_text": "a", "new_text": "b"}]}]
    assert plan in await turn.refused("edit_files", files=edit)
    await turn.done("write_file", path=plan, content="# Plan\n")
    edit = [{"path": plan, "edits": [{"old_text": "Plan", "new_text": "The plan"}]}]
    await turn.done("edit_files", files=edit)
    name = plan.rpartition("/")[2]
    assert (scene.home / ".coder" / "plans" / name).read_text() == "# The plan\n"


async def test_the_shared_plan_of_old_is_refused(turn: Turn, scene: Scene) -> None:
    words = await turn.refused("write_file", path="~/PLAN.md", content="x")
    assert "shared by all chats" in words
    assert str(turn.link.facts.id) in words
    await turn.done("write_file", path=f"{scene.home}/repo/PLAN.md", content="mine")


async def test_a_plan_is_proposed(scene: Scene) -> None:
    turn = await scene.working(planning=True)
    plan = plan_path_under(str(scene.home), turn.link.facts.id)
    assert "no such file" in await turn.refused("propose_plan", path=plan)
    assert plan in await turn.refused("propose_plan", path=f"{scene.home}/other.md")
    await turn.done("write_file", path=plan, content=" \n")
    assert "empty" in await turn.refused("propose_plan", path=plan)
    await turn.done("write_file", path=plan, content="x" * 32769)
    assert "32768" in await turn.refused("propose_plan", path=plan)
    assert turn.port.files == []
    await turn.done("write_file", path=plan, content="# Plan ü\n")
    result = await turn.call("propose_plan", path=plan)
    assert result.ends_turn
    assert isinstance(result.value, dict)
    assert {key: result.value[key] for key in ("ok", "path", "kind", "media_type")} == {
        "ok": True,
        "path": plan,
        "kind": "plan",
        "media_type": "text/markdown",
    }
    assert turn.port.files == [(plan.rpartition("/")[2], "text/markdown", "# Plan ü\n".encode())]


async def test_a_file_is_attached(turn: Turn, scene: Scene) -> None:
    (scene.home / "スクリーンショット.png").write_bytes(PNG)
    told = await turn.done("attach_file", path="~/スクリーンショット.png")
    assert (told["name"], told["media_type"], told["size"]) == (
        "スクリーンショット.png",
        "image/png",
        len(PNG),
    )
    await turn.done("attach_file", path="~/スクリーンショット.png", name="../../etc/a.png")
    assert turn.port.files[-1][0] == "a.png"
    (scene.home / "big").write_bytes(b"x" * (10 * 1024 * 1024))
    await turn.done("attach_file", path=f"{scene.home}/big")
    assert turn.port.files[-1][2] == b"x" * (10 * 1024 * 1024)
    (scene.home / "big").write_bytes(b"x" * (10 * 1024 * 1024 + 1))
    assert "10485760" in await turn.refused("attach_file", path=f"{scene.home}/big")
    (scene.home / "empty").touch()
    assert "empty" in await turn.refused("attach_file", path=f"{scene.home}/empty")
    assert "cannot be attached" in await turn.refused("attach_file", path="/bin/sh")


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("a.txt", PNG, "image/png"),
        ("a", b"GIF89a..", "image/gif"),
        ("a", b"RIFF....WEBPVP8 ", "image/webp"),
        ("a.json", b"{}", "application/json"),
        ("a.MD", b"# hi", "text/markdown"),
        ("a.py", "é".encode(), "text/plain"),
        ("a.svg", b"<svg/>", None),
        ("a.html", b"<script>", None),
        ("a.png", b"\xff\xfe", None),
        ("a.txt", b"a\0b", None),
    ],
)
def test_what_a_file_is(name: str, content: bytes, kind: str | None) -> None:
    if kind is None:
        with pytest.raises(ToolError):
            media_type(name, content)
    else:
        assert media_type(name, content) == kind


def test_long_names_keep_their_end() -> None:
    name = shortened("é" * 200 + ".png")
    assert len(name.encode()) <= 255
    assert name.endswith("é.png")
