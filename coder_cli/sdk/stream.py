"""A byte stream to a port of a workspace's agent, through the server's relay.

One thread, non-blocking, bounded in both directions: `Stream.pump` moves bytes between two file
descriptors and a binary WebSocket (RFC 6455, parsed by ``websockets``' sans-I/O core). An empty
frame means that this direction has ended.
"""

import os
import selectors
import socket
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from websockets.client import ClientProtocol
from websockets.exceptions import InvalidStatus
from websockets.frames import CloseCode, Frame, Opcode
from websockets.protocol import State
from websockets.uri import parse_uri

from coder_cli.sdk.direct import API, TIMEOUT, Direct, trusting
from coder_cli.sdk.errors import SdkError, Unreachable, refusal, unreachable

FRAME = 256 * 1024
"""Bytes in one frame at most; the relay refuses larger ones."""
HIGH_WATER = 1024 * 1024
"""Bytes kept for a slow side before the fast side is no longer read."""
PING_EVERY = 5.0
SILENCE = 15.0
"""Seconds without a sign of the server before the line counts as dead."""


class StreamEnded(SdkError):
    """The stream was cut; the message says by whom and why."""


@dataclass(slots=True)
class Stream:
    """An open stream; made by `open_stream`, used up by one `pump`."""

    sock: socket.socket
    protocol: ClientProtocol
    sent: int = 0
    received: int = 0
    latency: float = 0.0
    """Seconds that the server took to answer the last ping; 0 before the first answer."""
    on_tick: Callable[["Stream"], None] | None = None
    """Called every few seconds while pumping, to report figures."""

    def pump(self, reader: int, writer: int, *, close_writer: Callable[[], None]) -> None:
        """Move bytes until both directions ended, or the stream was closed.

        ``close_writer`` is called once, when the far side has ended its direction.

        Raises:
            StreamEnded: the line broke, or the server cut it and said why.
        """
        Pump(self, reader, writer, close_writer).run()

    def first_byte(self, timeout: float, hello: bytes = b"") -> float:
        """Send ``hello``, wait for the first bytes of the far side, return when they came.

        The time is of the monotonic clock, in seconds.

        Raises:
            TimeoutError: nothing came within ``timeout`` seconds.
            StreamEnded: the stream was closed instead.
        """
        self.sock.settimeout(timeout)
        if hello:
            self.protocol.send_binary(hello)
            self.sock.sendall(b"".join(self.protocol.data_to_send()))
        while True:
            for event in self.protocol.events_received():
                if isinstance(event, Frame) and event.opcode is Opcode.BINARY:
                    return time.monotonic()
                if isinstance(event, Frame) and event.opcode is Opcode.CLOSE:
                    raise StreamEnded("the server closed the stream")
            data = self.sock.recv(FRAME)
            if not data:
                raise StreamEnded("the server closed the connection")
            self.protocol.receive_data(data)

    def close(self) -> None:
        """Drop the connection."""
        self.sock.close()


