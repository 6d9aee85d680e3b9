"""A turn's way to the database: its history, its money, and each step in one transaction.

JSON is made before the transaction, so that the chat's row is locked for the statements alone.
Source: reference, chats, sections 3.2 and 3.5; seed 003.
"""

import base64
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Protocol
from uuid import UUID

from server.chats.actions import turns
from server.chats.actions.streaming import telling
from server.chats.actions.streaming.feed import Stored
from server.chats.actions.streaming.feeds import Feeds
from server.chats.actions.streaming.reading import told
from server.chats.actions.turns import Ended
from server.chats.convert.rows import new_message
from server.chats.model import Chat, Message
from server.chats.model.failures import Failure
from server.chats.model.live import Kept
from server.chats.store import files as file_store
from server.chats.store import messages as message_store
from server.chats.worker.voice import FeedVoice
from server.kit.authz import as_system
from server.kit.db import Database, Tx
from server.llm import File, Role, decode
from server.llm import Message as Said
from server.loop import Outcome, Parked, Row

ME = as_system("chats worker")


class Purse(Protocol):
    """Whoever looks after the money of chats."""

    async def admit(self, chat: Chat, at_most_micros: int | None) -> None:
        """Set aside what the next call of the chat's runner may cost.

        Raises:
            LimitReached: there is not so much left.
        """
        ...

    async def paid(self, chat: Chat, cost_micros: int | None) -> None:
        """Set aside what the call has cost instead, until its step is stored."""
        ...


@dataclass(frozen=True, slots=True)
class Books:
    """What the ledgers of a replica share."""

    database: Database
    feeds: Feeds
    purse: Purse


class ChatLedger:
    """The ledger of one turn."""

    def __init__(self, books: Books, chat: Chat, voice: FeedVoice) -> None:
        assert chat.runner_id is not None
        self.chat = chat
        """The row as this turn left it last."""
        self.ended: Chat | None = None
        """The row after the commit that ended the turn, once there was one."""
        self.writing = False
        """A transaction is under way that may end the turn."""
        self.config_id = chat.last_model_config_id
        """The model config that answers."""
        self._books = books
        self._runner_id = chat.runner_id
        self._voice = voice

    async def history(self) -> tuple[Said, ...]:
        """Return the prompt view, files with their bytes."""
        async with self._books.database.look(ME) as tx:
            rows = await message_store.prompt_view(tx, self.chat.id)
            said = [_said(row) for row in rows]
            # The newest first: of more than a prompt can hold the oldest are left out.
            wanted = list(dict.fromkeys(file for one in reversed(said) for file in _files(one)))
            content = await file_store.load(tx, wanted) if wanted else {}
        if self._voice.reading is not None:
            self._voice.reading.began(len(said))
        data = {one.id: base64.b64encode(one.data).decode() for one in content.values()}
        return tuple(_filled(one, data) if wanted else one for one in said)

    async def admit(self, at_most_micros: int | None) -> None:
        """Ask whether a call that costs this at most may be made.

        Raises:
            LimitReached: the money is spent.
        """
        await self._books.purse.admit(self.chat, at_most_micros)
        self._voice.asked()

    async def paid(self, cost_micros: int | None) -> None:
        """Tell what the call that was admitted has cost, before its tools run."""
        await self._books.purse.paid(self.chat, cost_micros)

    async def commit(
        self, rows: Sequence[Row], *, interrupted: bool = False, last: Outcome | None = None
    ) -> tuple[int, ...]:
        """Store one step, tell it to listeners, and return the ids of its rows.

        Raises:
            LeaseLost: the chat is no longer this turn's.
        """
        batch = turns.batch(
            [new_message(row, model_config_id=self._written_by(row)) for row in rows]
        )
        with self._writing() as tell:
            async with self._books.database.tx(ME) as tx:
                done = await turns.commit_step(
                    tx, self.chat.id, self._runner_id, batch, interrupted=interrupted, last=last
                )
                promoted = await _rows(tx, done.chat.id, done.ids[len(rows) :])
            ids = done.ids[: len(rows)]
            kept = self._events(done, rows, ids)
            calls = told(last.calls) if isinstance(last, Parked) else ""
            tell(Stored(done.chat, done.history_before, [*kept, *promoted], calls=calls))
            self._took(done)
        if self._voice.reading is not None:
            self._voice.reading.stored(rows)
        return tuple(ids)

    async def end(self, outcome: Outcome) -> None:
        """End the turn whose last rows are stored already.

        Raises:
            LeaseLost: the chat is no longer this turn's.
        """
        with self._writing() as tell:
            async with self._books.database.tx(ME) as tx:
                done = await turns.end_turn(tx, self.chat.id, self._runner_id, outcome)
                promoted = await _rows(tx, done.chat.id, done.ids)
            calls = told(outcome.calls) if isinstance(outcome, Parked) else ""
            tell(Stored(done.chat, done.history_before, promoted, calls=calls))
            self._took(done)

    async def fail(self, failure: Failure) -> None:
        """End the turn with an error that no model gave.

        Raises:
            LeaseLost: the chat is no longer this turn's.
        """
        with self._writing() as tell:
            async with self._books.database.tx(ME) as tx:
                done = await turns.finish_error(tx, self.chat.id, self._runner_id, failure)
                promoted = await _rows(tx, done.chat.id, done.ids)
            tell(Stored(done.chat, done.history_before, promoted))
            self._took(done)

    @contextmanager
    def _writing(self) -> Generator[Callable[[Stored], None]]:
        self.writing = True
        try:
            with self._books.feeds.writing(self.chat.id) as tell:
                yield tell
        finally:
            self.writing = False

    def _took(self, done: Ended) -> None:
        self.chat = done.chat
        if done.chat.runner_id == self._runner_id:
            self._voice.went_on(done.chat.history_version)
        else:
            self.ended = done.chat

    def _events(self, done: Ended, rows: Sequence[Row], ids: Sequence[int]) -> list[Kept]:
        """Return the stored rows as events, without reading them."""
        at = done.chat.updated_at
        return [
            telling.row_event(self.chat.id, id_, row, at, self._written_by(row))
            for row, id_ in zip(rows, ids, strict=True)
            if row.visibility != "model"
        ]

    def _written_by(self, row: Row) -> UUID | None:
        written = row.role is Role.ASSISTANT or row.usage is not None
        return self.config_id if written else None


async def _rows(tx: Tx, chat_id: UUID, ids: Sequence[int]) -> list[Kept]:
    """Return rows that came from elsewhere, such as the queue, as events."""
    if not ids:
        return []
    rows = await message_store.by_ids(tx, chat_id, ids)
    return [telling.message_event(row) for row in rows if row.visibility != "model"]


def _said(row: Message) -> Said:
    parts = decode(row.content, row.content_version)
    return Said(row.role, parts, row.id, row.provider, row.model)


def _files(said: Said) -> Iterator[UUID]:
    for part in said.parts:
        if isinstance(part, File) and part.file_id is not None:
            yield part.file_id


def _filled(said: Said, data: Mapping[UUID, str]) -> Said:
    parts = tuple(
        replace(part, data=data.get(part.file_id, ""))
        if isinstance(part, File) and part.file_id is not None
        else part
        for part in said.parts
    )
    return replace(said, parts=parts)
