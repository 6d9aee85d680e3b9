"""One PostgreSQL for a whole test run, and a cloned database for each test that asks."""

import asyncio
import os
import shutil
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import LiteralString, cast
from uuid import uuid4

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from server.kit.migrate import migrate
from server.kit.postgres import Cluster, find_places

TEMPLATE = "coder_template"
ENV = "CODER_TEST_PG"


class TestPostgres:
    """The cluster of this run, started by whoever needs it first."""

    __test__ = False

    def __init__(self) -> None:
        self._cluster: Cluster | None = None
        self._folder: Path | None = None

    def start(self) -> str:
        """Start the cluster, migrate its template, and return its base URI."""
        if ENV not in os.environ:
            self._folder = Path(tempfile.mkdtemp(prefix="coder-tests-"))
            # The account that PostgreSQL runs as under root must be able to pass.
            self._folder.chmod(0o755)
            places = find_places(self._folder, self._folder / "cache", self._folder / "state")
            self._cluster = Cluster(places)
            self._cluster.start()
            base = self._cluster.url
            execute(base, "ALTER SYSTEM SET fsync = off")
            execute(base, "ALTER SYSTEM SET full_page_writes = off")
            execute(base, "SELECT pg_reload_conf()")
            execute(base, f"CREATE DATABASE {TEMPLATE}")
            asyncio.run(_migrate(with_database(base, TEMPLATE)))
            os.environ[ENV] = base
        return os.environ[ENV]

    def stop(self) -> None:
        """Stop what ``start`` started."""
        if self._cluster is not None:
            self._cluster.stop(at_once=True)
            os.environ.pop(ENV, None)
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)


async def _migrate(dsn: str) -> None:
    await migrate(dsn)


def execute(dsn: str, statement: str) -> None:
    """Run one statement outside any transaction."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(cast("LiteralString", statement))


def with_database(base: str, name: str) -> str:
    """Return ``base`` with another database name."""
    return make_conninfo(base, dbname=name)


def as_url(dsn: str) -> str:
    """Return the address in the form that ``--postgres-url`` takes."""
    part = conninfo_to_dict(dsn)
    return f"postgresql://{part['user']}:{part['password']}@/{part['dbname']}?host={part['host']}"


@contextmanager
def cloned(base: str) -> Generator[str]:
    """Yield the address of a fresh clone of the migrated template."""
    name = f"t_{uuid4().hex}"
    execute(base, f"CREATE DATABASE {name} TEMPLATE {TEMPLATE} STRATEGY FILE_COPY")
    try:
        yield with_database(base, name)
    finally:
        execute(base, f"DROP DATABASE {name} WITH (FORCE)")
