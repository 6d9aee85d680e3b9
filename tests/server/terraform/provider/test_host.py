"""The warm provider: a private socket for each command, and a process that may be killed."""

import asyncio
import json
import os
import signal
import ssl
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived, Event, ResponseReceived, TrailersReceived

from server.terraform.provider import ProviderHost, Reattach, Recorder, Session, grpc

PLAN = "/tfplugin6.Provider/PlanResourceChange"


def entries(reattach: Reattach) -> dict[str, Any]:
    return json.loads(reattach.variable)


def socket_of(reattach: Reattach) -> Path:
    return Path(entries(reattach)["registry.terraform.io/coder/coder"]["Addr"]["String"])


async def call(
    socket: Path, method: str, body: bytes = b"", tls: ssl.SSLContext | None = None
) -> tuple[dict[str, str], bytes]:
    """Make one unary call; return the trailing headers and the answer."""
    reader, writer = await asyncio.open_unix_connection(
        socket, ssl=tls, server_hostname="localhost" if tls else None
    )
    http = H2Connection(H2Configuration(header_encoding="utf-8"))
    http.initiate_connection()
    headers = [(":method", "POST"), (":scheme", "http"), (":authority", "x"), (":path", method)]
    http.send_headers(1, [*headers, ("content-type", "application/grpc"), ("te", "trailers")])
    http.send_data(1, b"\0" + len(body).to_bytes(4, "big") + body, end_stream=True)
    last: dict[str, str] = {}
    answer = b""
    while "grpc-status" not in last:
        writer.write(http.data_to_send())
        received = await reader.read(65536)
        if not received:
            raise ConnectionResetError("hung up")
        events: list[Event] = http.receive_data(received)
        for event in events:
            if isinstance(event, DataReceived):
                answer += event.data or b""
                http.acknowledge_received_data(event.flow_controlled_length or 0, 1)
            if isinstance(event, ResponseReceived | TrailersReceived):
                last = {str(k): str(v) for k, v in event.headers or ()}
    writer.close()
    return last, answer[5:]


async def test_each_command_has_a_private_socket_that_goes_with_it() -> None:
    host = ProviderHost()
    async with host.serve({}) as one, host.serve({}) as other:
        sockets = socket_of(one), socket_of(other)
        assert sockets[0] != sockets[1]
        for socket in sockets:
            assert socket.stat().st_mode & 0o777 == 0o600
            assert socket.parent.stat().st_mode & 0o777 == 0o700
    assert not sockets[0].parent.exists()


async def test_the_pid_is_a_victim_of_its_own() -> None:
    async with ProviderHost().serve({}) as reattach:
        pids = {entry["Pid"] for entry in entries(reattach).values()}
        (pid,) = pids
        assert pid != os.getpid()
        assert os.getsid(pid) != os.getsid(0)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


async def test_a_victim_that_was_killed_does_no_harm() -> None:
    async with ProviderHost().serve({}) as reattach:
        os.kill(entries(reattach)["registry.terraform.io/coder/coder"]["Pid"], signal.SIGKILL)
    assert not socket_of(reattach).exists()


async def test_a_schema_larger_than_a_window_arrives_whole() -> None:
    async with ProviderHost().serve({}) as reattach:
        trailers, answer = await call(socket_of(reattach), "/tfplugin6.Provider/GetProviderSchema")
    assert trailers["grpc-status"] == "0"
    assert answer == Session({}).connect().handle("/tfplugin6.Provider/GetProviderSchema", b"")


@pytest.mark.parametrize(
    ("method", "body", "status"),
    [
        ("/tfplugin6.Provider/Dance", b"", "12"),
        ("/plugin.GRPCStdio/StreamStdio", b"", "12"),
        (PLAN, b"\xff\xff", "13"),
        ("/plugin.GRPCController/Shutdown", b"", "0"),
    ],
)
async def test_every_call_gets_a_status(method: str, body: bytes, status: str) -> None:
    async with ProviderHost().serve({}) as reattach:
        trailers, _ = await call(socket_of(reattach), method, body)
    assert trailers["grpc-status"] == status


async def test_a_connection_that_outlives_the_command_is_hung_up_on() -> None:
    async with ProviderHost().serve({}) as reattach:
        socket = socket_of(reattach)
        reader, writer = await asyncio.open_unix_connection(socket)
        await reader.read(1)  # It was accepted: the server speaks first.
    with suppress(ConnectionResetError):
        while await reader.read(4096):
            pass
    assert reader.at_eof() or reader.exception()
    writer.close()


async def test_a_request_that_is_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grpc, "_LARGEST", 1000)
    async with ProviderHost().serve({}) as reattach:
        trailers, _ = await call(socket_of(reattach), PLAN, b"x" * 2000)
        assert trailers["grpc-status"] == "8"
        trailers, _ = await call(socket_of(reattach), "/tfplugin6.Provider/GetMetadata")
        assert trailers["grpc-status"] == "0"


async def test_a_session_that_records_takes_only_so_much(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grpc, "_LARGEST_RECORDED", 3000)
    async with ProviderHost().serve({}, Recorder()) as reattach:
        given = [await call(socket_of(reattach), PLAN, b"x" * 1000) for _ in range(4)]
    assert [trailers["grpc-status"] == "8" for trailers, _ in given] == [False, False, True, True]


async def test_a_client_that_speaks_something_else_is_hung_up_on() -> None:
    async with ProviderHost().serve({}) as reattach:
        reader, writer = await asyncio.open_unix_connection(socket_of(reattach))
        writer.write(b"GET / HTTP/1.1\r\n\r\n" * 10)
        await reader.read()
        writer.close()
