"""What is told of real repositories: all that the work tree has beyond HEAD, and nothing run."""

import asyncio
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from agent.git import Git
from agent.git.command import GitFailed, GitMissing, TooMuch
from agent.git.repository import Gone, candidates, find, look
from agent.kit.child import Children
from coder_cli.kit.clock import SystemClock
from tests.agent.git.conftest import Make, Repo
from tests.agent.waiting import until
from tests.support.clock import FakeClock


def content_of(root: Path) -> dict[str, tuple[bytes, int]]:
    return {
        os.fsdecode(os.path.relpath(os.fsencode(path), os.fsencode(root))): (
            bytes(path.readlink()) if path.is_symlink() else path.read_bytes(),
            path.lstat().st_mode,
        )
        for path in root.rglob("*")
        if ".git" not in path.parts and (path.is_symlink() or path.is_file())
    }


async def test_a_changed_file_is_in_the_diff_with_branch_and_origin(
    make: Make, command: Git
) -> None:
    repo = make()
    repo.git("remote", "add", "origin", "git@example.com:a/b.git")
    repo.write("a.txt", "one\n2\nthree\n")
    seen = await look(command, str(repo.root))
    assert (seen.branch, seen.remote_origin) == ("main", "git@example.com:a/b.git")
    assert (seen.repo_root, seen.removed) == (str(repo.root), False)
    assert seen.unified_diff.startswith("diff --git a/a.txt b/a.txt\nindex ")
    assert (
        "\n--- a/a.txt\n+++ b/a.txt\n@@ -1,3 +1,3 @@\n one\n-two\n+2\n three\n" in seen.unified_diff
    )


async def test_an_unchanged_repository_has_no_diff(make: Make, command: Git) -> None:
    repo = make()
    os.utime(repo.root / "a.txt", (1, 1))
    assert (await look(command, str(repo.root))).unified_diff == ""


NAMES = [
    "plain",
    "with blank",
    "tab\there",
    "line\nfeed",
    'quo"te',
    "back\\slash",
    "grün/äö.txt",
    " b/ b/ x",
    "-dash",
    ":(glob)*",
    "odd\udcff",
]


async def test_the_diff_turns_head_into_the_work_tree_whatever_names_say(
    make: Make, command: Git
) -> None:
    repo = make()
    for name in NAMES:
        repo.write(f"old/{name}", f"old {NAMES.index(name)}\n")
    repo.write("gone", "x\n")
    repo.commit("two")
    repo.git("clone", "-q", str(repo.root), str(repo.root) + "-clone")
    for name in NAMES:
        repo.write(f"old/{name}", f"new {NAMES.index(name)}")
        repo.write(f"new/{name}", "a\nb\n")
        repo.write(f"staged/{name}", "a\nb\n")
    repo.git("add", "staged")
    (repo.root / "gone").unlink()
    repo.write("empty", "")
    repo.write("run", "#!/bin/sh\n").chmod(0o755)
    (repo.root / "link").symlink_to("a.txt")
    (repo.root / "old/plain").chmod(0o755)
    seen = await look(command, str(repo.root))
    clone = Repo(Path(str(repo.root) + "-clone"), repo.env)
    # What is no UTF-8 is shown with a mark, and cannot be applied.
    parts = ("\n" + seen.unified_diff).split("\ndiff --git ")
    text = "".join(f"diff --git {part}\n" for part in parts[1:] if "\ufffd" not in part)
    clone.git("apply", "--whitespace=nowarn", "-", stdin=text.encode())
    for place in ("old", "new", "staged"):
        (repo.root / place / "odd\udcff").unlink()
    (clone.root / "old" / "odd\udcff").unlink()
    assert content_of(clone.root) == content_of(repo.root)


async def test_the_index_is_left_alone(make: Make, command: Git) -> None:
    repo = make()
    repo.write("new", "x\n")
    os.utime(repo.root / "a.txt", (1, 1))
    before = (repo.root / ".git/index").read_bytes()
    (repo.root / ".git/index.lock").touch()
    assert "+++ b/new" in (await look(command, str(repo.root))).unified_diff
    assert (repo.root / ".git/index").read_bytes() == before


async def test_ignored_files_stay_out(make: Make, command: Git) -> None:
    repo = make()
    repo.write(".gitignore", "*.log\n")
    repo.write("x.log", "secret\n")
    diff = (await look(command, str(repo.root))).unified_diff
    assert "+*.log" in diff
    assert "secret" not in diff


async def test_an_empty_repository_shows_its_first_files(make: Make, command: Git) -> None:
    for words in ((), ("--object-format=sha256",)):
        repo = make(f"repo{len(words)}", *words, empty=True)
        repo.write("staged", "s\n")
        repo.git("add", "staged")
        repo.write("new", "n\n")
        seen = await look(command, str(repo.root))
        assert seen.branch == "main"
        assert "+++ b/staged\n@@ -0,0 +1 @@\n+s\n" in seen.unified_diff
        assert "+++ b/new\n@@ -0,0 +1 @@\n+n\n" in seen.unified_diff


