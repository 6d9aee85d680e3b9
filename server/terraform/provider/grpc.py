"""gRPC over HTTP/2 for unary calls, on asyncio and h2: as much of it as terraform speaks."""

import asyncio
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, cast

import structlog
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import (
    ConnectionTerminated,
    DataReceived,
    Event,
    RequestReceived,
    StreamEnded,
    StreamReset,
)
from h2.exceptions import ProtocolError
from typing_extensions import override

from server.terraform.provider.service import Connection, Session, Unimplemented

log = structlog.get_logger()

_OK, _EXHAUSTED, _UNIMPLEMENTED, _INTERNAL = "0", "8", "12", "13"
_LARGEST: Final = 64 << 20
"""Of a request: a plan's largest single resource is far below."""
_LARGEST_RECORDED: Final = 32 << 20
"""Of all requests of a session that records: a form is for people, who read far less."""
_WINDOW: Final = 1 << 24
_SHUTDOWN = "/plugin.GRPCController/Shutdown"


@dataclass(slots=True)
class _Request:
    method: str
    body: bytearray = field(default_factory=bytearray)

    def take(self, data: bytes) -> None:
        """Keep a piece of the body, and of one that is too large only that it is."""
        if len(self.body) <= _LARGEST:
            self.body += data


class GrpcProtocol(asyncio.Protocol):
    """One connection of a terraform process."""

    def __init__(self, session: Session, on_shutdown: Callable[[], None] | None = None) -> None:
        self._provider: Connection = session.connect()
        self._recorder = session.recorder
        self._on_shutdown = on_shutdown
        self._http = H2Connection(
            H2Configuration(
                client_side=False, header_encoding="utf-8", validate_inbound_headers=False
            )
        )
        self._transport: asyncio.Transport | None = None
        self._requests: dict[int, _Request] = {}
        self._answers: dict[int, memoryview] = {}
        """What is left to send, by stream: a schema is larger than one flow-control window."""

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._http.initiate_connection()
        self._http.increment_flow_control_window(_WINDOW)
        self._flush()

    @override
    def data_received(self, data: bytes) -> None:
        try:
            events = self._http.receive_data(data)
        except ProtocolError as error:
            log.warning("terraform_spoke_no_http2", error=str(error))
            self._flush()
            self._close()
            return
        for event in events:
            self._take(event)
        self._send_answers()
        self._flush()

    def _take(self, event: Event) -> None:
        match event:
            case RequestReceived(stream_id=int(stream)):
                # With a header encoding set, h2 gives text.
                headers = cast("list[tuple[str, str]]", event.headers)
                self._requests[stream] = _Request(dict(headers).get(":path", ""))
            case DataReceived(stream_id=int(stream)):
                if stream in self._requests:
                    self._requests[stream].take(event.data or b"")
                self._http.acknowledge_received_data(event.flow_controlled_length or 0, stream)
            case StreamEnded(stream_id=int(stream)):
                if stream in self._requests:
                    self._answer(stream, self._requests.pop(stream))
            case StreamReset(stream_id=int(stream)):
                self._requests.pop(stream, None)
                self._answers.pop(stream, None)
            case ConnectionTerminated():
                self._close()
            case _:
                pass

    def _answer(self, stream: int, request: _Request) -> None:
        if len(request.body) > _LARGEST:
            self._refuse(stream, _EXHAUSTED, f"a request of more than {_LARGEST >> 20} MiB")
            return
        if self._recorder is not None:
            self._recorder.heard += len(request.body)
            if self._recorder.heard > _LARGEST_RECORDED:
                words = f"requests of more than {_LARGEST_RECORDED >> 20} MiB for one form"
                self._refuse(stream, _EXHAUSTED, words)
                return
        try:
            # Five bytes of framing: a flag for compression, which terraform does not use, a length.
            body = self._provider.handle(request.method, bytes(request.body[5:]))
        except Unimplemented:
            self._refuse(stream, _UNIMPLEMENTED, "unimplemented")
            return
        except Exception as error:
            # The edge of the provider: terraform must get an answer, and we the trace.
            log.exception("provider_call_failed", method=request.method)
            self._refuse(stream, _INTERNAL, f"{type(error).__name__}: {error}")
            return
        self._http.send_headers(stream, [(":status", "200"), ("content-type", "application/grpc")])
        self._answers[stream] = memoryview(struct.pack(">BI", 0, len(body)) + body)
        if request.method == _SHUTDOWN and self._on_shutdown is not None:
            # After the answer is out: terraform waits two seconds for a provider that stays.
            asyncio.get_running_loop().call_later(0.005, self._on_shutdown)

    def _refuse(self, stream: int, status: str, message: str) -> None:
        self._http.send_headers(
            stream,
            [
                (":status", "200"),
                ("content-type", "application/grpc"),
                ("grpc-status", status),
                ("grpc-message", message.replace("\n", " ")),
            ],
            end_stream=True,
        )

    def _send_answers(self) -> None:
        for stream, left in list(self._answers.items()):
            rest = left
            while rest:
                size = min(
                    self._http.local_flow_control_window(stream),
                    self._http.max_outbound_frame_size,
                    len(rest),
                )
                if size <= 0:
                    break
                self._http.send_data(stream, bytes(rest[:size]))
                rest = rest[size:]
            self._answers[stream] = rest
            if not rest:
                del self._answers[stream]
                self._http.send_headers(stream, [("grpc-status", _OK)], end_stream=True)

    def _flush(self) -> None:
        if self._transport is not None:
            self._transport.write(self._http.data_to_send())

    def abort(self) -> None:
        """Hang up: the command that this connection was for is over."""
        if self._transport is not None:
            self._transport.abort()

    def _close(self) -> None:
        if self._transport is not None:
            self._transport.close()
