"""Fixtures of this room."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from server.kit.db import Database
from tests.server.tools.scene import Scene, opened
from tests.server.workspaces.world import opened as opened_world


@pytest.fixture
async def scene(database: Database, tmp_path: Path) -> AsyncGenerator[Scene]:
    """Ann, and the real rooms of an agent."""
    home = tmp_path / "home"
    home.mkdir()
    async with opened_world(database, tmp_path / "cache") as world, opened(world, home) as scene:
        yield scene