class Pump:
    """The state of one `Stream.pump`: two buffers, two ends, one selector."""

    def __init__(
        self, stream: Stream, reader: int, writer: int, close_writer: Callable[[], None]
    ) -> None:
        self.stream = stream
        # A selector takes a descriptor once; a socket that is both ends gets a second name.
        self.second_name = os.dup(writer) if writer == reader else None
        self.reader, self.writer = reader, writer if self.second_name is None else self.second_name
        self.close_writer = close_writer
        self.inbound = bytearray()
        self.outbound = bytearray()
        self.reader_open = True
        self.far_ended = False
        self.writer_open = True
        self.ended: str | None = None
        self.heard = self.pinged = time.monotonic()
        self.sent_when_heard = 0

    def run(self) -> None:
        """Move bytes until there is nothing left to move."""
        sock = self.stream.sock
        sock.setblocking(False)  # noqa: FBT003 - its only form
        blocking = {fd: os.get_blocking(fd) for fd in (self.reader, self.writer)}
        for fd in blocking:
            os.set_blocking(fd, False)
        try:
            self._take_events()  # What came together with the handshake's answer.
            self._loop()
        finally:
            for fd, was in blocking.items():
                _restore(fd, was)
            if self.second_name is not None:
                os.close(self.second_name)
        if self.ended:
            raise StreamEnded(self.ended)

    def _loop(self) -> None:
        with selectors.DefaultSelector() as selector:
            while not self._done():
                self._collect()
                self._register(selector)
                ready = {key.data: mask for key, mask in selector.select(1.0)}
                if "sock" in ready or self._pending():
                    self._read_sock()
                if "reader" in ready:
                    self._read_reader()
                self._collect()
                self._write_sock()
                self._write_writer()
                self._keep_alive()

    def _done(self) -> bool:
        if self.ended is not None:
            return True
        return not self.inbound and not self.writer_open and not self.reader_open

    def _register(self, selector: selectors.BaseSelector) -> None:
        wants = {
            "sock": (self.stream.sock, self._sock_events()),
            "reader": (
                self.reader,
                selectors.EVENT_READ if self.reader_open and len(self.outbound) < HIGH_WATER else 0,
            ),
            "writer": (self.writer, selectors.EVENT_WRITE if self.inbound else 0),
        }
        registered = {key.data: key for key in selector.get_map().values()}
        for name, (target, events) in wants.items():
            key = registered.get(name)
            if key is None and events:
                selector.register(target, events, name)
            elif key is not None and not events:
                selector.unregister(key.fileobj)
            elif key is not None and key.events != events:
                selector.modify(key.fileobj, events, name)

    def _sock_events(self) -> int:
        read = selectors.EVENT_READ if len(self.inbound) < HIGH_WATER else 0
        return read | (selectors.EVENT_WRITE if self.outbound else 0)

    def _pending(self) -> bool:
        sock = self.stream.sock
        return isinstance(sock, ssl.SSLSocket) and sock.pending() > 0

    def _read_sock(self) -> None:
        if len(self.inbound) >= HIGH_WATER:
            return
        try:
            data = self.stream.sock.recv(FRAME)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return
        except OSError as error:
            self.ended = f"the connection to the server broke: {error.strerror or error}"
            return
        self.heard = time.monotonic()
        self.sent_when_heard = self.stream.sent
        protocol = self.stream.protocol
        if data:
            protocol.receive_data(data)
        else:
            protocol.receive_eof()
        self._take_events()
        if not data and self.ended is None and not self.far_ended:
            self.ended = "the server closed the connection"

    def _take_events(self) -> None:
        for event in self.stream.protocol.events_received():
            if isinstance(event, Frame):
                self._on_frame(event)

    def _on_frame(self, frame: Frame) -> None:
        if frame.opcode in (Opcode.BINARY, Opcode.CONT):
            if frame.data:
                self.stream.received += len(frame.data)
                self.inbound += frame.data
            else:
                self.far_ended = True
        elif frame.opcode is Opcode.PONG:
            self.stream.latency = time.monotonic() - self.pinged
        elif frame.opcode is Opcode.CLOSE:
            self._on_close()

    def _on_close(self) -> None:
        protocol = self.stream.protocol
        received = protocol.close_rcvd
        self.far_ended = True
        self.reader_open = False
        if received is not None and received.code not in (1000, 1001, 1005):
            self._flush_writer()
            stopped = received.code == CloseCode.SERVICE_RESTART
            why = "stopped" if stopped else f"cut the connection ({received.code})"
            self.ended = received.reason or f"the server {why}"

    def _read_reader(self) -> None:
        try:
            data = os.read(self.reader, FRAME)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        protocol = self.stream.protocol
        if protocol.state is not State.OPEN:
            self.reader_open = False
            return
        protocol.send_binary(data)
        self.stream.sent += len(data)
        if not data:
            self.reader_open = False

    def _collect(self) -> None:
        for data in self.stream.protocol.data_to_send():
            self.outbound += data

    def _write_sock(self) -> None:
        while self.outbound:
            try:
                written = self.stream.sock.send(memoryview(self.outbound)[:FRAME])
            except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
                return
            except OSError as error:
                if self.ended is None and not self.far_ended:
                    self.ended = f"the connection to the server broke: {error.strerror or error}"
                self.outbound.clear()
                return
            del self.outbound[:written]

    def _write_writer(self) -> None:
        while self.inbound and self.writer_open:
            try:
                written = os.write(self.writer, memoryview(self.inbound)[:FRAME])
            except BlockingIOError:
                return
            except OSError:
                # Nobody reads any more: the local program has gone, and so may we.
                self.inbound.clear()
                self.writer_open = self.reader_open = False
                return
            del self.inbound[:written]
        if self.far_ended and self.writer_open:
            self.writer_open = False
            self.close_writer()

    def _flush_writer(self) -> None:
        """Give the local program what arrived before the stream was cut."""
        os.set_blocking(self.writer, True)
        self._write_writer()

    def _keep_alive(self) -> None:
        now = time.monotonic()
        if now - self.pinged >= PING_EVERY:
            self.pinged = now
            if self.stream.protocol.state is State.OPEN:
                self.stream.protocol.send_ping(b"")
            if self.stream.on_tick is not None:
                self.stream.on_tick(self.stream)
        # A far side that does not read keeps our pings waiting behind our data: only an idle line
        # can be judged by them. A busy one to a dead server ends by TCP's own timeout.
        idle = len(self.inbound) < HIGH_WATER and self.stream.sent == self.sent_when_heard
        if idle and now - self.heard > SILENCE and self.ended is None:
            self.ended = f"the server has been silent for {SILENCE:.0f}s"


