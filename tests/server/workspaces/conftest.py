"""Fixtures of this room."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from server.kit.db import Database
from tests.server.workspaces.world import World, opened


@pytest.fixture
async def world(database: Database, tmp_path: Path) -> AsyncGenerator[World]:
    """People, a template, and a worker with a scripted terraform."""
    async with opened(database, tmp_path) as world:
        yield world
