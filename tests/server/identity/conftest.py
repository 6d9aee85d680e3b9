"""Fixtures of this room: a clock that stands still, and people on it."""

from collections.abc import AsyncGenerator

import pytest

from server.kit.db import Database
from tests.support.clock import FakeClock
from tests.support.people import People, gathered


@pytest.fixture
async def timed(dsn: str, clock: FakeClock) -> AsyncGenerator[Database]:
    """A database whose clock is the test's."""
    database = Database(dsn, clock=clock, max_open=4)
    await database.open()
    yield database
    await database.close()


@pytest.fixture
async def people(timed: Database) -> AsyncGenerator[People]:
    """A deployment without people."""
    async with gathered(timed) as house:
        yield house
