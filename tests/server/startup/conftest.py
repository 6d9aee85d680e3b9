"""A real ``coder server`` process, with everything it writes in a directory of this test's own."""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Generator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import pytest
from psycopg.conninfo import conninfo_to_dict

LAST_LINE = "==> Logs will stream in below"
Start = Callable[..., "Server"]


@dataclass(slots=True)
class Server:
    """A server under test."""

    process: subprocess.Popen[str]
    home: Path
    output: IO[str]
    said: str = ""

    def read_until(self, words: str) -> str:
        """Return what was said up to and with the line that has ``words``."""
        assert self.process.stdout
        for line in self.process.stdout:
            self.said += line
            if words in line:
                return self.said
        raise AssertionError(f"{words!r} never came: {self.said}\n{self.log()}")

    @property
    def url(self) -> str:
        found = re.search(r"listener at (\S+)", self.said)
        assert found
        return found[1]

    def log(self) -> str:
        """Return what it wrote on stderr."""
        self.output.seek(0)
        return self.output.read()

    def end(self) -> tuple[int, str]:
        """Wait for the end; return the exit code and everything said."""
        said, _ = self.process.communicate(timeout=30)
        self.said += said
        return self.process.returncode, self.said

    def interrupt(self) -> None:
        self.process.send_signal(signal.SIGINT)


@pytest.fixture
def home() -> Generator[Path]:
    """A directory with a short path that other accounts may pass through."""
    folder = Path(tempfile.mkdtemp(prefix="coder-up-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def start(home: Path) -> Generator[Start]:
    """Start ``coder server`` with these flags, on a free port."""
    with ExitStack() as stack:

        def started(*flags: str, sub: str = "", **environ: str) -> Server:
            clean = {key: value for key, value in os.environ.items() if "CODER" not in key}
            output = stack.enter_context((home / "stderr").open("w+"))
            process = stack.enter_context(
                subprocess.Popen(
                    [
                        *(sys.executable, "-m", "coder_cli"),
                        *("--global-config", str(home / "config"), "server"),
                        *([sub] if sub else ["--http-address", "127.0.0.1:0"]),
                        *flags,
                    ],
                    env={
                        **clean,
                        "STATE_DIRECTORY": str(home / "state"),
                        "CACHE_DIRECTORY": str(home / "cache"),
                        "CODER_PROVISIONER_DAEMONS": "0",
                        **environ,
                    },
                    stdout=subprocess.PIPE,
                    stderr=output,
                    text=True,
                )
            )

            def finish() -> None:
                if process.poll() is None:
                    process.terminate()
                    try:
                        process.wait(15)
                    except subprocess.TimeoutExpired:
                        process.kill()

            stack.callback(finish)
            return Server(process, home, output)

        yield started


@pytest.fixture
def url(dsn: str) -> str:
    """The database of this test as ``--postgres-url`` takes it."""
    parts = conninfo_to_dict(dsn)
    who = f"{parts['user']}:{parts.get('password') or ''}"
    return f"postgresql://{who}@/{parts['dbname']}?host={parts['host']}"
