"""A control plane for tests: both directions of the line, dial-back streams, and a TCP bridge."""

import asyncio
import contextlib
import json
import ssl
from collections import defaultdict
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID, uuid4

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from coder_cli.sdk import agentapi as api
from coder_cli.sdk.agentapi import Json, Manifest, Method

TOKEN = "4f1c2c0e-6d4f-4ba9-9a2b-6e1f0b1e7f10"
PATIENCE = 20.0


def manifest_of(**changes: Any) -> Manifest:
    """Return a manifest, with what the test needs to be different."""
    plain = Manifest(
        agent_id=uuid4(),
        workspace_id=uuid4(),
        agent_name="main",
        workspace_name="dev",
        owner_username="alice",
    )
    return replace(plain, **changes)


def script_of(text: str, **changes: Any) -> api.Script:
    """Return a start script, with what the test needs to be different."""
    plain = api.Script(uuid4(), uuid4(), text, run_on_start=True, display_name="script")
    return replace(plain, **changes)


@dataclass
class ControlPlane:
    """One server. Everything the agent called is in ``calls``, in order."""

    manifest: Manifest = field(default_factory=manifest_of)
    calls: list[tuple[str, dict[str, Json]]] = field(default_factory=list[Any])
    connections: int = 0
    refusal: tuple[int, str] | None = None
    answers: dict[str, Callable[[dict[str, Json]], Json]] = field(default_factory=dict[str, Any])
    banners: tuple[api.Banner, ...] = ()
    deaf: bool = False
    """Take calls, answer none."""

    def __post_init__(self) -> None:
        self._changed = asyncio.Event()
        self._line: ServerConnection | None = None
        self._waiting: dict[str, asyncio.Future[ServerConnection]] = {}
        self._done: dict[str, asyncio.Event] = defaultdict(asyncio.Event)
        self._server: Server | None = None
        self._answered: dict[int, Json] = {}
        self._claimed = asyncio.Event()
        self.reinits = 0
        self.url = ""
        self.requests: list[Request] = []

    async def start(self, port: int = 0, tls: ssl.SSLContext | None = None) -> None:
        """Listen on a loopback port."""
        self._server = await serve(
            self._connected,
            "127.0.0.1",
            port,
            process_request=self._check,
            compression=None,
            max_size=None,
            ping_interval=None,
            close_timeout=1,
            ssl=tls,
        )
        address = next(iter(self._server.sockets)).getsockname()
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{address[1]}"

    async def stop(self) -> None:
        """Stop listening and drop every connection."""
        assert self._server is not None
        if self._line:
            self._line.transport.abort()
        self._server.close()
        await self._server.wait_closed()

    # --- what the agent did ---------------------------------------------------------------

    def called(self, method: Method) -> list[dict[str, Json]]:
        """Return the params of all calls of ``method``."""
        return [params for name, params in self.calls if name == method]

    @property
    def states(self) -> list[str]:
        """Return the lifecycle states in the order in which they were told."""
        return [params["state"] for params in self.called(Method.LIFECYCLE)]

    def lines(self, source_id: UUID | None = None) -> list[str]:
        """Return all log lines, or those of one source."""
        return [
            line["output"]
            for batch in self.called(Method.LOGS)
            if source_id in (None, UUID(batch["log_source_id"]))
            for line in batch["logs"]
        ]

    async def until(self, condition: Callable[[], object]) -> None:
        """Wait until ``condition`` holds; it is asked after each call and connection."""
        async with asyncio.timeout(PATIENCE):
            while not condition():
                self._changed.clear()
                await self._changed.wait()

    # --- what the server does -------------------------------------------------------------

    async def call(self, method: Method | str, params: Json) -> Json:
        """Call the agent and return the whole answer."""
        await self.until(lambda: self._line is not None)
        assert self._line is not None
        number = 1000 + len(self._answered) + len(self._waiting)
        body = {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
        await self._line.send(json.dumps(body))
        await self.until(lambda: number in self._answered)
        return self._answered[number]

    async def drop(self) -> None:
        """Break the line without a good-bye."""
        assert self._line is not None
        self._line.transport.abort()
        await self.until(lambda: self._line is None)

    @contextlib.asynccontextmanager
    async def stream(self, port: int) -> AsyncGenerator[ServerConnection]:
        """Open a stream to ``port`` of the workspace."""
        stream_id = f"a.{uuid4().hex}"
        self._waiting[stream_id] = asyncio.get_running_loop().create_future()
        await self.call(Method.OPEN, {"stream_id": stream_id, "port": port})
        try:
            async with asyncio.timeout(PATIENCE):
                connection = await self._waiting[stream_id]
            yield connection
        finally:
            self._done[stream_id].set()

    @contextlib.asynccontextmanager
    async def bridge(self, port: int) -> AsyncGenerator[int]:
        """Listen on a loopback TCP port that leads to ``port`` of the workspace."""

        async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            async with self.stream(port) as stream:
                await _pump(stream, reader, writer)

        server = await asyncio.start_server(accept, "127.0.0.1", 0, limit=api.FRAME)
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            server.close()

    async def tell_claim(self) -> None:
        """Tell the agent, which waits for it, that its workspace was claimed."""
        await self.until(lambda: self.reinits)
        self._claimed.set()

    # --- the line -------------------------------------------------------------------------

    async def _check(self, connection: ServerConnection, request: Request) -> Response | None:
        self.requests.append(request)
        if self.refusal:
            status, message = self.refusal
            self._ring()
            return connection.respond(HTTPStatus(status), json.dumps({"message": message}))
        if request.headers.get(api.TOKEN_HEADER) != TOKEN:
            return connection.respond(HTTPStatus.UNAUTHORIZED, "{}")
        if request.path == api.REINIT_PATH:
            self.reinits += 1
            self._ring()
            await self._claimed.wait()
            word = 'event: data\ndata: {"workspaceID": "x", "reason": "prebuild_claimed"}\n\n'
            return connection.respond(HTTPStatus.OK, f"event: ping\ndata: null\n\n{word}")
        return None

    async def _connected(self, connection: ServerConnection) -> None:
        assert connection.request is not None
        path = urlsplit(connection.request.path).path
        if path == api.RPC_PATH:
            await self._converse(connection)
            return
        stream_id = path.rpartition("/")[2]
        self._waiting[stream_id].set_result(connection)
        await self._done[stream_id].wait()

    async def _converse(self, connection: ServerConnection) -> None:
        self.connections += 1
        self._line = connection
        self._ring()
        try:
            async for text in connection:
                message = json.loads(text)
                if "method" in message:
                    await self._take(connection, message)
                else:
                    self._answered[message["id"]] = message
                self._ring()
        except ConnectionClosed:
            pass
        finally:
            if self._line is connection:
                self._line = None
            self._ring()

    async def _take(self, connection: ServerConnection, message: Json) -> None:
        method, params = message["method"], message["params"]
        self.calls.append((method, params))
        self._ring()
        if self.deaf:
            return
        answer: dict[str, Json] = {"jsonrpc": "2.0", "id": message["id"]}
        try:
            answer["result"] = self._answer(method, params)
        except LookupError as error:
            answer["error"] = {"code": -32000, "message": str(error)}
        except ConnectionResetError:
            connection.transport.abort()
            return
        except TimeoutError:  # This call is never answered.
            return
        await connection.send(json.dumps(answer))

    def _answer(self, method: str, params: dict[str, Json]) -> Json:
        if method in self.answers:
            return self.answers[method](params)
        match method:
            case Method.MANIFEST:
                return api.to_json(self.manifest)
            case Method.LOGS:
                return {"log_limit_exceeded": False}
            case Method.STATS:
                return {"report_interval_ms": 60_000}
            case Method.BANNERS:
                return api.to_json(api.Banners(self.banners))
            case _:
                return {}

    def _ring(self) -> None:
        self._changed.set()


async def _pump(
    stream: ServerConnection, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    async def outward() -> None:
        try:
            while data := await reader.read(api.FRAME):
                await stream.send(data)
            await stream.send(b"")
        except OSError:  # A client that was killed resets its connection.
            await stream.close()

    async def inward() -> None:
        async for data in stream:
            assert isinstance(data, bytes)
            if not data:
                writer.write_eof()
                continue
            writer.write(data)
            await writer.drain()
        writer.close()

    with contextlib.suppress(ConnectionClosed, OSError):
        await asyncio.gather(outward(), inward(), return_exceptions=True)
    await stream.close()
