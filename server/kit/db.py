"""The door to PostgreSQL: a pool, and units of work with their actor inside.

One place ends a transaction (``Database.tx``). Facts leave with the commit, as NOTIFY does.
"""

import asyncio
import json
from collections.abc import AsyncGenerator, Callable, Generator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, LiteralString, TypeVar
from uuid import uuid4

import structlog
from psycopg import AsyncConnection, DataError, Error, OperationalError, ProgrammingError
from psycopg.errors import InvalidTextRepresentation, UntranslatableCharacter
from psycopg.rows import class_row, dict_row, scalar_row
from psycopg.sql import SQL, Composable, Identifier, Literal
from psycopg.types.json import Jsonb
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from coder_cli.kit.clock import Clock, SystemClock
from server.kit.authz import Actor
from server.kit.errors import Invalid, Unavailable
from server.kit.facts import CHANNEL, Fact

log = structlog.get_logger()
R = TypeVar("R")
Args = Mapping[str, Any]
Connection = AsyncConnection[Any]
"""A raw connection; only migrations and the listener of facts hold one."""
Pool = AsyncConnectionPool[Connection]

BEGIN, COMMIT = SQL("BEGIN"), SQL("COMMIT")
TELL = SQL("NOTIFY {}, {}")


class DatabaseUnreachable(Exception):
    """No connection can be made; the text is one sentence and holds no password."""


def jsonb(value: object) -> Jsonb:
    """Wrap ``value`` for a ``jsonb`` column."""
    return Jsonb(value)


async def connect(dsn: str) -> Connection:
    """Open one autocommit connection outside the pool, for migrations and listening.

    Raises:
        DatabaseUnreachable: nothing answers at ``dsn``, or it refuses us.
    """
    try:
        return await AsyncConnection.connect(dsn, autocommit=True, connect_timeout=10)
    except OperationalError as error:
        raise DatabaseUnreachable(_reason(error)) from error
    except ProgrammingError:
        # Its words repeat the part that cannot be read, which may be the password.
        raise DatabaseUnreachable(
            "its URL cannot be read; what is special in a password must be percent-encoded"
        ) from None


Outcome = Callable[[bool], None]
"""Hears whether a unit of work was committed."""
Witness = Callable[[object], Outcome | None]
"""Sees what a unit of work does, before it is committed."""


