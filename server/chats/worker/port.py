"""What tools of a turn do to chats: their own, and those of its sub-agents."""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from coder_cli.kit.clock import Clock
from server.chats.actions import files, subagents
from server.chats.actions.telling import tell
from server.chats.events import Change, chat_topic
from server.chats.model import Chat
from server.chats.model.config import TurnConfig
from server.chats.model.files import Upload
from server.chats.model.rules import USUAL, ChatRules
from server.chats.store import chats as chat_store
from server.kit.authz import Actor
from server.kit.db import Database
from server.kit.errors import Invalid, NotFound
from server.kit.pubsub import Pubsub
from server.tools import Binding, Child, ChildOrder, StoredFile

LOOK_EVERY = 5.0
"""Seconds after which a child is looked at, also without having heard of it."""


@dataclass(frozen=True, slots=True)
class OwnChat:
    """The chat of a turn, as its tools reach it: with its owner's rights."""

    database: Database
    pubsub: Pubsub
    chat: Chat
    owner: Actor
    config: TurnConfig
    now: Callable[[], Chat]
    """Return the row as it is known to be."""
    rules: ChatRules = USUAL

    async def bind(self, binding: Binding) -> None:
        """Remember the workspace on the chat, and tell watchers."""
        known = self.now()
        if (known.workspace_id, known.build_id, known.agent_id) == (
            binding.workspace_id,
            binding.build_id,
            binding.agent_id,
        ):
            return
        async with self.database.tx(self.owner) as tx:
            chat = await chat_store.lock(tx, self.chat.id)
            if chat is None:
                raise NotFound
            bound = await chat_store.bind(
                tx, chat, binding.workspace_id, binding.build_id, binding.agent_id
            )
            await tell(tx, bound, Change.BINDING)

    async def workspace_ttl_ms(self) -> int | None:
        """Return how long workspaces made by chats live; None is the template's own."""
        return self.config.workspace_ttl_ms

    async def allowed_templates(self) -> frozenset[UUID] | None:
        """Return the templates that chats may use; None is all."""
        return self.config.template_ids

    async def keep_file(self, name: str, media_type: str, content: bytes) -> StoredFile:
        """Store a file and link it to the chat.

        Raises:
            Invalid: the chat has as many files as it may.
        """
        upload = Upload(name, media_type, content)
        async with self.database.tx(self.owner) as tx:
            if await chat_store.lock(tx, self.chat.id) is None:
                raise NotFound
            chat = self.chat
            kept = await files.keep(tx, chat, upload, self.rules.most_files)
        if kept is None:
            raise Invalid("The chat has as many files as it may have.")
        return StoredFile(kept.id, kept.name, kept.mimetype, len(content))

    async def spawn(self, order: ChildOrder) -> Child:
        """Make a child chat and start it."""
        async with self.database.tx(self.owner) as tx:
            return await subagents.spawn(tx, self.chat.id, self.config, order)

    async def child(self, chat_id: UUID) -> Child:
        """Return a child; others are refused."""
        async with self.database.tx(self.owner) as tx:
            return await subagents.child(tx, self.chat.id, chat_id)

    async def wait_child(self, chat_id: UUID, seconds: float) -> Child:
        """Return a child when it is done, or as it is when the time is over."""
        clock: Clock = self.database.clock
        end = clock.monotonic() + seconds
        with self.pubsub.bell(chat_topic(chat_id)) as bell:
            while True:
                child = await self.child(chat_id)
                left = end - clock.monotonic()
                if child.done or left <= 0:
                    return child
                await bell.wait(min(left, LOOK_EVERY))

    async def message_child(self, chat_id: UUID, message: str, *, interrupt: bool) -> Child:
        """Send to a child; its queue takes what comes while it works."""
        async with self.database.tx(self.owner) as tx:
            return await subagents.message(
                tx, self.chat.id, chat_id, message, interrupt=interrupt, rules=self.rules
            )

    async def interrupt_child(self, chat_id: UUID) -> Child:
        """Stop a child's turn."""
        async with self.database.tx(self.owner) as tx:
            return await subagents.interrupt(tx, self.chat.id, chat_id)

    async def children(self, limit: int, offset: int) -> tuple[list[Child], int]:
        """Return children, newest first, and how many there are."""
        async with self.database.tx(self.owner) as tx:
            return await subagents.listed(tx, self.chat.id, limit, offset)
