"""One replica of the server: an event loop, the app, its listeners, and an orderly end."""

import asyncio
import signal
import ssl
from collections.abc import AsyncGenerator, Callable, Generator, Sequence
from contextlib import asynccontextmanager, contextmanager

import structlog
import uvicorn
import uvloop
from starlette.types import ASGIApp
from typing_extensions import override

from coder_cli.kit.refused import Refused
from server import app
from server.cli.listeners import Listener, bind, tls_context
from server.cli.plan import GRACE, Moments, Replica
from server.settings import Address
from server.web import BodyLimit, Redirect, metrics_app

log = structlog.get_logger()

_LARGEST_FRAME = 16 << 20
"""A batch of an agent's log holds a MiB of text, which JSON may make six times as long."""


class _Uvicorn(uvicorn.Server):
    """Uvicorn without its own signals: the loop has one owner."""

    @override
    @contextmanager
    def capture_signals(self) -> Generator[None]:
        yield


def run(replica: Replica, moments: Moments, *, signals: Sequence[signal.Signals]) -> None:
    """Serve until one of ``signals`` comes.

    Raises:
        Refused: the replica cannot start.
    """
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(replica, moments, signals))


async def _serve(replica: Replica, moments: Moments, signals: Sequence[signal.Signals]) -> None:
    stop = asyncio.Event()
    _on_signals(stop, moments, signals)
    settings = replica.settings
    house = app.build(settings, dsn=replica.dsn, access_url=replica.access_url)
    outside: ASGIApp = BodyLimit(house.asgi)
    if settings.networking.redirect_to_access_url:
        outside = Redirect(outside, replica.access_url)
    tls = tls_context(settings) if settings.tls.enable else None
    servers = [
        (_server(outside, tls if listener.secure else None), listener)
        for listener in replica.listeners
    ]
    if settings.introspection.prometheus_enable:
        numbers = metrics_app(house.metrics, house.database)
        servers.append((_server(numbers), _metrics_listener(replica)))
    async with _alive(house), asyncio.TaskGroup() as group:
        for server, listener in servers:
            group.create_task(server.serve(sockets=[listener.socket]))
        group.create_task(_tell(servers, moments.ready))
        await stop.wait()
        group.create_task(house.stop(GRACE))
        for server, _ in servers:
            server.should_exit = True


@asynccontextmanager
async def _alive(house: app.House) -> AsyncGenerator[None]:
    """Keep the database open and the background work running meanwhile."""
    await house.database.open()
    async with asyncio.TaskGroup() as group:
        work = group.create_task(house.workers.run())
        try:
            yield
        finally:
            work.cancel()
            # What does not end in time is taken over by other replicas.
            _, late = await asyncio.wait({work}, timeout=GRACE)
            if late:
                log.warning("background work did not end in time", seconds=GRACE)
            await house.database.close()


async def _tell(servers: list[tuple[_Uvicorn, Listener]], ready: Callable[[], None]) -> None:
    while not all(server.started for server, _ in servers):  # noqa: ASYNC110, uvicorn has no event
        await asyncio.sleep(0.005)
    ready()


def _server(asgi: ASGIApp, tls: ssl.SSLContext | None = None) -> _Uvicorn:
    def context(_: uvicorn.Config, __: Callable[[], ssl.SSLContext]) -> ssl.SSLContext:
        assert tls is not None
        return tls

    return _Uvicorn(
        uvicorn.Config(
            asgi,
            loop="none",
            http="httptools",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            # The caller's address is found by kit.realip, which trusts nobody by default.
            proxy_headers=False,
            timeout_keep_alive=75,
            timeout_graceful_shutdown=GRACE,
            ssl_context_factory=context if tls else None,
            ws="websockets-sansio",
            ws_max_size=_LARGEST_FRAME,
            ws_per_message_deflate=False,
            ws_ping_interval=15,
            # A stream under back-pressure reads no pongs: a deadline would kill a paused download.
            ws_ping_timeout=None,
        )
    )


def _metrics_listener(replica: Replica) -> Listener:
    address = replica.settings.introspection.prometheus_address
    if address is None:
        raise Refused("--prometheus-address: must be set when --prometheus-enable is on")
    if address.port:
        # Replicas of one machine show their own numbers, each at the next port.
        address = Address(address.host, address.port + replica.number)
    return Listener(bind(address), secure=False)


def _on_signals(stop: asyncio.Event, moments: Moments, signals: Sequence[signal.Signals]) -> None:
    """Let the first signal stop in order, and the second one at once."""

    def caught() -> None:
        if stop.is_set():
            moments.force()
        else:
            stop.set()
            moments.stopping()

    for number in signals:
        asyncio.get_running_loop().add_signal_handler(number, caught)
