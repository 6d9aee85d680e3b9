"""Chats are driven at random against the database: no move leaves the table, no message is lost."""

import asyncio
from collections.abc import Coroutine, Iterable, Sequence
from datetime import timedelta
from random import Random
from typing import Any, TypeVar
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from server.chats.actions import (
    archiving,
    compacting,
    editing,
    find,
    queueing,
    results,
    sending,
    stopping,
    turns,
)
from server.chats.convert.rows import new_message
from server.chats.errors import (
    NothingToClear,
    NothingToCompact,
    QueuedMessageNotFound,
    QueueFull,
)
from server.chats.model import MOVES, Chat, Move, QueuedMessage, State, Status
from server.chats.model.orders import Busy, GivenResult, InputPart, MessageOrder
from server.chats.store import leases, messages, queue
from server.chats.store.leases import Room
from server.kit.authz import Actor
from server.kit.db import Database
from server.llm import ErrorKind, ModelError, Role, Text, ToolCall
from server.loop import Done, Failed, LeaseLost, Outcome, Parked, Row, Stopped
from tests.server.chats.rows import SYSTEM, Rows, text

T = TypeVar("T")
SEND = (Move.SEND,), (Move.SEND_INTERRUPT,), (Move.SEND_INTERRUPT, Move.FINISH_INTERRUPTION)
PROMOTE = (
    (),
    (Move.PROMOTE,),
    (Move.PROMOTE, Move.FINISH_INTERRUPTION),
    (Move.FINISH_INTERRUPTION,),
)
INTERRUPT = (
    (),
    (Move.INTERRUPT,),
    (Move.INTERRUPT, Move.FINISH_INTERRUPTION),
    (Move.FINISH_INTERRUPTION,),
)
FINISH = (
    (),
    (Move.FINISH_TURN,),
    (Move.FINISH_INTERRUPTION,),
    (Move.FINISH_ERROR,),
    (Move.ENTER_ACTION,),
)


def reached(before: State, ways: Iterable[Sequence[Move]]) -> set[State]:
    """Return where sequences of the table's moves lead from a state."""
    found: set[State] = set()
    for moves in ways:
        here = {before}
        for move in moves:
            here = {target for state in here for target in MOVES[move].get(state, ())}
        found |= here
    return found


