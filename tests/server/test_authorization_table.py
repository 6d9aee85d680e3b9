"""Every route against every role: the table says who gets in, and no route is without a line."""

import json
import re
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import pytest
from fastapi import FastAPI
from starlette.requests import HTTPConnection

from server import app as composition
from server.chats import Titles
from server.identity import IdentityOptions
from server.kit.authz import Actor
from server.kit.db import Database
from server.kit.errors import NotFound
from server.kit.routing import (
    Authenticator,
    Limits,
    error_body,
    provide,
    services,
    session_token,
)
from server.settings import Settings
from server.templates import FormDesk
from tests.server.authorization_table import ACTORS, BODIES, QUERIES, TABLE
from tests.support.knock import Answer, Door, doors, knock
from tests.support.people import NO_LIMITS, OPTIONS
from tests.support.scene import Forgetful, Inhabitant, settle

T = TypeVar("T")

TARGETS = ("own", "bob", "eve")
GROUPS = (
    "users",
    "organizations",
    "workspaces",
    "workspacebuilds",
    "workspaceagents",
    "chats",
)
OTHERS = "others"
PREFIX = "/api/v2"
CHATS = "/api/experimental/chats"
"""The other base of chats: the same routes, and so the same lines."""
HIDDEN = json.dumps(error_body(NotFound()), separators=(",", ":")).encode()
_PLACEHOLDER = re.compile(r"\{(\w+)(?::\w+)?\}")

ALIASES: Mapping[str, str] = {
    "organization}/templates/{template}": "starter",
    "workspace/{name}": "dev",
    "tokens/{name}": "script",
    "templates/{name}": "starter",
    "versions/{name}": "one",
    "bin/{name}": "coder-linux-amd64",
    "provisionerkeys/{name}": "nobody",
    "provisionerkeys/{key}": "nobody",
    "assets/{name}": "style.css",
    "builds/{number}": "1",
    "init-script/{os}": "linux",
    "external-agent/{agent}": "outside",
    "linux/{arch}": "amd64",
    "streams/{stream_id}": "00.00",
    "devcontainers/{devcontainer}": "00000000-0000-0000-0000-000000000000",
    "chats/files/{file}": "{chat_file}",
    "chats/providers/{provider}": "{chat_provider}",
    "chats/providers/{provider_id}": "{chat_provider}",
    "user-provider-configs/{provider}": "{chat_provider}",
    "model-configs/{config}": "{model}",
    "model-configs/{model_config_id}": "{model}",
}
"""Placeholders whose meaning is told by the segment before them."""

SYNONYMS: Mapping[str, str] = {
    "agent_id": "agent",
    "workspaceagent": "agent",
    "workspacebuild": "build",
    "templateversion": "version",
    "file_id": "file",
    "keyid": "key",
}


@dataclass(frozen=True)
class Line:
    """What the table says of one route."""

    door: str
    expected: tuple[str, ...]


def parsed() -> dict[str, Line]:
    """Return the table by ``METHOD path``."""
    rows = [row.split() for row in TABLE.splitlines() if row.strip() and row[0] != "#"]
    lines = [Line(f"{row[0]} {row[1]}", tuple(row[2:])) for row in rows]
    assert len({line.door for line in lines}) == len(lines), "a route has two lines"
    return {line.door: line for line in lines}


def short(door: Door) -> str:
    """Return how the table writes a route."""
    path = door.path
    if path == CHATS or path.startswith(f"{CHATS}/"):
        path = f"{PREFIX}/chats{path.removeprefix(CHATS)}"
    inside = path.startswith(f"{PREFIX}/")
    return f"{door.method} {path.removeprefix(PREFIX) if inside else '^' + path}"


def group(key: str) -> str:
    """Return the part of the table that a route is tested with."""
    first = key.split()[1].split("/")[1]
    return first if first in GROUPS else OTHERS


def build(dsn: str, folder: Path) -> FastAPI:
    """Return the whole app, as ``coder server`` would serve it."""
    settings = Settings(config_dir=folder)
    house = composition.build(settings, dsn=dsn, access_url="http://coder.test")
    return house.app


@asynccontextmanager
async def town(dsn: str, folder: Path) -> AsyncGenerator[tuple[FastAPI, dict[str, Inhabitant]]]:
    """Yield the app over a settled database that forgets whatever is done to it."""
    app = build(dsn, folder)
    real, forgetful = service_of(app, Database), Forgetful(dsn, max_open=4)
    provide(app, Database, forgetful)
    service_of(app, FormDesk).db = forgetful
    provide(app, Titles, replace(service_of(app, Titles), database=forgetful))
    provide(app, IdentityOptions, OPTIONS)
    provide(app, Limits, NO_LIMITS)
    provide(app, Authenticator, Remembering(service_of(app, Authenticator)))
    await real.open()
    await forgetful.open()
    try:
        yield app, await settle(real)
    finally:
        await forgetful.close()
        await real.close()


