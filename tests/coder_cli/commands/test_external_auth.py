"""Accounts of other services from a workspace's shell: tokens for scripts, answers for git."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Generator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from typing_extensions import override

LINKED = {
    "access_token": "gho-1",
    "token_extra": {"authed_user": {"id": "U1"}, "teams": ["red", "blue"]},
    "username": "oauth2",
    "password": "gho-1",
}
LISTED = {
    "providers": [{"id": "github", "type": "github", "display_name": "GitHub"}],
    "links": [
        {
            "provider_id": "github",
            "created_at": "2026-01-02T03:04:05Z",
            "updated_at": "2026-01-02T03:04:05Z",
            "has_refresh_token": False,
            "expires": "0001-01-01T00:00:00Z",
            "authenticated": True,
            "validate_error": "",
        }
    ],
}
PAGE = {"url": "http://coder.test/external-auth/github", "access_token": ""}


class Door(ThreadingHTTPServer):
    """Answers an agent's question with each of the ``answers`` in turn, the last one for ever."""

    daemon_threads = True

    def __init__(self, *answers: dict[str, Any]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers = list(answers)
        self.asked: list[dict[str, list[str]]] = []

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run ``coder`` as a workspace's shell does."""
        env = {
            "PATH": os.environ["PATH"],
            "HOME": "/nonexistent",
            "CODER_AGENT_URL": f"http://127.0.0.1:{self.server_port}",
            "CODER_AGENT_TOKEN": "t",
            "CODER_URL": f"http://127.0.0.1:{self.server_port}",
            "CODER_SESSION_TOKEN": "session",
        }
        program = [sys.executable, "-m", "coder_cli", *words]
        # Outside of any repository: inside one, git's question tells of its branch.
        return subprocess.run(
            program, env=env, capture_output=True, text=True, check=False, cwd="/"
        )


class _Handler(BaseHTTPRequestHandler):
    server: Door  # pyright: ignore[reportIncompatibleVariableOverride] - it is this one

    def do_GET(self) -> None:
        self.server.asked.append(parse_qs(urlsplit(self.path).query))
        told = self.server.answers
        body = json.dumps(told.pop(0) if len(told) > 1 else told[0]).encode()
        self.send_response(404 if b"No matching" in body else 200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    @override
    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def door(request: pytest.FixtureRequest) -> Generator[Door]:
    server = Door(*request.param)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("door", [[LINKED]], indirect=True)
def test_scripts_get_the_token_or_what_came_with_it(door: Door) -> None:
    done = door.run("external-auth", "access-token", "github")
    assert (done.returncode, done.stdout) == (0, "gho-1\n")
    assert door.asked == [{"id": ["github"]}]
    for path, value in (
        ("authed_user.id", "U1"),
        ("teams.1", "blue"),
        ("teams", '["red", "blue"]'),
    ):
        done = door.run("external-auth", "access-token", "github", "--extra", path)
        assert (done.returncode, done.stdout) == (0, f"{value}\n")
    done = door.run("external-auth", "access-token", "github", "--extra", "authed_user.name")
    assert done.returncode == 1
    assert "Nothing at 'authed_user.name' came with the token." in done.stderr


@pytest.mark.parametrize("door", [[PAGE]], indirect=True)
def test_without_an_account_scripts_get_the_page_and_a_failure(door: Door) -> None:
    done = door.run("external-auth", "access-token", "github")
    assert (done.returncode, done.stdout.strip()) == (1, PAGE["url"])
    assert "Open this page to link one" in done.stderr


@pytest.mark.parametrize("door", [[LINKED]], indirect=True)
def test_git_gets_both_answers(door: Door) -> None:
    assert door.run("Username for 'https://git.test': ").stdout == "oauth2\n"
    assert door.run("Password for 'https://oauth2@git.test/a': ").stdout == "gho-1\n"
    assert door.asked[1] == {"match": ["https://git.test/a"]}


@pytest.mark.parametrize("door", [[PAGE, PAGE, LINKED]], indirect=True)
def test_git_waits_until_the_person_has_linked_an_account(door: Door) -> None:
    done = door.run("Password for 'https://git.test': ")
    assert (done.returncode, done.stdout) == (0, "gho-1\n")
    assert f"Open the following URL to authenticate with Git:\n\n{PAGE['url']}\n" in done.stderr
    assert [one.get("listen") for one in door.asked] == [None, ["true"], ["true"]]


@pytest.mark.parametrize(
    "door", [[{"message": "No matching external auth provider"}]], indirect=True
)
def test_git_servers_that_nobody_configured_are_left_to_git(door: Door) -> None:
    done = door.run("Password for 'https://git.test': ")
    assert (done.returncode, done.stdout) == (1, "")
    assert "The default git behavior will be used instead." in done.stderr


@pytest.mark.parametrize("door", [[LISTED]], indirect=True)
def test_services_are_listed_with_the_page_of_each(door: Door) -> None:
    done = door.run("external-auth", "list")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[1].split() == [
        "github",
        "GitHub",
        "github",
        "linked",
        f"http://127.0.0.1:{door.server_port}/external-auth/github",
    ]
    (told,) = json.loads(door.run("external-auth", "list", "-o", "json").stdout)
    assert told["links"][0]["provider_id"] == "github"