async def test_a_detached_head_has_no_branch(make: Make, command: Git) -> None:
    repo = make()
    repo.git("checkout", "-q", "--detach")
    seen = await look(command, str(repo.root))
    assert (seen.branch, seen.unified_diff) == ("", "")


async def test_binary_files_are_named_only(make: Make, command: Git) -> None:
    repo = make()
    repo.write("old.bin", b"\0\1")
    repo.commit("two")
    repo.write("old.bin", b"\0\2")
    repo.write("new.bin", b"\0\3")
    diff = (await look(command, str(repo.root))).unified_diff
    assert "Binary files a/old.bin and b/old.bin differ\n" in diff
    assert "Binary files /dev/null and b/new.bin differ\n" in diff


async def test_the_three_limits_are_told_in_their_words(make: Make, command: Git) -> None:
    repo = make()
    for name in ("tracked big", "tracked diff"):
        repo.write(name, "x\n")
    repo.commit("two")
    for name in ("tracked big", "new big"):
        repo.write(name, b"line\n" * 500_000)
    for name in ("tracked diff", "new diff"):
        repo.write(name, b"line\n" * 60_000)
    diff = (await look(command, str(repo.root))).unified_diff
    assert diff.count("+File too large to diff. Current size: 2.4 MiB\n") == 2
    assert diff.count("+File diff too large to show. Diff size: 352 KiB\n") == 2
    assert "+++ b/tracked big\t\n" in diff
    assert len(diff) < 2000
    for number in range(20):
        repo.write(f"part {number}", b"x" * 200_000)
    seen = await look(command, str(repo.root))
    assert seen.unified_diff == (
        "Total diff too large to show. Size: 3.8 MiB. Showing branch and remote only."
    )
    assert seen.branch == "main"


async def test_a_forest_of_new_files_is_counted_and_not_read(make: Make, command: Git) -> None:
    repo = make()
    deep = f"{'deep/' * 40}{'long' * 50}"
    for number in range(1800):
        repo.write(f"{deep}/{number}", "x")
        repo.write(f"{deep}/{'n' * 200}{number}", "x")
    seen = await look(command, str(repo.root))
    assert seen.unified_diff.startswith("Total diff too large to show. Size: 3.")


async def test_a_git_that_never_ends_is_ended(make: Make, env: dict[str, str]) -> None:
    repo = make()
    program = repo.root.parent / "git"
    program.write_text("#!/bin/sh\nexec sleep 600\n")
    program.chmod(0o755)
    clock, children = FakeClock(), Children(SystemClock())
    command = Git(lambda: {"PATH": f"{program.parent}:{env['PATH']}"}, children, clock)
    looking = asyncio.ensure_future(look(command, str(repo.root)))
    async with asyncio.timeout(20):
        await clock.wake_within(30)
        with pytest.raises(GitFailed, match="did not end within 30s"):
            await looking
    await until(lambda: not children.pids)


async def test_a_git_that_prints_without_end_fills_no_memory(
    make: Make, env: dict[str, str]
) -> None:
    repo = make()
    program = repo.root.parent / "git"
    program.write_text("#!/bin/sh\nexec head -c 100000000 /dev/zero\n")
    program.chmod(0o755)
    clock = SystemClock()
    command = Git(lambda: {"PATH": f"{program.parent}:{env['PATH']}"}, Children(clock), clock)
    with pytest.raises(TooMuch, match="100000000 bytes"):
        await command.words(str(repo.root), ("config",))


async def test_a_worktree_is_a_repository_until_its_target_is_gone(
    make: Make, command: Git
) -> None:
    repo = make()
    tree = repo.root.parent / "tree"
    repo.git("worktree", "add", "-q", "-b", "side", str(tree))
    (tree / "a.txt").write_text("changed\n")
    assert await find(command, str(tree)) == str(tree)
    seen = await look(command, str(tree))
    assert seen.branch == "side"
    assert "+changed" in seen.unified_diff
    shutil.rmtree(repo.root)
    with pytest.raises(Gone):
        await look(command, str(tree))


@pytest.mark.parametrize("what", ["", ".git"])
async def test_a_repository_is_gone_without_its_root_or_its_git(
    make: Make, command: Git, what: str
) -> None:
    repo = make()
    shutil.rmtree(repo.root / what)
    with pytest.raises(Gone):
        await look(command, str(repo.root))


async def test_a_submodule_shows_as_its_commit_and_is_a_repository_itself(
    make: Make, command: Git
) -> None:
    inner, outer = make("inner"), make("outer")
    outer.git("submodule", "--quiet", "add", str(inner.root), "sub")
    outer.commit("two")
    sub = Repo(outer.root / "sub", outer.env)
    sub.write("a.txt", "changed\n")
    assert (await look(command, str(outer.root))).unified_diff == ""
    assert await find(command, str(sub.root)) == str(sub.root)
    assert "+changed" in (await look(command, str(sub.root))).unified_diff
    sub.commit("three")
    assert "+Subproject commit " in (await look(command, str(outer.root))).unified_diff


