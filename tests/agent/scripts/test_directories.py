"""The places of scripts."""

from pathlib import Path
from uuid import UUID

import pytest

from agent.scripts import Directories


def test_they_are_made_private(tmp_path: Path) -> None:
    directories = Directories.prepare(tmp_path / "data", tmp_path / "logs", tmp_path)
    assert directories.bin == tmp_path / "data" / "coder-script-data" / "bin"
    assert directories.bin.stat().st_mode & 0o777 == 0o700
    own = directories.of(UUID(int=1))
    assert own.stat().st_mode & 0o777 == 0o700
    assert directories.of(UUID(int=1)) == own


def test_a_directory_of_somebody_else_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    foreign = tmp_path / "shared" / "coder-script-data"
    foreign.mkdir(parents=True)

    def is_ours(path: Path) -> bool:
        return not path.is_relative_to(foreign)

    monkeypatch.setattr("agent.scripts.directories._is_ours", is_ours)
    directories = Directories.prepare(tmp_path / "shared", tmp_path, tmp_path / "home")
    assert directories.data.is_relative_to(tmp_path / "home")


def test_no_place_at_all_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(PermissionError):
        Directories.prepare(tmp_path / "file", tmp_path, tmp_path / "file")
