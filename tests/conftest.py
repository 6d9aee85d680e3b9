"""Fixtures that every room's tests share. Prices: a cloned database 25 ms, a pool 15 ms."""

import signal
import tempfile
from collections.abc import AsyncGenerator, Generator
from pathlib import Path

import pytest

from server.kit.db import Database
from tests.support.clock import FakeClock
from tests.support.postgres import TestPostgres, cloned

_postgres = TestPostgres()


def pytest_configure(config: pytest.Config) -> None:
    """Start PostgreSQL once, before xdist's workers inherit its address."""
    # A runner in the background may ignore ctrl-c; the programs under test must not inherit that.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if getattr(config.option, "numprocesses", None) and not hasattr(config, "workerinput"):
        _postgres.start()


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop it where it was started."""
    _postgres.stop()


@pytest.fixture(scope="module")
def module_dsn() -> Generator[str]:
    """The address of a migrated database that one module's tests share."""
    with cloned(_postgres.start()) as address:
        yield address


@pytest.fixture
def dsn() -> Generator[str]:
    """The address of a migrated database of this test's own."""
    with cloned(_postgres.start()) as address:
        yield address


@pytest.fixture
async def database(dsn: str) -> AsyncGenerator[Database]:
    """An open pool on a database of this test's own."""
    database = Database(dsn)
    await database.open()
    yield database
    await database.close()


@pytest.fixture
def clock() -> FakeClock:
    """A clock that stands still until it is advanced."""
    return FakeClock()


@pytest.fixture
def short() -> Generator[Path]:
    """A folder with a short path: the address of a Unix socket holds 107 bytes."""
    with tempfile.TemporaryDirectory(prefix="t", dir="/tmp") as folder:
        yield Path(folder)
