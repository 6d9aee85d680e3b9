"""Chats as rows, for tests below the routes: two models, an owner, and texts."""

import json
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from server.chats.model import Chat, NewMessage
from server.chats.store import chats
from server.chats.store.chats import NewChat
from server.kit.authz import Actor, as_system
from server.kit.db import Database
from server.llm import Role

SYSTEM = as_system("test")

MODEL = """
    WITH provider AS (
        INSERT INTO chat_providers (id, provider, enabled, created_at, updated_at)
        VALUES (gen_random_uuid(), 'scripted', true, %(now)s, %(now)s) ON CONFLICT DO NOTHING)
    INSERT INTO chat_model_configs (id, provider, model, display_name, is_default, context_limit,
                                    compression_threshold, created_at, updated_at)
    VALUES (%(id)s, 'scripted', %(model)s, %(model)s, %(default)s, 100000, 70, %(now)s, %(now)s)
"""
USER = """
    INSERT INTO users (id, username, email, name, status, login_type, created_at, updated_at)
    VALUES (%(id)s, %(name)s, %(name)s || '@example.com', %(name)s, 'active', 'password', %(now)s,
            %(now)s)
"""
ORGANIZATION = """
    INSERT INTO organizations (id, name, created_at, updated_at)
    VALUES (%(id)s, 'acme', %(now)s, %(now)s)
"""


def text(role: Role, words: str, **rest: Any) -> NewMessage:
    """Return a message of one text."""
    return NewMessage(role=role, content=json.dumps([{"type": "text", "text": words}]), **rest)


@dataclass(frozen=True)
class Rows:
    """An organization with one member, and two models."""

    database: Database
    organization: UUID
    owner: UUID
    model: UUID
    other_model: UUID

    @classmethod
    async def begin(cls, database: Database) -> "Rows":
        rows = cls(database, uuid4(), uuid4(), uuid4(), uuid4())
        async with database.tx(SYSTEM) as tx:
            await tx.run(ORGANIZATION, {"id": rows.organization, "now": tx.now})
            await tx.run(USER, {"id": rows.owner, "name": "ann", "now": tx.now})
            for id_, name in ((rows.model, "one"), (rows.other_model, "two")):
                default = id_ == rows.model
                await tx.run(MODEL, {"id": id_, "model": name, "default": default, "now": tx.now})
        return rows

    def actor(self, user_id: UUID) -> Actor:
        """Return a member of the organization."""
        return Actor(user_id, "test", organizations={self.organization: frozenset()})

    async def chat(self, **rest: Any) -> UUID:
        """Write a chat that waits for a worker."""
        chat_id = uuid4()
        async with self.database.tx(SYSTEM) as tx:
            new = NewChat(chat_id, self.organization, self.owner, "A chat", self.model, **rest)
            await chats.insert(tx, new)
        return chat_id

    async def read(self, chat_id: UUID) -> Chat:
        """Return a chat as it is now."""
        async with self.database.tx(SYSTEM) as tx:
            chat = await chats.by_id(tx, chat_id)
        assert chat is not None
        return chat
