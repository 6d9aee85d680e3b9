"""A directory, and who asks for its files."""

import os
import tempfile
from collections.abc import Generator
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


@pytest.fixture
def humble() -> Generator[Path]:
    """A directory of somebody who may not do everything; the test runs as that user."""
    before = os.geteuid()
    with tempfile.TemporaryDirectory() as name:
        path = Path(name)
        path.chmod(0o777)
        if before == 0:
            os.seteuid(65534)
        yield path
        os.seteuid(before)
