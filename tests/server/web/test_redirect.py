"""``--redirect-to-access-url``."""

import httpx
import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from server.web import Redirect


@pytest.mark.parametrize(
    ("url", "status", "target"),
    [
        ("http://10.0.0.1/a%20b?x=1", 307, "https://coder.example.com/a%20b?x=1"),
        ("http://coder.example.com/a", 200, None),
        ("http://CODER.example.com/a", 200, None),
        ("http://10.0.0.1/healthz", 200, None),
        ("http://10.0.0.1/api/v2/workspaceagents/me/rpc", 200, None),
        ("http://10.0.0.1//evil.example.com/", 307, "https://coder.example.com//evil.example.com/"),
    ],
)
async def test_who_comes_by_another_name_is_sent_on(
    url: str, status: int, target: str | None
) -> None:
    async def answer(_: object) -> PlainTextResponse:
        return PlainTextResponse("here")

    app = Redirect(Starlette(routes=[Route("/{path:path}", answer)]), "https://coder.example.com")
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app)) as client:
        found = await client.get(url)
    assert found.status_code == status
    assert found.headers.get("Location") == target
