"""Real repositories, and a git that looks at them."""

import os
import subprocess
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from agent.git import Git
from agent.kit.child import Children
from coder_cli.kit.clock import SystemClock


@dataclass
class Repo:
    """A repository of a user who has a name."""

    root: Path
    env: Mapping[str, str]

    def git(self, *words: str, stdin: bytes = b"") -> str:
        """Run git as the user would."""
        done = subprocess.run(
            ["git", *words],
            cwd=self.root,
            env=self.env,
            capture_output=True,
            check=True,
            input=stdin,
        )
        return done.stdout.decode(errors="surrogateescape")

    def write(self, name: str, content: str | bytes) -> Path:
        """Write a file, and the directories above it."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def commit(self, words: str = "one") -> None:
        """Commit everything."""
        self.git("add", "--all")
        self.git("commit", "-q", "-m", words)


Make = Callable[..., Repo]


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    """The environment of the workspace's user."""
    home = tmp_path / "home"
    home.mkdir()
    (home / ".gitconfig").write_text(
        "[user]\nname = a\nemail = a@b.c\n[init]\ndefaultBranch = main\n"
        "[protocol.file]\nallow = always\n"
    )
    return {"PATH": os.environ["PATH"], "HOME": str(home), "GIT_CONFIG_NOSYSTEM": "1"}


@pytest.fixture
def make(tmp_path: Path, env: dict[str, str]) -> Make:
    """Make repositories, by default with one commit of one file."""

    def make(name: str = "repo", *words: str, empty: bool = False) -> Repo:
        repo = Repo(tmp_path / name, env)
        repo.root.mkdir(parents=True)
        repo.git("init", "-q", *words)
        if not empty:
            repo.write("a.txt", "one\ntwo\nthree\n")
            repo.commit()
        return repo

    return make


@pytest.fixture
async def command(env: dict[str, str]) -> AsyncIterator[Git]:
    """The agent's git."""
    clock = SystemClock()
    children = Children(clock)
    yield Git(lambda: env, children, clock)
    await children.end_all()
