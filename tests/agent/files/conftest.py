"""A directory, and who asks for its files."""

from pathlib import Path

import pytest

from agent.files import FileRoutes
from agent.network.http import Table
from tests.agent.asking import Asking


def asking_of(home: Path, *, block_transfer: bool = False) -> Asking:
    """Return who asks, at a table with the routes of files."""
    table = Table()
    FileRoutes(lambda: str(home), block_transfer=block_transfer).mount(table)
    return Asking(table)


@pytest.fixture
def ask(tmp_path: Path) -> Asking:
    """Whoever asks for files; home is the test's own directory."""
    return asking_of(tmp_path)
