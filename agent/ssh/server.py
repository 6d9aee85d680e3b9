"""The SSH server itself: asyncssh over a stream of frames, without a listening socket."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Final, Self, cast

import asyncssh
from typing_extensions import override

from agent.kit.child import within
from agent.network import Frames, serve_protocol
from agent.ssh.forward import forward_tcp, forward_unix
from agent.ssh.options import SshOptions
from agent.ssh.session import Session, Sessions
from agent.ssh.visits import Visit, peer_address
from coder_cli.sdk.agentapi import ConnectionType

GCM: Final = ("aes128-gcm@openssh.com", "aes256-gcm@openssh.com")
MORE: Final = ("chacha20-poly1305@openssh.com", "aes256-ctr", "aes192-ctr", "aes128-ctr")
OPENSSH: Final = b"SSH-2.0-OpenSSH_"
WINDOW: Final = 4 << 20
GREETING_WITHIN: Final = 0.25
CLOSE_WITHIN: Final = 5.0
log = logging.getLogger("agent.ssh")

_Factory = Callable[[str, int], asyncio.Protocol]


class _Tunnel:
    """Stands where asyncssh expects a listener: keeps its factory of connections for us."""

    factory: _Factory

    async def create_server(self, factory: _Factory, host: str, port: int) -> Self:  # noqa: ARG002
        self.factory = factory
        return self

    def close(self) -> None:
        """Nothing is open."""

    async def wait_closed(self) -> None:
        """Nothing is open."""


class _Connection(asyncssh.SSHServer):
    """Lets everybody in whom the tunnel let in, and forwards what they ask to be forwarded."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    @override
    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._conn = conn

    @override
    def begin_auth(self, username: str) -> bool:
        return False

    @override
    def session_requested(
        self,
    ) -> "tuple[asyncssh.SSHServerChannel[bytes], asyncssh.SSHServerSession[bytes]] | bool":
        if self._sessions.closing:
            return False
        channel = cast(
            "asyncssh.SSHServerChannel[bytes]",
            self._conn.create_server_channel(  # pyright: ignore[reportUnknownMemberType]
                encoding=None, window=WINDOW
            ),
        )
        return channel, Session(self._sessions)

    @override
    def connection_requested(
        self, dest_host: str, dest_port: int, orig_host: str, orig_port: int
    ) -> "Awaitable[asyncssh.SSHTCPSession[bytes]]":
        return self._forward(dest_host, dest_port)

    async def _forward(self, host: str, port: int) -> "asyncssh.SSHTCPSession[bytes]":
        sessions = self._sessions
        if not await asyncio.to_thread(sessions.detector.sees, host, port):
            return await forward_tcp(host, port)
        peer = cast("object", self._conn.get_extra_info("peername"))
        visit = Visit(sessions.options, ConnectionType.JETBRAINS, peer_address(peer))

        def ended(reason: str) -> None:
            sessions.forwards.discard(visit)
            visit.end(0, reason)

        side = await forward_tcp(host, port, ended)
        sessions.forwards.add(visit)
        visit.begin()
        return side

    @override
    def server_requested(self, listen_host: str, listen_port: int) -> bool:
        return True

    @override
    def unix_connection_requested(
        self, dest_path: str
    ) -> "Awaitable[asyncssh.SSHUNIXSession[bytes]]":
        return forward_unix(dest_path)

    @override
    def unix_server_requested(self, listen_path: str) -> bool:
        return True


class Server:
    """All SSH connections of the agent."""

    def __init__(self, sessions: Sessions, openssh: _Factory, others: _Factory) -> None:
        self._sessions = sessions
        self._openssh = openssh
        self._others = others
        self._clock = sessions.options.clock

    @classmethod
    async def start(
        cls, options: SshOptions, spawn: Callable[[Coroutine[Any, Any, None]], object]
    ) -> "Server":
        """Make a server; ``spawn`` owns the tasks that outlive their session."""
        sessions = Sessions(options, spawn)
        return cls(sessions, await _factory(sessions, GCM), await _factory(sessions, GCM + MORE))

    def count(self) -> dict[str, int]:
        """Return how many sessions are open, by connection type."""
        return self._sessions.count()

    async def serve(self, frames: Frames) -> None:
        """Serve one connection until it ends."""
        if self._sessions.closing:
            await frames.close(1001, "the agent is shutting down")
            return
        first = await self._greeting(frames)
        # OpenSSH would choose the slowest cipher for Python, were it offered.
        factory = self._openssh if first.startswith(OPENSSH) else self._others
        await serve_protocol(frames, lambda: factory("", 0), first)

    async def close(self) -> None:
        """Take no more connections and cut the sessions; wait up to 5 s until they are gone."""
        self._sessions.closing = True
        for session in tuple(self._sessions.open):
            session.cut()
        await within(self._emptied(), CLOSE_WITHIN, self._clock)

    async def _greeting(self, frames: Frames) -> bytes:
        """Return the first bytes, or nothing from a client that waits for ours."""
        waiting = asyncio.ensure_future(frames.recv())
        try:
            if await within(_done(waiting), GREETING_WITHIN, self._clock):
                first = waiting.result()
                return first if isinstance(first, bytes) else b""
        finally:
            waiting.cancel()
        return b""

    async def _emptied(self) -> None:
        while self._sessions.open:
            await self._clock.sleep(0.02)


async def _done(task: "asyncio.Future[bytes | str]") -> None:
    await asyncio.wait({task})


async def _factory(sessions: Sessions, ciphers: tuple[str, ...]) -> _Factory:
    options = sessions.options
    key = asyncssh.import_private_key(options.key.private)
    alive = options.idle_limit / 3 if options.idle_limit >= 3 else 0
    tunnel = _Tunnel()
    await asyncssh.listen(
        "",
        22,
        tunnel=tunnel,
        server_factory=lambda: _Connection(sessions),
        server_host_keys=[key],
        encryption_algs=list(ciphers),
        compression_algs=["none"],
        public_key_auth=False,
        password_auth=False,
        kbdint_auth=False,
        host_based_auth=False,
        gss_host=None,
        agent_forwarding=True,
        x11_forwarding=True,
        line_editor=False,
        encoding=None,
        keepalive_interval=alive,
        keepalive_count_max=3,
        login_timeout=60,
    )
    return tunnel.factory
