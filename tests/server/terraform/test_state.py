"""The state in a work directory: there is never a moment without the newest."""

from pathlib import Path

import pytest

from server.terraform import STATE_FILES, state


def test_a_state_replaces_whatever_a_lost_run_left(tmp_path: Path) -> None:
    for name in STATE_FILES:
        (tmp_path / name).write_text('{"serial": 1}')
    state.place(tmp_path, b'{"serial": 2}')
    assert [path.name for path in tmp_path.iterdir()] == [state.STATE]
    assert state.surviving(tmp_path) == b'{"serial": 2}'
    assert (tmp_path / state.STATE).stat().st_mode & 0o777 == 0o600


def test_without_a_state_nothing_of_a_lost_run_stays(tmp_path: Path) -> None:
    (tmp_path / "errored.tfstate").write_text('{"serial": 1}')
    state.place(tmp_path, None)
    assert state.surviving(tmp_path) is None


def test_a_state_that_finds_no_room_leaves_the_one_before_it(tmp_path: Path) -> None:
    (tmp_path / "errored.tfstate").write_text('{"serial": 1}')
    (tmp_path / ".coder-state").mkdir()
    with pytest.raises(OSError, match="coder-state"):
        state.place(tmp_path, b'{"serial": 2}')
    assert state.surviving(tmp_path) == b'{"serial": 1}'
