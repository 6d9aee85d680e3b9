"""File transfer by the stock clients, and the policy that forbids it."""

import os
import shutil
from pathlib import Path

import pytest

from agent.ssh.files import is_transfer
from tests.agent.conftest import Start
from tests.agent.control_plane import ControlPlane
from tests.agent.ssh.conftest import Clients, connect

DATA = os.urandom(3 << 20)


@pytest.mark.parametrize("flags", [[], ["-O"]], ids=["sftp", "old"])
async def test_scp_copies_both_ways(clients: Clients, tmp_path: Path, flags: list[str]) -> None:
    source, back = tmp_path / "source", tmp_path / "back"
    source.write_bytes(DATA)
    there = await clients.run("scp", *flags, str(source), "127.0.0.1:copy")
    assert (there.code, there.err) == (0, "")
    assert (clients.home / "copy").read_bytes() == DATA
    here = await clients.run("scp", *flags, "127.0.0.1:copy", str(back))
    assert (here.code, back.read_bytes() == DATA) == (0, True)


async def test_scp_of_a_directory_keeps_modes(clients: Clients, tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    (tree / "sub").mkdir(parents=True)
    (tree / "sub" / "run.sh").write_text("#!/bin/sh\n")
    (tree / "sub" / "run.sh").chmod(0o750)
    ended = await clients.run("scp", "-rp", str(tree), "127.0.0.1:")
    assert ended.code == 0
    assert (clients.home / "tree" / "sub" / "run.sh").stat().st_mode & 0o777 == 0o750


async def test_sftp_begins_at_home(clients: Clients) -> None:
    (clients.home / "here.txt").write_text("x")
    batch = b"pwd\nls\nmkdir dir\nrename here.txt dir/there.txt\nsymlink there.txt dir/link\n"
    ended = await clients.run("sftp", "-b", "-", "127.0.0.1", stdin=batch)
    assert ended.code == 0, ended.err
    assert f"Remote working directory: {clients.home}" in ended.out
    assert "here.txt" in ended.out
    assert (clients.home / "dir" / "link").read_text() == "x"


async def test_a_failed_batch_of_sftp_says_so(clients: Clients) -> None:
    ended = await clients.run("sftp", "-b", "-", "127.0.0.1", stdin=b"get missing\n")
    assert ended.code == 1
    assert "not found" in ended.err


@pytest.mark.skipif(shutil.which("rsync") is None, reason="needs rsync")
async def test_rsync_copies_and_finds_nothing_to_do_the_second_time(
    clients: Clients, tmp_path: Path
) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    for number in range(20):
        (tree / f"{number}.txt").write_text(f"file {number}\n" * 100)
    shell = " ".join(clients.words("ssh"))
    line = ["rsync", "-a", "--itemize-changes", "-e", shell, f"{tree}/", "127.0.0.1:tree"]
    first = await clients.run_line(line)
    assert first.code == 0, first.err
    assert (clients.home / "tree" / "7.txt").read_text() == (tree / "7.txt").read_text()
    second = await clients.run_line(line)
    assert (second.code, second.out) == (0, "")


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
async def test_git_clones_and_pushes(clients: Clients, tmp_path: Path) -> None:
    setup = (
        "git init -q -b main r && cd r && git config receive.denyCurrentBranch ignore && "
        "echo one >f && git add f && "
        "git -c user.name=a -c user.email=a@b commit -qm one"
    )
    assert (await clients.ssh(setup)).code == 0
    shell = " ".join(clients.words("ssh"))
    here = tmp_path / "clone"
    options = ["-c", f"core.sshCommand={shell}", "-c", "user.name=a", "-c", "user.email=a@b"]
    url = f"ssh://127.0.0.1:{clients.port}{clients.home}/r"
    cloned = await clients.run_line(["git", *options, "clone", "-q", url, str(here)])
    assert cloned.code == 0, cloned.err
    (here / "f").write_text("two\n")
    at = ["git", "-C", str(here), *options]
    assert (await clients.run_line([*at, "commit", "-qam", "two"])).code == 0
    assert (await clients.run_line([*at, "push", "-q"])).code == 0
    log = await clients.ssh("git -C r log --format=%s main")
    assert log.out == "two\none\n"


async def test_blocked_file_transfer(
    plane: ControlPlane, start: Start, home: Path, tmp_path: Path
) -> None:
    (home / "secret").write_text("x")
    running = await start(block_file_transfer=True)
    async with connect(plane, running, home, tmp_path) as clients:
        for command in ("scp -f secret", "/usr/bin/rsync --server", "nc localhost 80", "sftp"):
            ended = await clients.ssh(command)
            assert (ended.code, ended.out) == (65, "\x02File transfer has been disabled.\n")
        subsystem = await clients.run("ssh", "-s", "127.0.0.1", "sftp")
        assert (subsystem.code, subsystem.out) == (65, "File transfer has been disabled.\n")
        assert (await clients.ssh("cat secret")).out == "x"


@pytest.mark.parametrize(
    ("command", "copies"),
    [
        ("scp -t .", True),
        ("/usr/bin/rsync --server", True),
        ("'nc' host 1", True),
        ("sftp", True),
        ("ls scp", False),
        ("", False),
        ("scp 'unclosed", True),
        ("ncat", False),
    ],
)
def test_a_command_is_judged_by_its_first_word(command: str, copies: bool) -> None:
    assert is_transfer(command) is copies