@dataclass(frozen=True, slots=True)
class Tx:
    """One unit of work: a connection, and whoever it is done for."""

    conn: Connection
    actor: Actor
    now: datetime
    origin: str = ""
    """The process's door to the database: facts may say whose they are."""
    witnesses: Sequence[Witness] = ()
    outcomes: list[Outcome] = field(default_factory=list[Outcome])
    facts: list[str] = field(default_factory=list[str])
    """What is told at COMMIT, as it is sent."""

    async def one(self, row: type[R], sql: LiteralString, args: Args | None = None) -> R | None:
        """Return the first row as a ``row`` dataclass, or None."""
        async with self.conn.cursor(row_factory=class_row(row)) as cursor:
            await cursor.execute(sql, args)
            return await cursor.fetchone()

    async def all(self, row: type[R], sql: LiteralString, args: Args | None = None) -> list[R]:
        """Return every row as a ``row`` dataclass."""
        async with self.conn.cursor(row_factory=class_row(row)) as cursor:
            await cursor.execute(sql, args)
            return await cursor.fetchall()

    async def value(self, sql: LiteralString, args: Args | None = None) -> Any:
        """Return the first column of the first row, or None when there is no row."""
        async with self.conn.cursor(row_factory=scalar_row) as cursor:
            await cursor.execute(sql, args)
            return await cursor.fetchone()

    async def values(self, sql: LiteralString, args: Args | None = None) -> list[Any]:
        """Return the first column of every row."""
        async with self.conn.cursor(row_factory=scalar_row) as cursor:
            await cursor.execute(sql, args)
            return await cursor.fetchall()

    async def rows(self, sql: LiteralString, args: Args | None = None) -> list[dict[str, Any]]:
        """Return every row as a dict, for reports that have no type of their own."""
        async with self.conn.cursor(row_factory=dict_row) as cursor:
            await cursor.execute(sql, args)
            return await cursor.fetchall()

    async def run(self, sql: LiteralString, args: Args | None = None) -> int:
        """Run a statement and return how many rows it touched."""
        cursor = await self.conn.execute(sql, args)
        return cursor.rowcount

    async def many(self, sql: LiteralString, rows: Sequence[Args]) -> None:
        """Run a statement once for each of ``rows``, in one round trip."""
        if not rows:
            return
        async with self.conn.cursor() as cursor:
            await cursor.executemany(sql, rows)

    @asynccontextmanager
    async def savepoint(self) -> AsyncGenerator[None]:
        """Let what is inside fail (a taken name, say) without dooming the unit of work."""
        before = len(self.facts)
        try:
            async with self.conn.transaction():
                yield
        except BaseException:
            del self.facts[before:]
            raise

    def show(self, what: object) -> None:
        """Let this process know at COMMIT what is done, so that it need not read it again.

        Other processes hear of it by a fact (``announce``).
        """
        for witness in self.witnesses:
            if outcome := witness(what):
                self.outcomes.append(outcome)

    async def announce(self, fact: Fact) -> None:
        """Tell listeners at COMMIT. A ROLLBACK unsays it."""
        self.facts.append(_payload(fact))

    async def announce_all(self, facts: Sequence[Fact]) -> None:
        """Tell listeners of several facts at COMMIT."""
        self.facts.extend(_payload(fact) for fact in facts)


def _payload(fact: Fact) -> str:
    return json.dumps({"topics": fact.topics(), "fact": fact.model_dump(mode="json")})


class Database:
    """A pool of connections; ``tx`` is the way to one."""

    def __init__(
        self, dsn: str, *, max_open: int = 10, min_open: int = 1, clock: Clock | None = None
    ) -> None:
        self.dsn = dsn
        self.clock = clock or SystemClock()
        self._pool = _pool(dsn, min(min_open, max_open), max_open)
        self._lane = _pool(dsn, 0, 1)
        self.origin = uuid4().hex
        self._witnesses: list[Witness] = []

    def attend(self, witness: Witness) -> None:
        """Let ``witness`` see what units of work of this process show."""
        self._witnesses.append(witness)

    async def open(self) -> None:
        """Connect; wait until the first connection stands.

        Raises:
            DatabaseUnreachable: nothing answers within ten seconds.
        """
        # The pool retries in silence; a first connection of our own tells the true reason.
        await (await connect(self.dsn)).close()
        try:
            await self._pool.open(wait=True, timeout=10)
            await self._lane.open()
        except PoolTimeout as error:
            raise DatabaseUnreachable("the database does not answer within 10s") from error

    async def close(self) -> None:
        """Close every connection; wait at most five seconds for busy ones."""
        await self._lane.close(timeout=5)
        await self._pool.close(timeout=5)

    def stats(self) -> Mapping[str, int]:
        """Return the pool's own counters, for metrics."""
        return self._pool.get_stats()

    def tx(self, actor: Actor) -> AbstractAsyncContextManager[Tx]:
        """Open a unit of work for ``actor``; commit at the end, roll back on an error.

        Raises:
            Unavailable: no connection became free, or the database went away.
            Invalid: a text holds a NUL or half a character, which PostgreSQL cannot keep.
        """
        return self._work(self._pool, actor)

    def urgent(self, actor: Actor) -> AbstractAsyncContextManager[Tx]:
        """Open a unit of work that waits behind no crowd, on a connection kept for such.

        For the few that come too late otherwise, such as heartbeats. Raises like ``tx``.
        """
        return self._work(self._lane, actor)

    @asynccontextmanager
    async def _work(self, pool: Pool, actor: Actor) -> AsyncGenerator[Tx]:
        outcomes: list[Outcome] = []
        facts: list[str] = []
        committed = False
        try:
            with _refusing():
                async with _connection(pool) as conn:
                    async with _unit(conn, facts):
                        now = self.clock.now()
                        yield Tx(conn, actor, now, self.origin, self._witnesses, outcomes, facts)
                    committed = True
        finally:
            for outcome in outcomes:
                outcome(committed)

    @asynccontextmanager
    async def look(self, actor: Actor) -> AsyncGenerator[Tx]:
        """Read for ``actor`` with single statements: each is a unit of work by itself.

        For what is asked very often: a transaction around one statement costs two round trips
        more. Nothing is shown to witnesses, and nothing may be announced. Raises like ``tx``.
        """
        with _refusing():
            async with _connection(self._pool) as conn:
                tx = Tx(conn, actor, self.clock.now(), self.origin)
                yield tx
                assert not tx.facts, "facts leave with a commit, and a look has none"


