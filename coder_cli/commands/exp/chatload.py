"""A load of chats: each on a stream of its own, turn after turn, with a watch on every first word.

Plain JSON instead of shapes: the load generator shares its machine with the server, often enough.
"""

import asyncio
import json
import resource
import ssl
from collections import Counter
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from coder_cli.kit.clock import SystemClock
from coder_cli.sdk.direct import trusting

API = "/api/v2/chats"
SAMPLES = 5
"""Failures that are told in words."""
PER_SOCKET = 64
"""Descriptors beside those of the chats."""

Json = dict[str, Any]


class Failed(Exception):
    """A turn did not end as it should; the message is the reason that is counted."""


@dataclass(frozen=True, slots=True)
class Load:
    """What to do to which deployment."""

    url: str
    headers: Mapping[str, str]
    organization_id: str
    workspace_id: str | None
    model_config_id: str | None
    chats: int
    turns: int
    concurrency: int
    prompt: str
    turn_timeout: float
    keep: bool


@dataclass(slots=True)
class Report:
    """What came of it."""

    load: Load
    seconds: float = 0.0
    first_words: list[float] = field(default_factory=list[float])
    turns: list[float] = field(default_factory=list[float])
    failures: Counter[str] = field(default_factory=Counter[str])

    def as_json(self) -> Json:
        """Return the figures as programs read them; times are milliseconds."""
        done = len(self.turns)
        return {
            "chats": self.load.chats,
            "turns_per_chat": self.load.turns,
            "concurrency": self.load.concurrency,
            "turns": done,
            "seconds": round(self.seconds, 3),
            "turns_per_second": round(done / self.seconds, 2) if self.seconds else 0.0,
            "first_token_ms": _percentiles(self.first_words),
            "turn_ms": _percentiles(self.turns),
            "failed": self.failures.total(),
            "failures": dict(self.failures.most_common()),
        }

    def lines(self) -> list[str]:
        """Return the figures for people."""
        told = self.as_json()
        first, turn = told["first_token_ms"], told["turn_ms"]
        done, wanted = len(self.turns), self.load.chats * self.load.turns
        rate = told["turns_per_second"]
        lines = [
            f"Turns:        {done} of {wanted} in {self.seconds:.1f}s, {rate:.1f} a second",
            f"First token:  {_words(first)}",
            f"Whole turn:   {_words(turn)}",
            f"Failures:     {told['failed']}",
        ]
        lines += [f"  {count} times: {why}" for why, count in self.failures.most_common(SAMPLES)]
        return lines


async def measure(load: Load) -> Report:
    """Do it all, and return the figures."""
    _open_files(load.concurrency)
    report = Report(load)
    clock = SystemClock()
    limits = httpx.Limits(max_connections=min(load.concurrency, 100), max_keepalive_connections=100)
    secure = load.url.startswith("https:")
    async with httpx.AsyncClient(
        base_url=load.url,
        headers=dict(load.headers),
        limits=limits,
        timeout=httpx.Timeout(load.turn_timeout),
        verify=trusting() if secure else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
    ) as http:
        room = asyncio.Semaphore(load.concurrency)
        begun = clock.monotonic()
        made: list[str] = []
        async with asyncio.TaskGroup() as group:
            for number in range(load.chats):
                group.create_task(_one(_Chat(load, http, report, number), room, made))
        report.seconds = clock.monotonic() - begun
        if not load.keep:
            await _put_away(http, made)
    return report


async def _one(chat: "_Chat", room: asyncio.Semaphore, made: list[str]) -> None:
    async with room:
        try:
            await chat.run()
        except Failed as error:
            chat.report.failures[str(error)] += 1
        except (httpx.HTTPError, WebSocketException, OSError, ValueError, KeyError) as error:
            why = str(error) or type(error).__name__
            chat.report.failures[f"{type(error).__name__}: {why[:120]}"] += 1
        finally:
            if chat.id:
                made.append(chat.id)


