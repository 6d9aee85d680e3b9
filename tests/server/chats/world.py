"""A deployment with chats and no worker: tests run turns by hand."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
from fastapi import APIRouter

from server import identity
from server.chats.actions import turns
from server.chats.actions.turns import Ended
from server.chats.convert.rows import new_message
from server.chats.model import Chat
from server.chats.model.rules import ChatRules
from server.chats.routes import routes, talk
from server.chats.store import chats, leases
from server.chats.store.leases import Room
from server.kit.db import Database
from server.kit.routing import provide
from server.llm import Part, Role, Text, ToolCall, ToolResult
from server.loop import Done, Outcome, Row
from tests.server.chats.rows import MODEL, SYSTEM
from tests.support.people import People, Person, gathered

LEASE = timedelta(seconds=15)

_MOUNTED = APIRouter()
for _part in (talk, routes):
    _MOUNTED.include_router(_part, prefix="/api/v2")

__all__ = ["SYSTEM", "World", "answered", "called", "deployment", "said", "spoken", "words"]


@dataclass(frozen=True)
class Runner:
    """A lease of one chat, and what can be done with it."""

    world: "World"
    chat: Chat
    id: UUID

    async def step(
        self, *rows: Row, last: Outcome | None = None, interrupted: bool = False
    ) -> Ended:
        """Store a step; by default one in which the model says a word."""
        new = [
            new_message(row, model_config_id=_model(row, self.chat)) for row in rows or (said(),)
        ]
        batch = turns.batch(new)
        async with self.world.database.tx(SYSTEM) as tx:
            return await turns.commit_step(
                tx, self.chat.id, self.id, batch, interrupted=interrupted, last=last
            )

    async def end(self, outcome: Outcome) -> Ended:
        """End the turn."""
        async with self.world.database.tx(SYSTEM) as tx:
            return await turns.end_turn(tx, self.chat.id, self.id, outcome)


@dataclass
class World:
    """People, two models, and the chats of Ann."""

    people: People
    owner: Person = field(init=False)
    ann: Person = field(init=False)
    organization: UUID = field(init=False)
    model: UUID = field(default_factory=uuid4)
    other_model: UUID = field(default_factory=uuid4)

    @property
    def database(self) -> Database:
        return self.people.database

    async def begin(self) -> None:
        """Add an owner, a member called Ann, and two models."""
        self.organization = await self.people.home()
        self.owner = await self.people.add("root", "owner")
        self.ann = await self.people.add("ann")
        async with self.database.tx(SYSTEM) as tx:
            for id_, name in ((self.model, "one"), (self.other_model, "two")):
                default = id_ == self.model
                await tx.run(MODEL, {"id": id_, "model": name, "default": default, "now": tx.now})

    async def chat(self, text: str = "hello", **rest: Any) -> UUID:
        """Have Ann make a chat."""
        made = await self.ann.api.post("/chats", json=self.order(text, **rest))
        assert made.status_code == 201, made.text
        return UUID(made.json()["id"])

    def order(self, text: str = "hello", **rest: Any) -> dict[str, Any]:
        """Return a request for a chat."""
        return {"organization_id": str(self.organization), "content": words(text), **rest}

    async def send(self, chat: UUID, text: str, **rest: Any) -> dict[str, Any]:
        """Have Ann say something."""
        sent = await self.ann.api.post(
            f"/chats/{chat}/messages", json={"content": words(text), **rest}
        )
        assert sent.status_code == 200, sent.text
        return sent.json()

    async def run(self, chat: UUID) -> Runner:
        """Take a lease on a chat that waits, as a worker does."""
        for acquired in await self.acquire():
            if acquired.id == chat:
                assert acquired.runner_id
                return Runner(self, acquired, acquired.runner_id)
        raise LookupError(chat)

    async def acquire(self, most: int = 100) -> list[Chat]:
        """Take leases on chats that wait."""
        async with self.database.tx(SYSTEM) as tx:
            return await leases.acquire(tx, uuid4(), Room(most, most, most), LEASE)

    async def idle(self, text: str = "hello", **rest: Any) -> UUID:
        """Have Ann make a chat whose first turn is over."""
        chat = await self.chat(text, **rest)
        runner = await self.run(chat)
        await runner.step(last=Done())
        return chat

    async def read(self, chat: UUID) -> Chat:
        """Return a chat as its row is now."""
        async with self.database.tx(SYSTEM) as tx:
            found = await chats.by_id(tx, chat)
        assert found is not None
        return found

    async def log(self, chat: UUID) -> list[str]:
        """Return what people see, oldest first, as ``role: text``."""
        page = await self.get(f"/chats/{chat}/messages?limit=200")
        return [spoken(message) for message in reversed(page["messages"])]

    async def queue(self, chat: UUID) -> list[dict[str, Any]]:
        """Return what waits."""
        return (await self.get(f"/chats/{chat}/messages"))["queued_messages"]

    async def get(self, path: str) -> Any:
        """Return what Ann gets."""
        answer = await self.ann.api.get(path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def post(self, path: str, body: Any = None, *, status: int = 200) -> httpx.Response:
        """Return what Ann's request is answered, which must have this status."""
        answer = await self.ann.api.post(path, json=body)
        assert answer.status_code == status, answer.text
        return answer

    async def sql(self, statement: str, **args: Any) -> Any:
        """Run a statement of a test's own and return its first value, if it has one."""
        async with self.database.tx(SYSTEM) as tx:
            if " RETURNING " in statement or statement.lstrip().startswith("SELECT"):
                return await tx.value(statement, args)  # pyright: ignore[reportArgumentType]
            return await tx.run(statement, args)  # pyright: ignore[reportArgumentType]

    async def expire_lease(self, chat: UUID) -> None:
        """Have the runner of a chat fall silent."""
        await self.sql(
            "UPDATE chat_heartbeats SET expires_at = now() - interval '1 hour' "
            "WHERE chat_id = %(id)s",
            id=chat,
        )


def words(text: str) -> list[dict[str, Any]]:
    """Return the content of a message."""
    return [{"type": "text", "text": text}]


def said(text: str = "hi", **rest: Any) -> Row:
    """Return a row in which the model says something."""
    return Row(Role.ASSISTANT, (Text(text),), **rest)


def called(*ids: str, name: str = "ask") -> Row:
    """Return a row in which the model calls tools of the client's."""
    calls: tuple[Part, ...] = tuple(ToolCall(id_, name, "{}") for id_ in ids)
    return Row(Role.ASSISTANT, calls)


def answered(call_id: str, value: str = "done", name: str = "ask") -> Row:
    """Return a row in which a tool answers."""
    return Row(Role.TOOL, (ToolResult(call_id, name, value),))


def spoken(message: dict[str, Any]) -> str:
    """Return a message as ``role: text``."""
    texts = [
        part.get("text") or str(part.get("result", part.get("tool_call_id", "")))
        for part in message["content"]
    ]
    return f"{message['role']}: {' '.join(texts)}"


def _model(row: Row, chat: Chat) -> UUID | None:
    return chat.last_model_config_id if row.role is Role.ASSISTANT else None


@asynccontextmanager
async def deployment(database: Database) -> AsyncGenerator[World]:
    """A world that has begun."""
    async with gathered(database, routers=(identity.routes, _MOUNTED)) as people:
        provide(people.app, ChatRules, ChatRules())
        world = World(people)
        await world.begin()
        yield world