class Remembering:
    """An authenticator that asks the real one once for each session: no rights change here."""

    def __init__(self, real: Authenticator) -> None:
        self._real = real
        self._known: dict[str, Actor] = {}

    async def __call__(self, connection: HTTPConnection) -> Actor:
        token = session_token(connection)
        if token not in self._known:
            self._known[token] = await self._real(connection)
        return self._known[token]


def service_of(app: FastAPI, kind: type[T]) -> T:
    """Return what the app was composed with."""
    return services(app)[kind]


def fill(text: str, things: Mapping[str, str]) -> str:
    """Put an inhabitant's things into a path."""
    for before, value in ALIASES.items():
        text = text.replace(before, f"{before.rpartition('/')[0]}/{value}")
    return _PLACEHOLDER.sub(lambda found: things[SYNONYMS.get(found[1], found[1])], text)


def filled(body: Any, things: Mapping[str, str]) -> Any:
    """Put an inhabitant's things into a body."""
    match body:
        case str():
            return fill(body, things)
        case dict():
            return {key: filled(value, things) for key, value in body.items()}  # pyright: ignore[reportUnknownVariableType] - JSON
        case list():
            return [filled(value, things) for value in body]  # pyright: ignore[reportUnknownVariableType] - JSON
        case _:
            return body


def letter(answer: Answer) -> str:
    """Return the table's letter for an answer; a 404 is hidden only in the words of all of them."""
    assert 0 < answer.status < 500, (answer.status, answer.body)
    match answer.status:
        case 401:
            return "!"
        case 403:
            return "-"
        case 404 if answer.body == HIDDEN:
            return "."
        case status:
            return "+" if status < 400 else "~"


@dataclass
class Survey:
    """Knocks at one door as everybody, and at everybody's."""

    app: FastAPI
    people: Mapping[str, Inhabitant]

    async def words(self, door: Door) -> list[str]:
        """Return the table's words for a route; one, when the target makes no difference."""
        return [await self.word(door, target) for target in TARGETS[: self.reach(door)]]

    @staticmethod
    def reach(door: Door) -> int:
        return len(TARGETS) if _PLACEHOLDER.search(door.path) else 1

    async def word(self, door: Door, target: str) -> str:
        return "".join([letter(await self.ask(door, actor, target)) for actor in ACTORS])

    async def ask(self, door: Door, actor: str, target: str) -> Answer:
        anonymous = actor == "anonymous"
        whose = ("bob" if anonymous else actor) if target == "own" else target
        things = self.people[whose].things
        token = "" if anonymous else self.people[actor].token
        body = filled(BODIES.get(short(door)), things)
        query = fill(QUERIES.get(short(door), ""), things)
        path = f"{fill(door.path, things)}{'?' * bool(query)}{query}"
        return await knock(self.app, Door(door.method, path), token, body)


async def test_every_route_has_a_line_and_every_line_a_route(dsn: str, tmp_path: Path) -> None:
    async with town(dsn, tmp_path) as (app, people):
        routes, lines = {short(door): door for door in doors(app)}, parsed()
        survey = Survey(app, people)
        missing = [
            f"{key} {' '.join(await survey.words(door))}"
            for key, door in routes.items()
            if key not in lines
        ]
    gone = sorted(set(lines) - set(routes))
    assert not missing, (
        "Routes without a line. This is how they answer now; if it is right, it goes into "
        "tests/server/authorization_table.py:\n" + "\n".join(missing)
    )
    assert not gone, f"Lines without a route: {gone}"
    assert not {*BODIES, *QUERIES} - set(routes), "bodies or queries without a route"


def test_chats_have_the_same_routes_at_both_bases(tmp_path: Path) -> None:
    found = doors(build("postgresql://nowhere/none", tmp_path))
    bases = [
        {
            (door.method, door.path.removeprefix(base))
            for door in found
            if door.path.startswith(base)
        }
        for base in (f"{PREFIX}/chats", CHATS)
    ]
    assert bases[0] == bases[1]
    assert bases[0]


@pytest.mark.parametrize("part", [*GROUPS, OTHERS])
async def test_who_gets_in(dsn: str, tmp_path: Path, part: str) -> None:
    lines = {key: line for key, line in parsed().items() if group(key) == part}
    async with town(dsn, tmp_path) as (app, people):
        survey = Survey(app, people)
        found = {
            short(door): await survey.words(door) for door in doors(app) if short(door) in lines
        }
    wrong = [
        f"{key}\n  expected {' '.join(line.expected)}\n  found    {' '.join(found[key])}"
        for key, line in lines.items()
        if key in found and tuple(found[key]) != line.expected
    ]
    assert not wrong, "\n".join(wrong)
