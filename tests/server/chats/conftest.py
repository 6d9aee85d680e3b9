"""Fixtures of this room."""

from collections.abc import AsyncGenerator

import pytest

from server.kit.db import Database
from tests.server.chats.bureau import Bureau, opened
from tests.server.chats.world import World, deployment


@pytest.fixture
async def bureau(database: Database) -> AsyncGenerator[Bureau]:
    """People and their chats, behind the routes of lists, files, settings and pull requests."""
    async with opened(database) as bureau:
        yield bureau


@pytest.fixture
async def world(database: Database) -> AsyncGenerator[World]:
    """People, two models, and chats whose turns a test runs by hand."""
    async with deployment(database) as world:
        yield world
