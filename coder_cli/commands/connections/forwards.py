"""Local ports of ``--tcp``: what they mean, and how their connections are carried."""

import contextlib
import socket
from collections.abc import Callable
from typing import NamedTuple

from coder_cli.kit.refused import Refused
from coder_cli.sdk.errors import SdkError
from coder_cli.sdk.stream import FRAME, Stream

MAX_PORTS = 1000


class LocalForward(NamedTuple):
    """``--tcp [ip:]local[:remote]``, one port of it."""

    ip: str
    local: int
    remote: int


def parse_local(spec: str) -> list[LocalForward]:
    """Read ``[ip:]local[:remote]``, with ranges ``9000-9002[:9100-9102]`` and commas between.

    Raises:
        Refused: ``spec`` has another form, or two ranges of different length.
    """
    found: list[LocalForward] = []
    for part in filter(None, spec.split(",")):
        words = part.rsplit(":", 2) if part.startswith("[") else part.split(":")
        ip = "127.0.0.1"
        if len(words) > 1 and not _looks_like_ports(words[0]):
            ip, words = words[0].strip("[]"), words[1:]
        if not 1 <= len(words) <= 2:
            raise Refused(f"--tcp {part!r} is not [<ip>:]<local port>[:<remote port>].")
        local = _range(words[0], part)
        remote = _range(words[1], part) if len(words) == 2 else local
        if len(local) != len(remote):
            raise Refused(f"--tcp {part!r}: the two ranges have different lengths.")
        found += [LocalForward(ip, near, far) for near, far in zip(local, remote, strict=True)]
    if not found:
        raise Refused(f"--tcp {spec!r} names no port.")
    if len(found) > MAX_PORTS:
        raise Refused(f"--tcp {spec!r} names {len(found)} ports; {MAX_PORTS} is the limit.")
    return found


def _looks_like_ports(text: str) -> bool:
    return text.replace("-", "").isdigit()


def _range(text: str, spec: str) -> range:
    first, dash, last = text.partition("-")
    start = port_number(first, spec)
    end = port_number(last, spec) if dash else start
    if end < start:
        raise Refused(f"{spec!r}: the range {text} runs backwards.")
    return range(start, end + 1)


def port_number(text: str, spec: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= 65535:
        raise Refused(f"{spec!r}: {text!r} is not a port (1 to 65535).")
    return int(text)


def carry(sock: socket.socket, dial: Callable[[], Stream], on_error: Callable[[str], None]) -> None:
    """Join a local connection to a fresh stream until both have ended."""
    try:
        stream = dial()
    except SdkError as error:
        on_error(str(error))
        sock.close()
        return

    def end() -> None:
        with contextlib.suppress(OSError):
            sock.shutdown(socket.SHUT_WR)

    try:
        stream.pump(sock.fileno(), sock.fileno(), close_writer=end)
    except SdkError as error:
        on_error(str(error))
    finally:
        stream.close()
        sock.close()


def listen(forward: LocalForward) -> socket.socket:
    """Listen on the local side of ``forward``.

    Raises:
        Refused: the address is in use or not ours.
    """
    family = socket.AF_INET6 if ":" in forward.ip else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((forward.ip, forward.local))
    except OSError as error:
        sock.close()
        raise Refused(
            f"Cannot listen on {forward.ip}:{forward.local}: {error.strerror or error}."
        ) from error
    sock.listen(128)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, FRAME)
    return sock
