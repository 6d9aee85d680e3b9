"""An app on a real port, for what only a socket shows: WebSockets, streams, leaving clients."""

import asyncio
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager

import uvicorn
from fastapi import FastAPI
from typing_extensions import override

from server.kit.guard import Guard


class _Server(uvicorn.Server):
    @contextmanager
    @override
    def capture_signals(self) -> Generator[None]:
        yield


@asynccontextmanager
async def served(app: FastAPI) -> AsyncGenerator[str]:
    """Serve an app; yield the address of its API, without a scheme."""
    config = uvicorn.Config(
        Guard(app),
        host="127.0.0.1",
        port=0,
        ws="websockets-sansio",
        log_config=None,
        lifespan="off",
        timeout_graceful_shutdown=1,
    )
    server = _Server(config)
    running = asyncio.ensure_future(server.serve())
    while not server.started:
        await asyncio.wait([running], timeout=0.005)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"127.0.0.1:{port}/api/v2"
    finally:
        server.should_exit = True
        await running
