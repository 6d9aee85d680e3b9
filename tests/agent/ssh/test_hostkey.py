"""The host key: one per home, private, and never lost silently."""

import logging
from pathlib import Path

import pytest

from agent.ssh import host_key


def test_it_is_made_once_and_private(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "key"
    first = host_key(path)
    assert first.public.startswith("ssh-ed25519 ")
    assert host_key(path) == first
    assert path.stat().st_mode & 0o777 == 0o600
    assert [each.name for each in path.parent.iterdir()] == ["key"]


def test_an_unusable_key_is_put_aside(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    path = tmp_path / "key"
    path.write_text("garbage")
    made = host_key(path)
    assert (tmp_path / "key.unusable").read_text() == "garbage"
    assert host_key(path) == made
    assert "a new one is made" in caplog.text


def test_without_a_place_to_keep_it_there_is_one_for_now(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    path = tmp_path / "file" / "key"
    assert host_key(path).public != host_key(path).public


def test_two_agents_of_one_home_agree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "key"
    theirs = host_key(tmp_path / "other")
    read = Path.read_bytes

    def late(self: Path) -> bytes:
        # The other agent is quicker: its key appears after we looked.
        monkeypatch.setattr(Path, "read_bytes", read)
        path.write_bytes(theirs.private)
        raise FileNotFoundError

    monkeypatch.setattr(Path, "read_bytes", late)
    assert host_key(path) == theirs


def test_the_private_part_is_not_in_the_representation(tmp_path: Path) -> None:
    assert "PRIVATE" not in repr(host_key(tmp_path / "key"))
