"""Bring the database to the schema this executable knows: numbered SQL, in one transaction each.

An advisory lock lets any number of replicas start at once; a newer database is refused.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from importlib.resources import files
from typing import LiteralString, cast

import structlog

from server.kit.db import Connection, connect

log = structlog.get_logger()

LOCK = 0x636F646572  # "coder"

LOCK_SCHEMA: LiteralString = "SELECT pg_advisory_lock(%(key)s)"
CREATE_TABLE: LiteralString = """
    CREATE TABLE IF NOT EXISTS schema_migrations (
        version    integer     PRIMARY KEY,
        name       text        NOT NULL,
        applied_at timestamptz NOT NULL DEFAULT now()
    )
"""
CURRENT: LiteralString = "SELECT coalesce(max(version), 0) FROM schema_migrations"
RECORD: LiteralString = (
    "INSERT INTO schema_migrations (version, name) VALUES (%(version)s, %(name)s)"
)


class NewerDatabase(Exception):
    """The database was written by a newer release; the text says which, and what to do."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One numbered step of the schema."""

    version: int
    name: str
    sql: LiteralString


def migrations() -> list[Migration]:
    """Return every step this executable knows, in order."""
    folder = files("server.kit") / "migrations"
    steps = [
        # Our own package data is as trusted as a literal.
        Migration(int(entry.name[:4]), entry.name[5:-4], cast("LiteralString", entry.read_text()))
        for entry in folder.iterdir()
        if entry.name.endswith(".sql")
    ]
    return sorted(steps, key=lambda step: step.version)


async def migrate(
    dsn: str, *, before_upgrade: Callable[[int], Awaitable[None]] | None = None
) -> list[str]:
    """Apply what is missing and return the names of the steps taken.

    ``before_upgrade`` is told the old version when an existing schema is about to change; a
    backup belongs there.

    Raises:
        NewerDatabase: the database knows steps that this executable does not.
        DatabaseUnreachable: nothing answers at ``dsn``.
    """
    known = migrations()
    connection = await connect(dsn)
    async with connection:
        await connection.execute(LOCK_SCHEMA, {"key": LOCK})
        await connection.execute(CREATE_TABLE)
        current = await _current(connection)
        newest = known[-1].version
        if current > newest:
            raise NewerDatabase(
                f"The database has schema version {current}, but this release knows only "
                f"versions up to {newest}. Start the newer release, or restore a backup."
            )
        missing = [step for step in known if step.version > current]
        if missing and current > 0 and before_upgrade is not None:
            await before_upgrade(current)
        for step in missing:
            async with connection.transaction():
                await connection.execute(step.sql)
                await connection.execute(RECORD, {"version": step.version, "name": step.name})
            log.info("schema migrated", version=step.version, name=step.name)
        return [step.name for step in missing]


async def _current(connection: Connection) -> int:
    cursor = await connection.execute(CURRENT)
    row = await cursor.fetchone()
    return int(row[0]) if row else 0