def _restore(fd: int, blocking: bool) -> None:  # noqa: FBT001 - the value that was there
    try:
        os.set_blocking(fd, blocking)
    except OSError:
        return


def open_stream(api: Direct, agent_id: str, port: int) -> Stream:
    """Open a stream to ``port`` of an agent (22 is its SSH server).

    Raises:
        ApiError: the server refused; the message says why.
        Unreachable: nothing answered.
    """
    parts = urlsplit(api.url)
    secure = parts.scheme == "https"
    host, number = parts.hostname or "", parts.port or (443 if secure else 80)
    uri = f"{'wss' if secure else 'ws'}://{parts.netloc}{API}"
    protocol = ClientProtocol(
        parse_uri(f"{uri}/workspaceagents/{agent_id}/stream?port={port}"), max_size=2 * FRAME
    )
    request = protocol.connect()
    for name, value in api.all_headers().items():
        request.headers[name] = value
    try:
        sock = socket.create_connection((host, number), timeout=TIMEOUT)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if hasattr(socket, "TCP_USER_TIMEOUT"):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(SILENCE * 2000))
        if secure:
            sock = trusting().wrap_socket(sock, server_hostname=host)
        protocol.send_request(request)
        _shake_hands(sock, protocol)
    except OSError as error:
        raise unreachable(api.url, error) from error
    return Stream(sock, protocol)


def _shake_hands(sock: socket.socket, protocol: ClientProtocol) -> None:
    for data in protocol.data_to_send():
        sock.sendall(data)
    while protocol.state is State.CONNECTING and protocol.handshake_exc is None:
        # One byte at a time past the header would be slow; frames that come with it stay queued.
        data = sock.recv(65536)
        if data:
            protocol.receive_data(data)
        else:
            protocol.receive_eof()
            break
    error = protocol.handshake_exc
    if isinstance(error, InvalidStatus):
        sock.close()
        raise refusal(error.response.status_code, bytes(error.response.body or b"")) from error
    if error is not None or protocol.state is State.CONNECTING:
        sock.close()
        raise Unreachable(f"the server did not open the stream: {error or 'no answer'}")
