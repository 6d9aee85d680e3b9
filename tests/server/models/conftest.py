"""A deployment with people on it, and the routes of models below ``/api/v2/chats``."""

from collections.abc import AsyncGenerator

import pytest
from fastapi import APIRouter

from server import identity, models
from server.kit.db import Database
from server.kit.routing import provide
from server.kit.sealing import Sealer
from tests.support.clock import FakeClock
from tests.support.people import People, Person, gathered

KEY = b"k" * 32

_BELOW = APIRouter(prefix="/api/v2/chats")
_BELOW.include_router(models.routes)


@pytest.fixture
async def timed(dsn: str, clock: FakeClock) -> AsyncGenerator[Database]:
    database = Database(dsn, clock=clock, max_open=6)
    await database.open()
    yield database
    await database.close()


@pytest.fixture
def sealer() -> Sealer:
    return Sealer([KEY])


@pytest.fixture
async def people(timed: Database, sealer: Sealer) -> AsyncGenerator[People]:
    async with gathered(timed, routers=(identity.routes, _BELOW)) as house:
        provide(house.app, Sealer, sealer)
        yield house


@pytest.fixture
async def ada(people: People) -> Person:
    """An owner."""
    return await people.add("ada", "owner")


@pytest.fixture
async def bob(people: People) -> Person:
    """A member."""
    return await people.add("bob")
