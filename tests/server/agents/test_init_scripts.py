"""The scripts that fetch and start an agent, run by real shells."""

import asyncio
import os
import shutil
import subprocess
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from server.agents import init_script, init_scripts
from tests.server.agents.house import Replica

AGENT = b'#!/bin/sh\necho "$0 $* $CODER_AGENT_URL $CODER_AGENT_AUTH $CODER_AGENT_TOKEN"\n'
FETCHERS = ["curl", "wget", "busybox"]


@asynccontextmanager
async def served(failures: int = 0) -> AsyncGenerator[tuple[str, list[str]]]:
    """Serve an agent over HTTP; refuse the first requests."""
    asked: list[str] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        asked.append(head.split()[1])
        status, body = (b"503 No", b"") if len(asked) <= failures else (b"200 OK", AGENT)
        length = b"Content-Length: %d\r\nConnection: close\r\n\r\n" % len(body)
        writer.write(b"HTTP/1.1 " + status + b"\r\n" + length + body)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}", asked


def tools(folder: Path, *names: str) -> str:
    """Make a PATH with only these programs in it."""
    folder.mkdir()
    for name in (*names, "mktemp", "mkdir", "chmod", "mv", "sleep", "sh"):
        found = shutil.which(name)
        if found:
            (folder / name).symlink_to(found)
    return str(folder)


async def run(script: str, tmp_path: Path, path: str) -> subprocess.CompletedProcess[str]:
    temporary = tmp_path / "tmp"
    temporary.mkdir(exist_ok=True)
    env = {"PATH": path, "TMPDIR": str(temporary), "CODER_AGENT_TOKEN": "secret"}
    return await asyncio.to_thread(
        subprocess.run,
        ["/bin/sh", "-c", script],
        env=env,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


@pytest.mark.parametrize("fetcher", [name for name in FETCHERS if shutil.which(name)])
async def test_the_agent_is_fetched_and_started_with_whatever_is_there(
    tmp_path: Path, fetcher: str
) -> None:
    async with served() as (url, asked):
        script = init_script("linux", "amd64", url)
        path = tools(tmp_path / "bin", fetcher)
        results = [await run(script, tmp_path, path) for _ in range(2)]
    assert asked == ["/bin/coder-linux-amd64"] * 2
    for result in results:
        assert result.returncode == 0, result.stderr
        assert result.stdout.endswith(f"/coder agent {url}/ token secret\n")
        assert result.stderr == ""
    for folder in (tmp_path / "tmp").iterdir():
        assert folder.stat().st_mode & 0o777 == 0o700
        assert [file.name for file in folder.iterdir()] == ["coder"]


async def test_a_server_that_does_not_answer_is_asked_again_and_that_is_said(
    tmp_path: Path,
) -> None:
    async with served(failures=1) as (url, asked):
        path = tools(tmp_path / "bin", "curl")
        result = await run(init_script("darwin", "arm64", url), tmp_path, path)
    assert len(asked) == 2
    assert result.returncode == 0
    assert f"cannot fetch {url}/bin/coder-darwin-arm64; trying again in 1s" in result.stderr


async def test_without_a_way_to_fetch_the_missing_programs_are_named(tmp_path: Path) -> None:
    result = await run(init_script("linux", "arm64", "http://x"), tmp_path, tools(tmp_path / "bin"))
    assert result.returncode == 127
    assert "install curl, wget or busybox" in result.stderr


async def test_scripts_are_public_and_unknown_platforms_are_named(replica: Replica) -> None:
    answer = await replica.request("GET", "/init-script/linux/amd64", "")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain")
    assert 'url="http://coder.test/bin/coder-linux-amd64"' in answer.text
    answer = await replica.request("GET", "/init-script/windows/amd64", "")
    assert "http://coder.test/bin/coder-windows-amd64.exe" in answer.text
    answer = await replica.request("GET", "/init-script/plan9/mips", "")
    assert answer.status_code == 400
    assert answer.json()["message"] == "Unknown os/arch: plan9/mips"


def test_builds_get_every_script_with_the_providers_placeholders() -> None:
    scripts = init_scripts()
    assert {"linux_amd64", "linux_arm64", "darwin_arm64", "windows_amd64"} <= set(scripts)
    for text in scripts.values():
        assert "${ACCESS_URL}" in text
        assert "${AUTH_TYPE}" in text
        assert "${OS}" not in text
        assert "${ARCH}" not in text


@pytest.mark.skipif(not shutil.which("dash"), reason="no strict POSIX shell here")
def test_the_script_is_posix(tmp_path: Path) -> None:
    file = tmp_path / "init.sh"
    file.write_text(init_script("linux", "amd64", "http://x"))
    checked = subprocess.run(["dash", "-n", os.fspath(file)], capture_output=True, check=False)
    assert checked.returncode == 0, checked.stderr