class Life(RuleBasedStateMachine):
    """One chat, its owner, and at most two runners that believe it is theirs."""

    runner: asyncio.Runner
    database: Database
    rows: Rows

    def __init__(self) -> None:
        super().__init__()
        self.said = 0
        self.lost: set[str] = set()
        """Messages that somebody took back, or an edit cut."""
        self.sent: set[str] = set()
        self.runners: list[UUID] = []
        self.ordered: list[str] = []

    # The world -----------------------------------------------------------------------------------

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    @property
    def owner(self) -> Actor:
        return self.rows.actor(self.rows.owner)

    def chat(self) -> Chat:
        return self.do(self.rows.read(self.id))

    def state(self) -> State:
        state = self.chat().state
        assert state is not None
        return state

    def words(self) -> str:
        self.said += 1
        return f"m{self.said}"

    async def log(self) -> list[str]:
        async with self.database.tx(SYSTEM) as tx:
            view = await messages.since(tx, self.id, 0)
        return [row.content[0].get("text", "") for row in view if row.role is Role.USER]

    async def waiting(self) -> list[tuple[int, str]]:
        async with self.database.tx(SYSTEM) as tx:
            listed = await queue.listed(tx, self.id)
        return [(one.id, one.content[0]["text"]) for one in listed]

    @initialize()
    def begin(self) -> None:
        self.id = self.do(self.rows.chat())
        self.sent.add("m0")
        self.do(self._first())

    async def _first(self) -> None:
        async with self.database.tx(SYSTEM) as tx:
            await messages.append(tx, self.id, [text(Role.USER, "m0")])

    # What people do ------------------------------------------------------------------------------

    @precondition(lambda self: not self.chat().archived)
    @rule(busy=st.sampled_from(Busy))
    def send(self, busy: Busy) -> None:
        before, words = self.chat(), self.words()
        try:
            self.do(self._send(words, busy))
        except QueueFull:
            assert before.queued == 20
            return
        self.sent.add(words)
        assert self.state() in reached(_state(before), SEND)

    async def _send(self, words: str, busy: Busy) -> None:
        async with self.database.tx(self.owner) as tx:
            order = MessageOrder([InputPart("text", words)], busy_behavior=busy.value)
            await sending.send(tx, self.id, order)

    @precondition(lambda self: not self.chat().archived)
    @rule(data=st.data())
    def edit(self, data: st.DataObject) -> None:
        before, words = self.chat(), self.words()
        ids = self.do(self._editable())
        if not ids:
            return
        which = data.draw(st.sampled_from(ids))
        gone = self.do(self._edit(which, words))
        self.lost |= gone
        self.sent.add(words)
        assert self.state() in reached(_state(before), [(Move.EDIT,)])
        assert self.do(self.waiting()) == []

    async def _editable(self) -> list[int]:
        async with self.database.tx(SYSTEM) as tx:
            view = await messages.since(tx, self.id, 0)
        return [row.id for row in view if row.role is Role.USER and row.visibility == "both"]

    async def _edit(self, which: int, words: str) -> set[str]:
        gone = {words_ for _, words_ in await self.waiting()}
        async with self.database.tx(self.owner) as tx:
            cut = await messages.since(tx, self.id, which)
            await editing.edit(tx, self.id, which, MessageOrder([InputPart("text", words)]))
        return gone | {row.content[0].get("text", "") for row in cut if row.role is Role.USER}

    @rule(data=st.data())
    def take_back(self, data: st.DataObject) -> None:
        before, waiting = self.chat(), self.do(self.waiting())
        if not waiting or before.archived:
            return
        which, words = data.draw(st.sampled_from(waiting))
        self.do(self._take_back(which))
        self.lost.add(words)
        assert self.state() in reached(_state(before), [(Move.DELETE_QUEUED,)])

    async def _take_back(self, which: int) -> None:
        async with self.database.tx(self.owner) as tx:
            await queueing.delete(tx, self.id, which)

    @rule(data=st.data())
    def promote(self, data: st.DataObject) -> None:
        before, waiting = self.chat(), self.do(self.waiting())
        if not waiting or before.archived:
            return
        which, words = data.draw(st.sampled_from(waiting))
        self.do(self._promote(which))
        after = self.state()
        assert after in reached(_state(before), PROMOTE)
        if after not in (State.I0, State.I1):
            assert self.do(self.log())[-1] == words

    async def _promote(self, which: int) -> None:
        async with self.database.tx(self.owner) as tx:
            await queueing.promote(tx, self.id, which)

    @rule()
    def interrupt(self) -> None:
        before = self.state()
        self.do(self._interrupt())
        assert self.state() in reached(before, INTERRUPT)

    async def _interrupt(self) -> None:
        async with self.database.tx(self.owner) as tx:
            await stopping.interrupt(tx, self.id)

    @rule()
    def archive(self) -> None:
        before = self.chat()
        self.do(self._archive(away=not before.archived))
        after = self.chat()
        assert after.archived != before.archived
        if before.idle:
            move = Move.UNARCHIVE if before.archived else Move.ARCHIVE
            assert after.state in reached(_state(before), [(move,)])
        else:
            assert after.state is State.XW

    async def _archive(self, *, away: bool) -> None:
        async with self.database.tx(self.owner) as tx:
            chat = await find.locked(tx, self.id)
            await (archiving.archive if away else archiving.unarchive)(tx, chat)

    @precondition(lambda self: self.chat().status is Status.REQUIRES_ACTION)
    @rule(late=st.booleans())
    def answer_or_be_late(self, late: bool) -> None:
        before = self.state()
        self.do(self._answer(late=late))
        ways = [(Move.COMPLETE_ACTION, Move.FINISH_ERROR) if late else (Move.COMPLETE_ACTION,)]
        assert self.state() in reached(before, ways)

    async def _answer(self, *, late: bool) -> None:
        async with self.database.tx(self.owner) as tx:
            calls = await turns.required_calls(tx, self.id)
            assert calls
            if not late:
                given = [GivenResult(call.id, "done") for call in calls]
                await results.submit(tx, self.id, given)
                return
            await tx.run("UPDATE chats SET requires_action_deadline_at = now() - interval '1 s'")
            assert await turns.expire_requires_action(tx, self.id)

    @precondition(lambda self: not self.chat().archived)
    @rule(clear=st.booleans())
    def fold(self, clear: bool) -> None:
        before = self.state()
        try:
            self.do(self._fold(clear=clear))
        except (NothingToClear, NothingToCompact):
            return
        move = Move.CLEAR_CONTEXT if clear else Move.REQUEST_COMPACTION
        assert self.state() in reached(before, [(move,)])

    async def _fold(self, *, clear: bool) -> None:
        async with self.database.tx(self.owner) as tx:
            await (compacting.clear if clear else compacting.request_compaction)(tx, self.id)

    # What workers do -----------------------------------------------------------------------------

    @rule()
    def acquire(self) -> None:
        before = self.chat()
        for chat in self.do(self._acquire()):
            assert chat.id == self.id
            assert not before.archived
            assert chat.runner_id is not None
            self.runners = [*self.runners[-1:], chat.runner_id]

    async def _acquire(self) -> list[Chat]:
        async with self.database.tx(SYSTEM) as tx:
            taken = await leases.acquire(tx, uuid4(), Room(9, 9, 9), timedelta(seconds=15))
        return [chat for chat in taken if chat.id == self.id]

    @precondition(lambda self: bool(self.runners))
    @rule(
        which=st.integers(0, 1),
        outcome=st.sampled_from(
            [
                None,
                Done(),
                Parked(()),
                Stopped("x"),
                Failed(ModelError(ErrorKind.AUTH, "No key.")),
            ]
        ),
        rows=st.booleans(),
        interrupted=st.booleans(),
    )
    def work(self, which: int, outcome: Outcome | None, rows: bool, interrupted: bool) -> None:
        runner = self.runners[min(which, len(self.runners) - 1)]
        before = self.chat()
        try:
            self.do(self._work(runner, outcome, rows=rows, interrupted=interrupted))
        except LeaseLost:
            assert before.runner_id != runner
            assert self.chat() == before
            return
        if before.runner_id != runner:
            # Last words of a turn that was stopped hard.
            assert interrupted
            assert before.stopped_runner_id == runner
            assert self.state() is _state(before)
            return
        assert self.state() in reached(_state(before), FINISH)

    async def _work(
        self, runner: UUID, outcome: Outcome | None, *, rows: bool, interrupted: bool
    ) -> None:
        said: tuple[Any, ...] = (Text("hi"),)
        if isinstance(outcome, Parked):
            said = (*said, ToolCall(f"c{uuid4()}", "ask"))
        async with self.database.tx(SYSTEM) as tx:
            if rows or outcome is None or isinstance(outcome, Parked):
                batch = turns.batch([new_message(Row(Role.ASSISTANT, said))])
                await turns.commit_step(
                    tx, self.id, runner, batch, interrupted=interrupted, last=outcome
                )
            else:
                await turns.end_turn(tx, self.id, runner, outcome)

    @rule(recover=st.booleans())
    def runner_dies(self, recover: bool) -> None:
        before = self.state()
        self.do(self._die(recover=recover))
        assert self.state() is before

    async def _die(self, *, recover: bool) -> None:
        async with self.database.tx(SYSTEM) as tx:
            await tx.run("UPDATE chat_heartbeats SET expires_at = now() - interval '1 h'")
            if recover:
                await leases.recover(tx)

    # What always holds ---------------------------------------------------------------------------

    @invariant()
    def nothing_is_lost_or_doubled(self) -> None:
        if not hasattr(self, "id"):
            return
        chat, log = self.chat(), self.do(self.log())
        waiting = [words for _, words in self.do(self.waiting())]
        assert chat.state is not None
        assert chat.queued == len(waiting)
        people = [words for words in log if words.startswith("m")]
        assert sorted([*people, *waiting]) == sorted(self.sent - self.lost)
        if chat.status is Status.WAITING:
            assert not waiting
        if chat.runner_id is not None:
            assert chat.status in (Status.RUNNING, Status.INTERRUPTING)
        if chat.archived:
            assert chat.idle
            assert not chat.runnable
        assert self.do(self._leases()) <= 1

    async def _leases(self) -> int:
        async with self.database.tx(SYSTEM) as tx:
            return await tx.value(
                "SELECT count(*) FROM chat_heartbeats WHERE chat_id = %(id)s", {"id": self.id}
            )


