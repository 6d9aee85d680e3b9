"""The launcher that stands for a binary in a checkout."""

import subprocess
import sys
from pathlib import Path

import pytest

from coder_cli.kit.build import version
from server.kit.errors import NotFound
from server.web.binaries import Binaries, host_name


def ran_through(*command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, check=False, capture_output=True, text=True, cwd="/")


async def launcher(tmp_path: Path, executable: str) -> Path:
    found = await Binaries(tmp_path / "bin", Path(executable)).find(host_name())
    script = tmp_path / "coder"
    script.write_text(found.text)
    script.chmod(0o755)
    return script


async def test_it_runs_this_installation(tmp_path: Path) -> None:
    script = await launcher(tmp_path, sys.executable)
    ran = ran_through(script, "--version")
    assert (ran.returncode, ran.stdout) == (0, f"Coder {version()}\n")


async def test_it_names_what_a_sandbox_must_let_it_read(tmp_path: Path) -> None:
    text = (await launcher(tmp_path, sys.executable)).read_text()
    named = [line.removeprefix("# reads: ") for line in text.splitlines() if "# reads: " in line]
    assert {sys.prefix, sys.base_prefix} < set(named)
    assert ran_through("ls", "-d", *named).returncode == 0


async def test_elsewhere_it_says_why_it_cannot_run(tmp_path: Path) -> None:
    script = await launcher(tmp_path, "/no/such/python")
    ran = ran_through(script, "agent")
    assert ran.returncode == 1
    assert ran.stderr.startswith("This server runs from source and serves agents to its own host")
    assert len(ran.stderr.splitlines()) == 1


async def test_a_path_with_blanks_and_quotes_is_safe(tmp_path: Path) -> None:
    odd = tmp_path / "it's a $place"
    odd.mkdir()
    (odd / "python").symlink_to(sys.executable)
    script = await launcher(tmp_path, str(odd / "python"))
    ran = ran_through("sh", "-n", script)
    assert (ran.returncode, ran.stderr) == (0, "")


async def test_a_frozen_executable_serves_itself(tmp_path: Path) -> None:
    executable = tmp_path / "coder"
    executable.write_bytes(b"\x7fELF")
    found = await Binaries(tmp_path / "bin", executable, frozen=True).find(host_name())
    assert found.path == executable


def said_by(launcher: Path) -> str:
    words = ["sh", str(launcher), "agent"]
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout


async def test_an_executable_that_needs_its_folder_is_launched_there(tmp_path: Path) -> None:
    executable = tmp_path / "coder"
    executable.write_text('#!/bin/sh\necho "ran $1"\n')
    executable.chmod(0o755)
    (tmp_path / "_internal").mkdir()
    found = await Binaries(tmp_path / "bin", executable, frozen=True).find(host_name())
    launcher = tmp_path / "launcher"
    launcher.write_text(found.text)
    assert said_by(launcher) == "ran agent\n"


async def test_a_binary_beside_the_executable_is_found(tmp_path: Path) -> None:
    (tmp_path / "coder-darwin-arm64").write_bytes(b"mach")
    binaries = Binaries(tmp_path / "bin", tmp_path / "coder")
    assert (await binaries.find("coder-darwin-arm64")).path == tmp_path / "coder-darwin-arm64"
    with pytest.raises(NotFound):
        await binaries.find("coder-linux-armv7")
