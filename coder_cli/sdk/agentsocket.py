"""The agent's socket from a shell of its workspace: where it is, and one request on it.

With the standard library only: scripts of a workspace run it dozens of times while they start.
"""

import json
import os
import socket
import struct
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from coder_cli.sdk.errors import BadAnswer, SdkError, refusal

VARIABLE = "CODER_AGENT_SOCKET_PATH"
NAME = "coder-agent.sock"
PING = "/api/v0/ping"
WANT = "/api/v0/sync/want"
START = "/api/v0/sync/start"
COMPLETE = "/api/v0/sync/complete"
READY = "/api/v0/sync/ready"
STATUS = "/api/v0/sync/status"
LIST = "/api/v0/sync/list"
APP_STATUS = "/api/v0/app-status"
ANSWER_WITHIN = 30.0


class NoSocket(SdkError):
    """No agent can be reached at the socket."""


class WentAway(SdkError):
    """The agent closed the connection, or fell silent, before it had answered."""


def socket_path(env: Mapping[str, str]) -> str:
    """Return where an agent's socket is: the variable, else the user's runtime directory."""
    return env.get(VARIABLE) or f"{env.get('XDG_RUNTIME_DIR') or '/tmp'}/{NAME}"  # noqa: S108 — checked on connect


def peer_uid(peer: socket.socket) -> int | None:
    """Return the user at the other end of a Unix socket, or None where the system cannot tell."""
    option = getattr(socket, "SO_PEERCRED", None)
    if option is None:
        return None
    told = peer.getsockopt(socket.SOL_SOCKET, option, struct.calcsize("3i"))
    _, uid, _ = struct.unpack("3i", told)
    return uid


class AgentSocket:
    """Ask the agent that listens at ``path``: one connection, one request, one answer."""

    def __init__(self, path: str) -> None:
        self.path = path

    def get(self, path: str) -> Any:
        """Return the JSON at ``path``; raises as ``post`` does."""
        return self._ask(f"GET {path}", b"", ANSWER_WITHIN)

    def post(self, path: str, body: Mapping[str, Any], within: float = ANSWER_WITHIN) -> Any:
        """Send ``body`` as JSON and return the JSON of the answer.

        Raises:
            NoSocket: nobody listens there, or somebody whom we do not trust.
            WentAway: the agent ended before it answered.
            ApiError: the agent refused.
        """
        return self._ask(f"POST {path}", json.dumps(body).encode(), within)

    def _ask(self, what: str, body: bytes, within: float) -> Any:
        head = (
            f"{what} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as peer:
            self._connect(peer, within)
            try:
                with suppress(BrokenPipeError):  # It may have refused us before we asked.
                    peer.sendall(head.encode() + body)
                received = b"".join(iter(lambda: peer.recv(65536), b""))
            except OSError as error:
                raise WentAway(f"the agent at {self.path} did not answer: {_why(error)}") from error
        if not received:
            raise WentAway(f"the agent at {self.path} went away")
        return self._understand(received)

    def _connect(self, peer: socket.socket, within: float) -> None:
        peer.settimeout(within)
        try:
            peer.connect(self.path)
        except OSError as error:
            raise NoSocket(_dialled(self.path, f"connect: {_why(error)}")) from error
        # In a directory that is open to all, anybody may have been there first.
        uid = peer_uid(peer)
        if uid not in (None, os.getuid(), 0):
            why = f"it belongs to another user (uid {uid}); whoever that is, it is not your agent"
            raise NoSocket(_dialled(self.path, why))

    def _understand(self, received: bytes) -> Any:
        # The agent says how long its answer is, and closes after it: that is all there is to HTTP
        # here. http.client costs as much CPU as everything else in "exp sync ping" together.
        head, _, content = received.partition(b"\r\n\r\n")
        try:
            status = int(head.split(b" ", 2)[1])
            if status < 400:
                return json.loads(content)
        except (ValueError, IndexError) as error:
            raise BadAnswer(f"what listens at {self.path} is no agent of this kind") from error
        raise refusal(status, content)


def _dialled(path: str, why: str) -> str:
    return f"connect to agent socket: connect to socket: dial unix {path}: {why}"


def _why(error: BaseException) -> str:
    words = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else str(error)
    return f"{words[:1].lower()}{words[1:]}" if words else type(error).__name__
