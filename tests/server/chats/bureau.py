"""Chats behind their routes, for tests of lists, files, settings and pull requests."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
from fastapi import APIRouter

from server import identity
from server.chats.actions.diffs import Diffs
from server.chats.actions.gitsync import GitSync
from server.chats.actions.titles import Namer, Titles
from server.chats.model.accounts import GitAccount
from server.chats.model.rules import ChatRules
from server.chats.routes import config, diffs, files, listing, titles
from server.chats.store import chats, messages
from server.chats.store.chats import NewChat
from server.kit.db import Database
from server.kit.routing import Limits, provide
from server.llm import Role
from tests.server.chats.rows import MODEL, SYSTEM, text
from tests.support.people import NO_LIMITS, People, Person, gathered

BASE = "/api/v2/chats"


_ROUTES = APIRouter()
for _part in (files, config, listing, titles, diffs):
    _ROUTES.include_router(_part.routes, prefix=BASE)


@dataclass
class Accounts:
    """Accounts that people linked: one for everybody, or none."""

    account: GitAccount | None = None
    asked: list[tuple[UUID, str]] = field(default_factory=list[tuple[UUID, str]])
    called: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self, user_id: UUID, origin: str) -> GitAccount | None:
        self.asked.append((user_id, origin))
        self.called.set()
        return self.account


@dataclass
class Bureau:
    """People and their chats."""

    people: People
    client: httpx.AsyncClient
    accounts: Accounts = field(default_factory=Accounts)
    namer: Namer | None = None
    organization: UUID = field(init=False)
    model: UUID = field(init=False)
    root: Person = field(init=False)
    ann: Person = field(init=False)

    @property
    def database(self) -> Database:
        return self.people.database

    async def begin(self) -> None:
        """Add an owner, a member called Ann, and a model."""
        self.organization = await self.people.home()
        self.root = await self.people.add("root", "owner")
        self.ann = await self.people.add("ann")
        self.model = uuid4()
        async with self.database.tx(SYSTEM) as tx:
            args = {"id": self.model, "model": "one", "default": True, "now": tx.now}
            await tx.run(MODEL, args)
        self.titles = Titles(self.database, self.namers)
        provide(self.people.app, Titles, self.titles)
        provide(self.people.app, ChatRules, ChatRules())
        provide(self.people.app, Diffs, Diffs(self.database, self.accounts, self.client))
        self.gitsync = GitSync(self.database, self.accounts, self.client)

    async def namers(self, owner_id: UUID, config_id: UUID) -> Namer:
        assert self.namer is not None
        assert config_id == self.model
        return self.namer

    async def chat(
        self, who: Person, *, age: float = 0, columns: dict[str, Any] | None = None, **rest: Any
    ) -> UUID:
        """Write a chat that changed ``age`` seconds ago and waits for its owner."""
        chat_id = uuid4()
        title = rest.pop("title", "A chat")
        home = rest.pop("organization_id", self.organization)
        async with self.database.tx(SYSTEM) as tx:
            await chats.insert(tx, NewChat(chat_id, home, who.id, title, self.model, **rest))
            at = tx.now - timedelta(seconds=age)
            values = {"status": "waiting", "updated_at": at, "created_at": at, **(columns or {})}
            for column, value in values.items():
                await tx.run(
                    f"UPDATE chats SET {column} = %(value)s WHERE id = %(id)s",  # pyright: ignore[reportArgumentType]
                    {"value": value, "id": chat_id},
                )
        return chat_id

    async def say(self, chat_id: UUID, role: Role, words: str, **rest: Any) -> int:
        """Add a message of one text, without moving the chat's time."""
        async with self.database.tx(SYSTEM) as tx:
            at = await tx.value("SELECT updated_at FROM chats WHERE id = %(id)s", {"id": chat_id})
            [message_id] = await messages.append(tx, chat_id, [text(role, words, **rest)])
            await tx.run(
                "UPDATE chats SET updated_at = %(at)s WHERE id = %(id)s", {"at": at, "id": chat_id}
            )
        return message_id

    async def value(self, sql: str, **args: Any) -> Any:
        """Return one value of the database."""
        async with self.database.tx(SYSTEM) as tx:
            return await tx.value(sql, args)  # pyright: ignore[reportArgumentType]

    async def run(self, sql: str, **args: Any) -> int:
        """Change the database."""
        async with self.database.tx(SYSTEM) as tx:
            return await tx.run(sql, args)  # pyright: ignore[reportArgumentType]

    async def listed(self, who: Person, **query: Any) -> list[UUID]:
        """Return the ids of one page."""
        return [UUID(one["id"]) for one in await self.list(who, **query)]

    async def list(self, who: Person, **query: Any) -> list[dict[str, Any]]:
        """Return one page."""
        answer = await who.api.get("/chats", params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()


@asynccontextmanager
async def opened(
    database: Database,
    limits: Limits = NO_LIMITS,
    routers: Sequence[APIRouter] = (),
) -> AsyncGenerator[Bureau]:
    """Yield a deployment with the routes of these tests."""
    every = (identity.routes, _ROUTES, *routers)
    async with gathered(database, limits=limits, routers=every) as people, httpx.AsyncClient() as client:  # fmt: skip # noqa: E501
        bureau = Bureau(people, client)
        await bureau.begin()
        yield bureau
