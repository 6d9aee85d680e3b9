"""Units of work: one commit, facts with it, hidden rows, and what is unsaid by a rollback."""

import asyncio
import math
from contextlib import suppress

import pytest
from psycopg import OperationalError
from structlog.testing import capture_logs
from typing_extensions import override

from server.kit.authz import as_system
from server.kit.db import Database, DatabaseUnreachable, connect, jsonb
from server.kit.errors import Invalid, Unavailable
from server.kit.facts import Fact
from server.kit.migrate import NewerDatabase, migrate, migrations
from server.kit.pubsub import Pubsub

ME = as_system("test")


class Happened(Fact):
    what: str

    @override
    def topics(self) -> tuple[str, ...]:
        return ("things", f"thing:{self.what}")


async def test_an_error_rolls_everything_back(database: Database) -> None:
    with suppress(ZeroDivisionError):
        async with database.tx(ME) as tx:
            await tx.run("INSERT INTO site_configs VALUES ('a', 'b')")
            raise ZeroDivisionError
    async with database.tx(ME) as tx:
        assert await tx.value("SELECT count(*) FROM site_configs") == 0


async def test_a_rolled_back_fact_is_never_heard_and_a_committed_one_once(
    database: Database,
) -> None:
    pubsub = Pubsub(database.dsn)
    listening = asyncio.ensure_future(pubsub.run())
    await pubsub.listening.wait()
    with pubsub.mailbox("things") as box, pubsub.bell("thing:kept") as bell:
        with suppress(ZeroDivisionError):
            async with database.tx(ME) as tx:
                await tx.announce(Happened(what="lost"))
                raise ZeroDivisionError
        async with database.tx(ME) as tx:
            await tx.announce(Happened(what="kept"))
        assert (await box.get())["what"] == "kept"
        assert await bell.wait(timeout=5)
    listening.cancel()


async def test_a_savepoint_lets_a_taken_name_fail_alone(database: Database) -> None:
    async with database.tx(ME) as tx:
        await tx.run("INSERT INTO site_configs VALUES ('a', 'b')")
        with pytest.raises(Exception, match="duplicate key"):
            async with tx.savepoint():
                await tx.run("INSERT INTO site_configs VALUES ('a', 'c')")
        assert await tx.value("SELECT value FROM site_configs") == "b"


async def test_a_savepoint_that_fails_takes_its_facts_back(database: Database) -> None:
    async with database.tx(ME) as tx:
        await tx.announce(Happened(what="kept"))
        with suppress(ZeroDivisionError):
            async with tx.savepoint():
                await tx.announce(Happened(what="lost"))
                raise ZeroDivisionError
        assert len(tx.facts) == 1
        assert "kept" in tx.facts[0]


async def test_clients_do_not_learn_where_the_database_is(database: Database) -> None:
    with capture_logs() as said, pytest.raises(Unavailable) as refused:
        async with database.tx(ME):
            raise OperationalError('connection to server at "10.1.2.3", port 5432 failed')
    assert refused.value.detail == ""
    assert "10.1.2.3" not in refused.value.message
    assert "10.1.2.3" in said[0]["reason"]


@pytest.mark.parametrize("text", ["a\0b", "\ud800"])
async def test_text_that_postgresql_cannot_keep_is_the_callers_mistake(
    database: Database, text: str
) -> None:
    with pytest.raises(Invalid, match="Text must"):
        async with database.tx(ME) as tx:
            await tx.value("SELECT %(text)s::text", {"text": text})


@pytest.mark.parametrize("value", ["a\0b", "\ud800", math.nan, math.inf])
async def test_json_that_postgresql_cannot_keep_is_the_callers_mistake(
    database: Database, value: object
) -> None:
    with pytest.raises(Invalid):
        async with database.tx(ME) as tx:
            await tx.value("SELECT %(json)s", {"json": jsonb({"a": [value]})})


async def test_a_cancel_is_not_lost_when_a_connection_becomes_free(dsn: str) -> None:
    database = Database(dsn, max_open=1)
    await database.open()

    async def hold(until: asyncio.Event) -> None:
        async with database.tx(as_system("test")):
            await until.wait()

    for steps in range(25):
        go_on, never = asyncio.Event(), asyncio.Event()
        holder = asyncio.ensure_future(hold(go_on))
        await asyncio.sleep(0)
        waiter = asyncio.ensure_future(hold(never))
        for _ in range(20):
            await asyncio.sleep(0)
        assert database.stats()["requests_waiting"] == 1
        go_on.set()
        await holder
        for _ in range(steps):
            await asyncio.sleep(0)
        waiter.cancel()
        ended, _ = await asyncio.wait([waiter], timeout=10)
        never.set()
        assert ended, f"the cancel was lost {steps} steps after the release"
        assert waiter.cancelled()
    await database.close()


async def test_migrating_twice_changes_nothing_and_many_at_once_are_safe(dsn: str) -> None:
    assert await migrate(dsn) == []
    assert await asyncio.gather(*(migrate(dsn) for _ in range(4))) == [[], [], [], []]


async def test_a_newer_database_is_refused_with_both_versions(dsn: str) -> None:
    connection = await connect(dsn)
    async with connection:
        await connection.execute("INSERT INTO schema_migrations VALUES (9999, 'later')")
    with pytest.raises(NewerDatabase, match="9999"):
        await migrate(dsn)


async def test_a_backup_is_asked_for_before_an_upgrade_only(dsn: str) -> None:
    asked: list[int] = []

    async def backup(version: int) -> None:
        asked.append(version)

    await migrate(dsn, before_upgrade=backup)
    assert asked == []
    assert migrations()[0].name == "initial"


@pytest.mark.parametrize("rest", ["%zz@127.0.0.1:5/x", "@127.0.0.1:5/x?hunter2=1"])
async def test_a_url_that_cannot_be_read_is_not_repeated(rest: str) -> None:
    with pytest.raises(DatabaseUnreachable, match="percent-encoded") as refused:
        await connect(f"postgres://u:hunter2{rest}")
    assert "hunter2" not in str(refused.value)
    assert refused.value.__suppress_context__, "a traceback would show it"


async def test_an_unreachable_database_says_so_without_the_password() -> None:
    with pytest.raises(DatabaseUnreachable) as refusal:
        await connect("postgresql://u:hunter2@127.0.0.1:1/db")
    assert "hunter2" not in str(refusal.value)
