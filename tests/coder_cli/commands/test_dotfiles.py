"""``coder dotfiles``, with real git and a home directory of the test's own."""

import shutil
import subprocess
from pathlib import Path

import pytest

from coder_cli.main import run


def git(place: Path, *words: str) -> None:
    identity = ["-c", "user.name=a", "-c", "user.email=a@b.c", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *identity, "-C", str(place), *words], check=True, capture_output=True)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with two dotfiles."""
    if shutil.which("git") is None:
        pytest.skip("needs git")
    place = tmp_path / "repository"
    place.mkdir()
    git(place, "init", "-b", "main")
    (place / ".bashrc").write_text("alias ll='ls -l'\n")
    (place / ".config").mkdir()
    (place / ".config" / "tool").write_text("x\n")
    (place / "README.md").write_text("about\n")
    git(place, "add", ".")
    git(place, "commit", "-m", "first")
    return place


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home."""
    path = tmp_path / "home"
    path.mkdir()
    monkeypatch.setenv("HOME", str(path))
    monkeypatch.setenv("CODER_CONFIG_DIR", str(path / "coder"))
    return path


def dotfiles(repository: Path, *words: str) -> int:
    return run(["dotfiles", str(repository), "-y", *words])


def add_script(repository: Path, text: str, name: str = "install.sh", mode: int = 0o755) -> None:
    script = repository / name
    script.parent.mkdir(exist_ok=True)
    script.write_text(text)
    script.chmod(mode)
    git(repository, "add", ".")
    git(repository, "commit", "-m", name)


def test_files_are_linked_and_what_was_there_is_kept(repository: Path, home: Path) -> None:
    (home / ".bashrc").write_text("old\n")
    assert dotfiles(repository) == 0
    assert (home / ".bashrc").read_text() == "alias ll='ls -l'\n"
    assert (home / ".bashrc.bak").read_text() == "old\n"
    assert (home / ".config" / "tool").read_text() == "x\n"
    assert not (home / "README.md").exists()
    assert not (home / ".git").exists()
    assert (home / "coder" / "dotfilesurl").read_text().strip() == str(repository)


def test_a_second_run_brings_up_to_date_and_keeps_nothing_twice(
    repository: Path, home: Path
) -> None:
    assert dotfiles(repository) == 0
    (repository / ".bashrc").write_text("new\n")
    git(repository, "commit", "-am", "second")
    assert dotfiles(repository) == 0
    assert (home / ".bashrc").read_text() == "new\n"
    assert not list(home.glob("*.bak*"))


def test_an_install_script_runs_instead(repository: Path, home: Path) -> None:
    add_script(repository, "#!/bin/sh\npwd > $HOME/ran\n", "setup.sh")
    add_script(repository, "#!/bin/sh\necho first > $HOME/ran\n", "install.sh")
    assert dotfiles(repository) == 0
    assert (home / "ran").read_text() == "first\n"
    assert not (home / ".bashrc").exists()


def test_a_script_that_fails_is_a_failure(
    repository: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    add_script(repository, "#!/bin/sh\nexit 4\n")
    assert dotfiles(repository) == 1
    assert "install.sh ended with 4." in capsys.readouterr().err


def test_a_script_that_may_not_be_executed_is_refused(
    repository: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    add_script(repository, "#!/bin/sh\n", mode=0o644)
    assert dotfiles(repository) == 1
    assert "may not be executed" in capsys.readouterr().err


def test_a_branch_and_other_directories(repository: Path, home: Path, tmp_path: Path) -> None:
    git(repository, "checkout", "-q", "-b", "work")
    (repository / ".bashrc").write_text("work\n")
    git(repository, "commit", "-am", "work")
    git(repository, "checkout", "-q", "main")
    target = tmp_path / "elsewhere"
    words = ("--branch", "work", "--symlink-dir", str(target), "--repo-dir", "mine")
    assert dotfiles(repository, *words) == 0
    assert (target / ".bashrc").read_text() == "work\n"
    assert (home / "coder" / "mine" / ".git").is_dir()
    assert dotfiles(repository, *words) == 0


def test_another_repository_takes_the_place_of_the_first(
    repository: Path, home: Path, tmp_path: Path
) -> None:
    assert dotfiles(repository) == 0
    other = tmp_path / "other"
    subprocess.run(["git", "clone", "-q", str(repository), str(other)], check=True)
    (other / ".bashrc").write_text("other\n")
    git(other, "commit", "-am", "other")
    assert dotfiles(other) == 0
    assert (home / ".bashrc").read_text() == "other\n"
    assert (home / "coder" / "dotfiles.bak" / ".git").is_dir()


def test_a_server_that_is_away_does_not_keep_old_files_from_being_linked(
    repository: Path, home: Path
) -> None:
    assert dotfiles(repository) == 0
    (home / ".bashrc").unlink()
    repository.rename(repository.with_name("away"))
    assert dotfiles(repository) == 0
    assert (home / ".bashrc").exists()


def test_what_is_no_repository_is_refused(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert dotfiles(tmp_path / "nothing") == 1
    assert "could not be cloned" in capsys.readouterr().err
    assert run(["dotfiles", "-y", "--", "--upload-pack=evil"]) == 1
    assert "is not the URL" in capsys.readouterr().err
