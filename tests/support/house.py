"""A whole deployment for end-to-end tests: the real server process, terraform, agents and ssh."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from tests.support.postgres import as_url

PATIENCE = 60.0


def free_port() -> int:
    """Return a port of loopback that nobody listens on."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def until(what: str, check: Callable[[], Any], patience: float = PATIENCE) -> Any:
    """Return what ``check`` returns once it is true; it is asked again for a bounded time."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        if found := check():
            return found
        time.sleep(0.1)
    raise AssertionError(f"{what} did not happen within {patience:.0f}s")


class House:
    """One server process and one home directory on one database."""

    def __init__(self, root: Path, dsn: str) -> None:
        self.root = root
        self.home = root / "home"
        self.home.mkdir()
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = root / "server.log"
        self.process: subprocess.Popen[bytes] | None = None
        inherited = {k: v for k, v in os.environ.items() if k in ("LANG", "TERM", "USER", "SHELL")}
        self.env = {
            **inherited,
            "HOME": str(self.home),
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "CODER_CONFIG_DIR": str(self.home / "config"),
            "CODER_CACHE_DIRECTORY": str(root / "cache"),
            "CODER_PG_CONNECTION_URL": as_url(dsn),
        }

    def start(self, *flags: str) -> None:
        """Start the server and wait until it answers."""
        words = [sys.executable, "-m", "coder_cli", "server", *flags]
        words += ["--http-address", f"127.0.0.1:{self.port}"]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                words, env=self.env, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        until("the server's first answer", self._answers)

    def said(self) -> str:
        """Return everything the server printed so far."""
        return self.log.read_text(errors="replace")

    def stop(self, number: signal.Signals = signal.SIGINT) -> None:
        """End the server with a signal and wait for its end."""
        if self.process is not None:
            self.process.send_signal(number)
            self.process.wait(40)
            self.process = None

    def coder(
        self, *words: str, stdin: str = "", check: bool = True
    ) -> subprocess.CompletedProcess[str]:
        """Run the CLI as a user would."""
        done = subprocess.run(
            [sys.executable, "-m", "coder_cli", *words],
            env=self.env,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=PATIENCE * 2,
            check=False,
        )
        assert not check or done.returncode == 0, f"coder {words}: {done.stderr}\n{self.said()}"
        return done

    def run(
        self, *words: str, check: bool = True, stdin: str = ""
    ) -> subprocess.CompletedProcess[str]:
        """Run any other program in this home."""
        done = subprocess.run(
            words,
            env=self.env,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert not check or done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
        return done

    def workspace(self, name: str) -> dict[str, Any]:
        """Return a workspace as the API shows it."""
        found = json.loads(self.coder("list", "--search", f"name:{name}", "-o", "json").stdout)
        return found[0] if found else {}

    def agent(self, name: str) -> dict[str, Any]:
        """Return the workspace's only agent, or an empty dict."""
        resources = self.workspace(name).get("latest_build", {}).get("resources", [])
        agents = [agent for one in resources for agent in one["agents"]]
        return agents[0] if agents else {}

    def processes(self, workspace_id: str) -> list[int]:
        """Return the processes that carry the workspace's mark."""
        mark = f"CODER_LOCAL_WORKSPACE={workspace_id}".encode()
        found: list[int] = []
        for folder in Path("/proc").iterdir():
            if folder.name.isdigit():
                try:
                    environ = (folder / "environ").read_bytes()
                except OSError:
                    continue
                if mark in environ.split(b"\0"):
                    found.append(int(folder.name))
        return found

    def close(self) -> None:
        """End everything that was started here."""
        self.stop(signal.SIGTERM)
        for folder in Path("/proc").iterdir():
            if folder.name.isdigit():
                try:
                    # What runs in a sandbox has nothing of the home but in its command.
                    words = (folder / "environ").read_bytes() + (folder / "cmdline").read_bytes()
                except OSError:
                    continue
                if str(self.home).encode() in words and int(folder.name) != os.getpid():
                    with suppress(ProcessLookupError):
                        os.kill(int(folder.name), signal.SIGKILL)
        shutil.rmtree(self.root, ignore_errors=True)

    def _answers(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, self.said()
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1):
                return "Logs will stream in below" in self.said()
        except OSError:
            return False