def _state(chat: Chat) -> State:
    assert chat.state is not None
    return chat.state


async def test_a_storm_of_people_and_workers_loses_nothing(database: Database) -> None:
    """Everybody at once, in whatever order the locks give: no deadlock, nothing lost or doubled."""
    rows = await Rows.begin(database)
    dice = Random(7)
    for _ in range(4):
        chat = await rows.chat()
        storm = Storm(rows, chat)
        await asyncio.gather(*(storm.blow(dice.random()) for _ in range(40)))
        row = await rows.read(chat)
        async with database.tx(SYSTEM) as tx:
            log = [one.content[0]["text"] for one in await messages.since(tx, chat, 0)]
            waiting = [one.content[0]["text"] for one in await queue.listed(tx, chat)]
        people = [words for words in log if words.startswith("m")]
        assert row.state is not None
        assert row.queued == len(waiting)
        assert sorted([*people, *waiting]) == sorted(storm.sent - storm.taken_back)


class Storm:
    """Things that people and workers do with one chat at the same time."""

    def __init__(self, rows: Rows, chat: UUID) -> None:
        self.rows, self.chat = rows, chat
        self.database = rows.database
        self.owner = rows.actor(rows.owner)
        self.sent: set[str] = set()
        self.taken_back: set[str] = set()

    async def blow(self, chance: float) -> None:
        """Do one of the things; what the state does not allow is refused."""
        doings = (self.send, self.send, self.work, self.work, self.stop, self.promote, self.take)
        try:
            await doings[int(chance * len(doings))]()
        except (QueueFull, QueuedMessageNotFound, LeaseLost):
            return

    async def send(self) -> None:
        words = f"m{uuid4()}"
        busy = Busy.INTERRUPT if words < "m8" else Busy.QUEUE
        async with self.database.tx(self.owner) as tx:
            order = MessageOrder([InputPart("text", words)], busy_behavior=busy)
            await sending.send(tx, self.chat, order)
        self.sent.add(words)

    async def work(self) -> None:
        async with self.database.tx(SYSTEM) as tx:
            taken = await leases.acquire(tx, uuid4(), Room(9, 9, 9), timedelta(seconds=15))
        for chat in taken:
            assert chat.runner_id
            batch = turns.batch([text(Role.ASSISTANT, "hi")])
            async with self.database.tx(SYSTEM) as tx:
                await turns.commit_step(tx, chat.id, chat.runner_id, batch)
            async with self.database.tx(SYSTEM) as tx:
                await turns.end_turn(tx, chat.id, chat.runner_id, Done())

    async def stop(self) -> None:
        async with self.database.tx(self.owner) as tx:
            await stopping.interrupt(tx, self.chat)

    async def promote(self) -> None:
        if (queued := await self.waiting()) is not None:
            async with self.database.tx(self.owner) as tx:
                await queueing.promote(tx, self.chat, queued.id)

    async def take(self) -> None:
        if (queued := await self.waiting()) is not None:
            async with self.database.tx(self.owner) as tx:
                await queueing.delete(tx, self.chat, queued.id)
            self.taken_back.add(queued.content[0]["text"])

    async def waiting(self) -> QueuedMessage | None:
        async with self.database.tx(SYSTEM) as tx:
            listed = await queue.listed(tx, self.chat)
        return listed[-1] if listed else None


@pytest.mark.timeout(400)
def test_no_chat_leaves_the_table_and_no_message_is_lost(module_dsn: str) -> None:
    with asyncio.Runner() as runner:
        database = Database(module_dsn)
        runner.run(database.open())
        Life.runner, Life.database = runner, database
        Life.rows = runner.run(Rows.begin(database))
        try:
            run_state_machine_as_test(
                Life,
                settings=settings(
                    max_examples=12,
                    stateful_step_count=30,
                    deadline=None,
                    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
                    database=None,
                    derandomize=True,
                ),
            )
        finally:
            runner.run(database.close())