async def test_a_repository_inside_another_is_not_shown_as_its_files(
    make: Make, command: Git
) -> None:
    repo = make()
    make("repo/inner")
    assert (await look(command, str(repo.root))).unified_diff == ""


async def test_what_logs_in_is_not_told(make: Make, command: Git) -> None:
    repo = make()
    repo.git("remote", "add", "origin", "https://me:s3cret@example.com/a/b.git")
    assert (await look(command, str(repo.root))).remote_origin == "https://example.com/a/b.git"


async def test_a_hostile_configuration_runs_nothing(make: Make, command: Git) -> None:
    repo = make()
    mark = repo.root.parent / "ran"
    tool = repo.root.parent / "tool"
    tool.write_text(f"#!/bin/sh\necho $0 $* >> {mark}\ncat\n")
    tool.chmod(0o755)
    sub = make("inner")
    repo.git("submodule", "--quiet", "add", str(sub.root), "sub")
    repo.write(".gitattributes", "*.txt filter=f diff=d\n*.pdf filter=g\n")
    repo.commit("two")
    hooks = repo.root.parent / "hooks"
    hooks.mkdir()
    for name in ("post-index-change", "fsmonitor-watchman"):
        shutil.copy(tool, hooks / name)
    for key in (
        "filter.f.clean",
        "filter.f.smudge",
        "filter.g.process",
        'filter.f="x.clean',
        "diff.d.textconv",
        "diff.d.command",
        "diff.external",
        "core.fsmonitor",
        "core.pager",
        "core.sshCommand",
        "core.alternateRefsCommand",
        "remote.origin.uploadpack",
    ):
        repo.git("config", key, str(tool))
        Repo(repo.root / "sub", repo.env).git("config", key, str(tool))
    repo.git("config", "core.hooksPath", str(hooks))
    repo.git("config", "filter.f.required", "true")
    repo.git("config", "remote.origin.url", f"ext::{tool} %S")
    repo.git("config", "remote.origin.promisor", "true")
    repo.git("config", "protocol.ext.allow", "always")
    repo.git("config", "diff.submodule", "diff")
    mark.unlink(missing_ok=True)
    repo.write("a.txt", "changed\n")
    repo.write("new.txt", "new\n")
    repo.write("x.pdf", "new\n")
    Repo(repo.root / "sub", repo.env).write("a.txt", "changed\n")
    assert await find(command, str(repo.root)) == str(repo.root)
    diff = (await look(command, str(repo.root))).unified_diff
    assert "+changed\n" in diff
    assert "+new\n" in diff
    # The same without precautions runs something: the trap is a real one.
    assert not mark.exists(), mark.read_text()
    repo.git("diff", "HEAD")
    assert mark.exists()
    mark.unlink()
    # A blob that is not there would be fetched.
    blob = repo.git("rev-parse", "HEAD:a.txt").strip()
    (repo.root / ".git/objects" / blob[:2] / blob[2:]).unlink()
    with pytest.raises(GitFailed, match="git diff ended with"):
        await look(command, str(repo.root))
    assert not mark.exists(), mark.read_text()


async def test_filters_of_the_users_own_are_their_wish(make: Make, command: Git) -> None:
    repo = make()
    repo.write(".gitattributes", "*.txt filter=upper\n")
    repo.commit("two")
    repo.git("config", "--global", "filter.upper.clean", "tr a-z A-Z")
    repo.git("config", "filter.upper.clean", "echo hijacked")
    repo.write("a.txt", "new\n")
    assert "+NEW\n" in (await look(command, str(repo.root))).unified_diff


async def test_a_work_tree_elsewhere_is_not_believed(make: Make, command: Git) -> None:
    repo = make()
    other = repo.root.parent / "elsewhere"
    other.mkdir()
    repo.git("config", "core.worktree", str(other))
    assert await find(command, str(repo.root)) is None


async def test_paths_lead_to_the_nearest_repository(make: Make, tmp_path: Path) -> None:
    repo, inner = make(), make("repo/inner")
    plain = tmp_path / "plain"
    paths = [
        repo.root / "no/such/file",
        inner.root / "a.txt",
        repo.root / "a.txt",
        plain,
        Path("/"),
    ]
    assert candidates(map(str, paths)) == [str(repo.root), str(inner.root)]


async def test_without_git_it_is_said(tmp_path: Path) -> None:
    clock = SystemClock()
    command = Git(lambda: {"PATH": str(tmp_path)}, Children(clock), clock)
    with pytest.raises(GitMissing, match="git is not installed"):
        await find(command, str(tmp_path))


async def test_merge_conflicts_are_shown(make: Make, command: Git) -> None:
    repo = make()
    repo.git("checkout", "-q", "-b", "side")
    repo.write("a.txt", "side\n")
    repo.commit("side")
    repo.git("checkout", "-q", "main")
    repo.write("a.txt", "main\n")
    repo.commit("main")
    with pytest.raises(subprocess.CalledProcessError):
        repo.git("merge", "side")
    diff = (await look(command, str(repo.root))).unified_diff
    assert "<<<<<<<" in diff
    assert "Unmerged" not in diff
