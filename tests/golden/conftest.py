"""Golden files: one per command, named after it, so that a change of words shows in review."""

from typing import ClassVar

import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode

from tests.coder_cli.conftest import cli, deployment, running, typed

__all__ = ["cli", "deployment", "running", "typed"]


class TextFile(SingleFileSnapshotExtension):
    """Keep each snapshot as a text file, named after its test and command."""

    file_extension = "txt"
    _write_mode: ClassVar[WriteMode] = WriteMode.TEXT


@pytest.fixture
def golden(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    """Compare with a text file; ``--snapshot-update`` writes it anew."""
    return snapshot.use_extension(TextFile)
