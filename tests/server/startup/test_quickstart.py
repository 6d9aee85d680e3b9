"""``coder server --quickstart``: the whole road to a shell, and a second run on it."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.server.startup.conftest import Server, Start

READY = "is ready. In another terminal"


def coder(home: Path, *words: str) -> str:
    clean = {key: value for key, value in os.environ.items() if "CODER" not in key}
    command = [sys.executable, "-m", "coder_cli", "--global-config", str(home / "config"), *words]
    return subprocess.run(command, check=True, capture_output=True, text=True, env=clean).stdout


def last_word(server: Server) -> str:
    """Return what is said once everything is ready: the next commands."""
    server.read_until(READY)
    said = server.read_until("templates init")
    return said[said.index(READY) :]


@pytest.mark.e2e
@pytest.mark.skipif(shutil.which("terraform") is None, reason="needs terraform on PATH")
def test_from_nothing_to_a_shell_and_again(start: Start) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        # The agent comes back to where it was told: the second server has to be there.
        address = f"127.0.0.1:{free.getsockname()[1]}"
    environ = {"CODER_PROVISIONER_DAEMONS": "1"}
    first = start("--quickstart", "--http-address", address, **environ)
    said = last_word(first)
    assert len(re.findall(r"^  coder ", said, re.MULTILINE)) == 3
    assert re.search(r"Password: \S{20}", first.said)
    assert coder(first.home, "whoami")
    [workspace] = json.loads(coder(first.home, "list", "-o", "json"))
    assert (workspace["name"], workspace["latest_build"]["status"]) == ("dev", "running")
    assert coder(first.home, "ssh", "dev", "echo", "hello") == "hello\n"
    first.interrupt()
    assert first.end()[0] == 0
    second = start("--quickstart", "--http-address", address, **environ)
    assert last_word(second) == said
    assert "Password:" not in second.said
    [again] = json.loads(coder(first.home, "list", "-o", "json"))
    assert again["latest_build"]["build_number"] == 1
    coder(first.home, "delete", "dev", "--yes")
