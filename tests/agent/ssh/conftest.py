"""Real OpenSSH clients against a running agent."""

import asyncio
import shutil
import socket
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from coder_cli.sdk.agentapi import Method
from tests.agent.conftest import Running, Start
from tests.agent.control_plane import ControlPlane


@pytest.fixture(scope="session")
def event_loop_policy() -> asyncio.AbstractEventLoopPolicy:
    """Serve SSH on the loop that agents have where it exists; the other tests are asyncio's."""
    try:
        import uvloop
    except ImportError:
        return asyncio.DefaultEventLoopPolicy()
    return uvloop.EventLoopPolicy()


@dataclass
class Ended:
    """What a client left."""

    code: int
    out: str
    err: str


@dataclass
class Clients:
    """Runs ``ssh`` and its relatives; they check the host key that the agent reported."""

    port: int
    options: list[str]
    running: Running
    home: Path

    def words(self, program: str, *words: str) -> list[str]:
        """Return the command line of ``program``."""
        flag = "-p" if program == "ssh" else "-P"
        return [program, *self.options, flag, str(self.port), *words]

    async def start(self, program: str, *words: str) -> asyncio.subprocess.Process:
        """Start a client with pipes."""
        pipe = asyncio.subprocess.PIPE
        line = self.words(program, *words)
        return await asyncio.create_subprocess_exec(*line, stdin=pipe, stdout=pipe, stderr=pipe)

    async def run(self, program: str, *words: str, stdin: bytes = b"") -> Ended:
        """Run a client to its end."""
        return await self.run_line(self.words(program, *words), stdin)

    async def run_line(self, line: list[str], stdin: bytes = b"") -> Ended:
        """Run any program to its end."""
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(*line, stdin=pipe, stdout=pipe, stderr=pipe)
        async with asyncio.timeout(30):
            out, err = await process.communicate(stdin)
        assert process.returncode is not None
        return Ended(process.returncode, out.decode(), err.decode())

    async def ssh(self, *words: str, stdin: bytes = b"") -> Ended:
        """Run ``ssh`` to its end."""
        return await self.run("ssh", "127.0.0.1", *words, stdin=stdin)


@asynccontextmanager
async def connect(
    plane: ControlPlane, running: Running, home: Path, tmp_path: Path
) -> AsyncGenerator[Clients]:
    """Give clients a way to ``running``."""
    await plane.until(lambda: "ready" in plane.states)
    known = tmp_path / "known_hosts"
    async with plane.bridge(22) as port:
        known.write_text(f"[127.0.0.1]:{port} {plane.called(Method.STARTUP)[0]['host_key']}\n")
        options = ["-F", "/dev/null"]
        for option in (
            f"UserKnownHostsFile={known}",
            "StrictHostKeyChecking=yes",
            "BatchMode=yes",
            "LogLevel=ERROR",
        ):
            options += ["-o", option]
        yield Clients(port, options, running, home)


@pytest.fixture
async def clients(
    plane: ControlPlane, start: Start, home: Path, tmp_path: Path
) -> AsyncIterator[Clients]:
    """Clients of an agent that is ready."""
    if shutil.which("ssh") is None:
        pytest.skip("needs openssh-client")
    running = await start()
    async with connect(plane, running, home, tmp_path) as clients:
        yield clients


@pytest.fixture
def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