def _pool(dsn: str, least: int, most: int) -> Pool:
    return AsyncConnectionPool[Connection](
        dsn,
        min_size=least,
        max_size=most,
        open=False,
        timeout=30,
        max_waiting=1000,
        configure=_in_utc,
        kwargs={"autocommit": True, "application_name": "coder"},
    )


@asynccontextmanager
async def _connection(pool: Pool) -> AsyncGenerator[Connection]:
    task = asyncio.current_task()
    asked = task.cancelling() if task else 0
    async with pool.connection() as conn:
        if task and task.cancelling() > asked:
            # The pool's ``wait_for`` loses a cancel that comes together with the connection
            # (before Python 3.12), and whoever cancelled would wait for ever.
            raise asyncio.CancelledError
        yield conn


@asynccontextmanager
async def _unit(conn: Connection, facts: Sequence[str]) -> AsyncGenerator[None]:
    """Make a transaction of what is inside. What it tells goes with COMMIT: no way of its own."""
    await conn.execute(BEGIN, prepare=False)
    try:
        yield
        told: list[Composable] = [
            TELL.format(Identifier(CHANNEL), Literal(fact)) for fact in dict.fromkeys(facts)
        ]
        await conn.execute(SQL("; ").join([*told, COMMIT]), prepare=False)
    except BaseException:
        try:
            await conn.rollback()
        except Error as error:
            # The first error tells more; the pool takes no broken connection back.
            log.debug("a transaction was not rolled back", reason=_reason(error))
        raise


@contextmanager
def _refusing() -> Generator[None]:
    """Say in our words what a driver says in its own."""
    try:
        yield
    except (PoolTimeout, OperationalError) as error:
        # For the log: clients need not learn where the database is and as whom we log in.
        log.warning("the database does not answer", reason=_reason(error))
        raise Unavailable("The database does not answer; try again.") from error
    except UnicodeEncodeError as error:
        # JSON can escape half of a surrogate pair; no encoding can write it.
        raise Invalid("Text must be valid Unicode.") from error
    except DataError as error:
        if isinstance(error, UntranslatableCharacter) or "NUL" in str(error):
            raise Invalid("Text must not contain NUL characters.") from error
        if isinstance(error, InvalidTextRepresentation) and "type json" in str(error):
            # What Python's JSON lets through: infinite numbers, halves of surrogate pairs.
            raise Invalid("JSON must have finite numbers and valid Unicode.") from error
        raise


async def _in_utc(connection: Connection) -> None:
    """Read times in UTC: "never" is the year 1, which west of Greenwich is before Python's time."""
    await connection.execute("SET TimeZone TO 'UTC'")


def _reason(error: Exception) -> str:
    """Return the first line of a driver's message: it names host and cause, never a password."""
    return str(error).strip().split("\n", 1)[0]
