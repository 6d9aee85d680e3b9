"""Remote ports of ``-R``: connections to a port of the workspace arrive here."""

import contextlib
import socket
import threading
from collections.abc import Callable
from typing import NamedTuple

import paramiko

from coder_cli.commands.connections.forwards import port_number
from coder_cli.kit.refused import Refused


class RemoteForward(NamedTuple):
    """``-R remote_port:local_host:local_port``."""

    remote_port: int
    local_host: str
    local_port: int


def parse_remote(spec: str) -> RemoteForward:
    """Read ``remote_port:local_address:local_port``.

    Raises:
        Refused: ``spec`` has another form.
    """
    first, _, rest = spec.partition(":")
    host, _, last = rest.rpartition(":")
    if not first or not host or not last:
        raise Refused(f"-R {spec!r} is not <remote port>:<local address>:<local port>.")
    return RemoteForward(port_number(first, spec), host.strip("[]"), port_number(last, spec))


def serve_remote(transport: paramiko.Transport, forward: RemoteForward) -> None:
    """Have connections to a port of the workspace arrive at a local address.

    Raises:
        Refused: the workspace does not give us that port.
    """

    def arrived(channel: paramiko.Channel, _origin: object, _server: object) -> None:
        threading.Thread(target=_meet, args=(channel, forward), daemon=True).start()

    try:
        transport.request_port_forward("127.0.0.1", forward.remote_port, arrived)
    except paramiko.SSHException as error:
        raise Refused(f"The workspace does not forward its port {forward.remote_port}.") from error


def _meet(channel: paramiko.Channel, forward: RemoteForward) -> None:
    try:
        sock = socket.create_connection((forward.local_host, forward.local_port), timeout=10)
        sock.settimeout(None)
    except OSError:
        channel.close()
        return
    back = threading.Thread(target=_shovel, args=(channel.recv, sock.sendall), daemon=True)
    back.start()
    _shovel(sock.recv, channel.sendall)
    with contextlib.suppress(OSError, EOFError, paramiko.SSHException):
        channel.shutdown_write()
    back.join()
    channel.close()
    sock.close()


def _shovel(receive: Callable[[int], bytes], send: Callable[[bytes], object]) -> None:
    with contextlib.suppress(OSError, EOFError, paramiko.SSHException):
        while data := receive(32 * 1024):
            send(data)
