"""``coder gitssh``: the owner's key after the user's own, and out of the way without one."""

import json
import os
import signal
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from typing_extensions import override

from coder_cli.commands import gitssh
from coder_cli.kit.refused import Refused

_SSH = """#!/bin/sh
if [ "$1" = -G ]; then
    echo "identityfile $HOME/.ssh/id_own"
    echo "identityfile $HOME/.ssh/id_absent"
    exit
fi
for word; do echo "$word"; done >$HOME/said
for word; do [ -f "$word" ] && cat "$word" && stat -c %a "$word"; done >$HOME/keys
exit ${SSH_ENDS_WITH:-0}
"""


class _Server(BaseHTTPRequestHandler):
    status = 200
    token = ""

    def do_GET(self) -> None:
        assert self.path == "/api/v2/workspaceagents/me/gitsshkey"
        type(self).token = self.headers["Coder-Session-Token"]
        body = {"public_key": "ssh-ed25519 AAAA\n", "private_key": "PRIVATE", "message": "no"}
        self.send_response(self.status)
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    @override
    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A workspace with a server, and an ``ssh`` that writes down what it is told."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "ssh").write_text(_SSH)
    (tmp_path / "bin" / "ssh").chmod(0o755)
    (tmp_path / ".ssh").mkdir()
    (tmp_path / ".ssh" / "id_own").write_text("OWN\n")
    server = HTTPServer(("127.0.0.1", 0), _Server)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    monkeypatch.setattr(_Server, "status", 200)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PATH", f"{tmp_path}/bin{os.pathsep}{os.defpath}")
    monkeypatch.setenv("CODER_AGENT_URL", f"http://127.0.0.1:{server.server_port}/")
    monkeypatch.setenv("CODER_AGENT_TOKEN", "agent-token")
    yield tmp_path
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_owners_key_comes_after_the_users_own(home: Path) -> None:
    assert gitssh.main(["--", "-p", "22", "git@host", "git-upload-pack 'r'"]) == 0
    said = (home / "said").read_text().splitlines()
    ours = said[3]
    assert said[:4] == ["-i", f"{home}/.ssh/id_own", "-i", ours]
    assert said[4:] == ["-p", "22", "git@host", "git-upload-pack 'r'"]
    kept = (home / "keys").read_text().split()
    assert (kept[0], kept[-2:]) == ("OWN", ["PRIVATE", "600"])
    assert not Path(ours).exists()
    assert _Server.token == "agent-token"


def test_ctrl_c_is_for_ssh_and_as_before_afterwards(home: Path) -> None:
    before = signal.getsignal(signal.SIGINT)
    assert gitssh.main(["git@host"]) == 0
    assert signal.getsignal(signal.SIGINT) is before


def test_a_failed_connection_shows_the_key_to_add(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SSH_ENDS_WITH", "255")
    assert gitssh.main(["git@host"]) == 255
    assert "ssh-ed25519 AAAA" in capsys.readouterr().err
    monkeypatch.setenv("SSH_ENDS_WITH", "3")
    assert gitssh.main(["git@host"]) == 3
    assert capsys.readouterr().err == ""


def test_without_a_key_ssh_runs_as_it_is(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(_Server, "status", 404)
    assert gitssh.main(["--", "git@host"]) == 0
    assert (home / "said").read_text() == "git@host\n"
    assert capsys.readouterr().err == "Coder's SSH key is not available: no\n"


def test_outside_of_a_workspace_it_says_what_is_missing(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CODER_AGENT_TOKEN")
    with pytest.raises(Refused, match="CODER_AGENT_TOKEN"):
        gitssh.main(["git@host"])
    monkeypatch.setenv("PATH", str(home))
    with pytest.raises(Refused, match="no ssh in this workspace"):
        gitssh.main(["git@host"])
