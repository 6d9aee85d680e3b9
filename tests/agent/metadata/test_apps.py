"""Health of apps: thresholds, one success, changes only, and a server that really answers."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from uuid import uuid4

import pytest

from agent.metadata import AppHealths, is_well
from agent.metadata.apps import Judge
from coder_cli.sdk.agentapi import App, AppHealth, Healthcheck
from tests.agent.upstream.conftest import Desk
from tests.support.clock import settle


@dataclass
class Town:
    """The checks of a few apps, and how those are."""

    desk: Desk
    well: dict[str, bool] = field(default_factory=dict[str, bool])
    asked: list[str] = field(default_factory=list[str])
    silent: set[str] = field(default_factory=set[str])

    async def probe(self, url: str) -> bool:
        self.asked.append(url)
        if url in self.silent:
            await asyncio.Event().wait()
        return self.well.get(url, False)


def app_of(url: str, threshold: int = 3, interval: float = 5) -> App:
    check = Healthcheck(url, interval, threshold)
    return App(uuid4(), url, healthcheck=check, health=AppHealth.INITIALIZING)


@pytest.fixture
def town(desk: Desk) -> Town:
    return Town(desk)


@pytest.fixture
async def healths(desk: Desk, town: Town) -> AsyncIterator[AppHealths]:
    healths = AppHealths(desk.line, desk.clock, town.probe)
    task = asyncio.ensure_future(healths.run())
    yield healths
    task.cancel()
    await asyncio.wait({task})


def silent(desk: Desk) -> bool:
    return desk.end is not None and desk.end.inbox.empty()


def test_failures_in_a_row_make_an_app_unhealthy_and_one_success_resets() -> None:
    judge = Judge(3)
    told = [judge.after(well) for well in (False, False, True, False, False, False, False, True)]
    sick, well = AppHealth.UNHEALTHY, AppHealth.HEALTHY
    assert told == [None, None, well, None, None, sick, sick, well]


async def test_an_app_is_told_when_it_changes_and_only_then(
    desk: Desk, town: Town, healths: AppHealths
) -> None:
    app = app_of("web")
    town.well["web"] = True
    healths.know([app])
    await settle()
    await desk.clock.advance(6)
    message = await desk.hear()
    assert message["method"] == "app_healths"
    assert message["params"]["updates"] == [{"id": str(app.id), "health": "healthy"}]
    await desk.answer(message, {})
    await desk.clock.advance(60)
    assert silent(desk)
    town.well["web"] = False
    await desk.clock.advance(16)
    message = await desk.hear()
    assert message["params"]["updates"] == [{"id": str(app.id), "health": "unhealthy"}]


async def test_changes_of_a_second_are_one_report(
    desk: Desk, town: Town, healths: AppHealths
) -> None:
    town.well |= {"a": True, "b": True}
    healths.know([app_of("a"), app_of("b")])
    await settle()
    await desk.clock.advance(6)
    assert len((await desk.hear())["params"]["updates"]) == 2
    assert silent(desk)


async def test_an_app_that_does_not_answer_within_its_interval_fails(
    desk: Desk, town: Town, healths: AppHealths
) -> None:
    town.silent.add("slow")
    healths.know([app_of("slow", threshold=2)])
    await settle()
    await desk.clock.advance(21)
    (update,) = (await desk.hear())["params"]["updates"]
    assert update["health"] == "unhealthy"


@pytest.mark.parametrize(("threshold", "interval"), [(0, 5), (3, 0)])
async def test_apps_without_a_complete_check_are_not_asked(
    desk: Desk, town: Town, healths: AppHealths, threshold: int, interval: float
) -> None:
    healths.know([app_of("x", threshold, interval), App(uuid4(), "plain")])
    await settle()
    await desk.clock.advance(30)
    assert town.asked == []


async def test_a_server_that_forgot_is_told_again(
    desk: Desk, town: Town, healths: AppHealths
) -> None:
    app = app_of("web")
    town.well["web"] = True
    healths.know([app])
    await settle()
    await desk.clock.advance(6)
    await desk.answer(await desk.hear(), {})
    healths.know([app])  # The manifest of a new line still says: initializing.
    await settle()
    await desk.clock.advance(1)
    assert (await desk.hear())["params"]["updates"][0]["health"] == "healthy"


async def test_a_report_that_a_broken_line_lost_is_made_again(
    desk: Desk, town: Town, healths: AppHealths
) -> None:
    town.well["web"] = True
    healths.know([app_of("web")])
    await settle()
    await desk.clock.advance(6)
    await desk.hear()
    assert desk.end is not None
    desk.end.abort()
    await desk.clock.advance(2)
    assert (await desk.hear())["method"] == "app_healths"


async def test_an_app_of_the_template_no_longer_is_not_asked_any_more(
    desk: Desk, town: Town, healths: AppHealths
) -> None:
    healths.know([app_of("old")])
    await settle()
    healths.know([app_of("new")])
    await settle()
    await desk.clock.advance(20)
    assert set(town.asked) == {"new"}


@pytest.mark.parametrize(
    ("answer", "well"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", True),
        (b"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n", True),
        (b"HTTP/1.1 302 Go\r\nLocation: /login\r\nContent-Length: 0\r\n\r\n", True),
        (b"HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n", False),
        (b"HTTP/1.1 503 Oh\r\n\r\n", False),
        (b"no HTTP at all\r\n\r\n", False),
        (b"", False),
    ],
)
async def test_a_status_below_500_is_well(answer: bytes, well: bool) -> None:
    heard: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(answer)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    assert await is_well(f"http://user:pass@127.0.0.1:{port}/health?x=1") is well
    server.close()
    assert heard[0].startswith(b"GET /health?x=1 HTTP/1.1\r\n")
    assert f"Host: 127.0.0.1:{port}\r\n".encode() in heard[0]
    assert b"Authorization: Basic dXNlcjpwYXNz\r\n" in heard[0]
    assert await is_well(f"http://127.0.0.1:{port}/") is False


@pytest.mark.parametrize(
    "url", ["", "ftp://x", "http://", "http://[", "http://a:99999999/", "x\ny"]
)
async def test_what_is_no_url_is_not_well(url: str) -> None:
    assert await is_well(url) is False
