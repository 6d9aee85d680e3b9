"""Bodies end somewhere."""

from collections.abc import AsyncIterator

import httpx
from fastapi import FastAPI, Request

from server.kit.routing import install
from server.web import BodyLimit

LARGEST = 2 << 20


def client() -> httpx.AsyncClient:
    app = FastAPI()
    install(app)

    @app.post("/")
    async def take(request: Request) -> int:
        return len(await request.body())

    transport = httpx.ASGITransport(app=BodyLimit(app, LARGEST))
    return httpx.AsyncClient(transport=transport, base_url="http://coder.test")


async def chunks(count: int) -> AsyncIterator[bytes]:
    for _ in range(count):
        yield b"x" * (1 << 20)


async def test_a_body_within_the_limit_arrives() -> None:
    async with client() as api:
        assert (await api.post("/", content=b"x" * LARGEST)).json() == LARGEST
        assert (await api.post("/", content=chunks(2))).json() == LARGEST


async def test_a_body_that_says_it_is_too_long_is_not_read() -> None:
    async with client() as api:
        answer = await api.post("/", content=b"x" * (LARGEST + 1))
    assert answer.status_code == 413
    assert answer.json() == {"message": "The request body is larger than 2 MiB."}


async def test_a_body_that_grows_without_saying_so_is_cut_off() -> None:
    async with client() as api:
        answer = await api.post("/", content=chunks(3))
    assert answer.status_code == 413
    assert answer.json() == {"message": "The request body is larger than 2 MiB."}
