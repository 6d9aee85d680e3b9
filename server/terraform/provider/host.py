"""The provider kept warm: it lives in the server, and each terraform command gets a socket."""

import asyncio
import json
import os
import shutil
import tempfile
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from server.terraform.provider.grpc import GrpcProtocol
from server.terraform.provider.recorder import Recorder
from server.terraform.provider.schema import Conceal
from server.terraform.provider.service import Session

_ADDRESSES = ("registry.terraform.io/coder/coder", "registry.opentofu.org/coder/coder")

_LONGEST_ROOT = 70


@dataclass(frozen=True, slots=True)
class Reattach:
    """How a terraform command finds the provider."""

    variable: str
    """The value of ``TF_REATTACH_PROVIDERS``."""


class ProviderHost:
    """Serve the provider to terraform commands of this host, one private socket for each.

    The values of a build travel inside the session, not in the environment, so neither local-exec
    nor another provider sees them.
    """

    @asynccontextmanager
    async def serve(
        self,
        env: Mapping[str, str],
        recorder: Recorder | None = None,
        conceal: Conceal | None = None,
    ) -> AsyncGenerator[Reattach]:
        """Open a socket for one terraform command that sees ``env``; close it afterwards.

        With a recorder no data source fails: it is noted, with what is wrong, and answered.
        ``conceal`` is given the tokens of new agents.
        """
        session = Session(env, recorder, conceal=conceal)
        directory = Path(tempfile.mkdtemp(prefix="coder-tf-", dir=_root()))  # Mode 0700.
        socket = directory / "s"
        victim = await _victim()
        connections: list[GrpcProtocol] = []

        def accept() -> GrpcProtocol:
            connections.append(GrpcProtocol(session))
            return connections[-1]

        try:
            server = await asyncio.get_running_loop().create_unix_server(accept, str(socket))
            try:
                socket.chmod(0o600)
                yield Reattach(_reattach(socket, victim.pid))
            finally:
                server.close()
                # Something of the build that outlives the command has no say, and learns nothing.
                for connection in connections:
                    connection.abort()
        finally:
            await asyncio.shield(_release(victim))
            shutil.rmtree(directory, ignore_errors=True)


def _root() -> str:
    """Return where sockets go: the path of one has to fit into about a hundred bytes."""
    preferred = tempfile.gettempdir()
    return preferred if len(preferred) < _LONGEST_ROOT else "/tmp"  # noqa: S108 - mkdtemp is safe


async def _victim() -> asyncio.subprocess.Process:
    """Start a process that terraform may kill.

    When terraform cannot dial the socket it kills the pid it was given (hashicorp/go-plugin#320),
    and when that pid does not live it cancels every call after a second. So it must be a process,
    and it must not be the server. It ends by itself with the server: its input closes.
    """
    return await asyncio.create_subprocess_exec(
        "cat",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        start_new_session=True,
    )


async def _release(victim: asyncio.subprocess.Process) -> None:
    if victim.stdin is not None:
        victim.stdin.close()
    await victim.wait()


def _reattach(socket: Path, pid: int) -> str:
    entry = {
        "Protocol": "grpc",
        "ProtocolVersion": 6,
        "Pid": pid,
        "Test": True,  # "Do not end the provider when terraform ends."
        "Addr": {"Network": "unix", "String": os.fspath(socket)},
    }
    return json.dumps(dict.fromkeys(_ADDRESSES, entry))