@dataclass(slots=True)
class _Chat:
    load: Load
    http: httpx.AsyncClient
    report: Report
    number: int
    id: str = ""
    status: str = ""
    _clock: SystemClock = field(default_factory=SystemClock)

    async def run(self) -> None:
        """Take all turns of this chat."""
        said = self._clock.monotonic()
        self.id = (await self._post("", self._order()))["id"]
        async with self._stream() as line:
            after = 0
            for turn in range(self.load.turns):
                if turn:
                    said = self._clock.monotonic()
                    sent = await self._post(f"/{self.id}/messages", self._words())
                    after = sent["message"]["id"] if sent.get("message") else after
                try:
                    async with asyncio.timeout(self.load.turn_timeout):
                        await self._turn(line, after, said)
                except TimeoutError:
                    raise Failed(f"no end within {self.load.turn_timeout:g}s") from None

    async def _turn(self, line: ClientConnection, after: int, said: float) -> None:
        """Read until the turn that answers message ``after`` is over."""
        first = answered = False
        async for frame in line:
            for event in json.loads(frame):
                match event["type"]:
                    case "message_part" if not first:
                        first = True
                        self.report.first_words.append(self._clock.monotonic() - said)
                    case "message":
                        message = event["message"]
                        answered |= message["role"] == "assistant" and message["id"] > after
                    case "status":
                        self.status = event["status"]["status"]
                    case "error":
                        raise Failed(f"the turn failed: {event['error']['message']}"[:160])
                    case _:
                        pass
                # A stream that began late tells the end before the answer.
                if answered and self.status == "waiting":
                    self.report.turns.append(self._clock.monotonic() - said)
                    return
        raise Failed("the stream was closed")

    @asynccontextmanager
    async def _stream(self) -> AsyncGenerator[ClientConnection]:
        address = urlsplit(self.load.url)
        secure = address.scheme == "https"
        async with connect(
            f"{'wss' if secure else 'ws'}://{address.netloc}{API}/{self.id}/stream",
            additional_headers=dict(self.load.headers),
            user_agent_header=None,
            ssl=trusting() if secure else None,
            max_size=16 * 2**20,
            compression=None,
            open_timeout=self.load.turn_timeout,
        ) as line:
            yield line

    async def _post(self, path: str, body: Json) -> Json:
        answer = await self.http.post(f"{API}{path}", json=body)
        if answer.status_code >= 400:
            with suppress(ValueError):
                raise Failed(f"{answer.status_code} {answer.json().get('message', '')}")
            raise Failed(f"{answer.status_code}")
        return answer.json()

    def _content(self) -> list[Json]:
        return [{"type": "text", "text": self.load.prompt}]

    def _words(self) -> Json:
        return {"content": self._content()}

    def _order(self) -> Json:
        order: Json = {
            "organization_id": self.load.organization_id,
            "content": self._content(),
            "labels": {"scaletest": str(self.number)},
        }
        if self.load.workspace_id:
            order["workspace_id"] = self.load.workspace_id
        if self.load.model_config_id:
            order["model_config_id"] = self.load.model_config_id
        return order


async def _put_away(http: httpx.AsyncClient, made: list[str]) -> None:
    room = asyncio.Semaphore(20)

    async def archive(chat_id: str) -> None:
        async with room:
            with suppress(httpx.HTTPError):
                await http.patch(f"{API}/{chat_id}", json={"archived": True})

    async with asyncio.TaskGroup() as group:
        for chat_id in made:
            group.create_task(archive(chat_id))


def _open_files(streams: int) -> None:
    """Ask the system for as many descriptors as the streams need."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = streams + 100 + PER_SOCKET
    if soft < wanted:
        most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def _words(figures: Mapping[str, float]) -> str:
    middle, late, most = figures["p50"], figures["p95"], figures["max"]
    return f"p50 {middle:.0f} ms, p95 {late:.0f} ms, at most {most:.0f} ms"


def _percentiles(seconds: list[float]) -> dict[str, float]:
    if not seconds:
        return {"p50": 0.0, "p95": 0.0, "max": 0.0}
    ranked = sorted(seconds)

    def at(share: float) -> float:
        return round(1000 * ranked[min(len(ranked) - 1, int(share * len(ranked)))], 1)

    return {"p50": at(0.5), "p95": at(0.95), "max": at(1.0)}
