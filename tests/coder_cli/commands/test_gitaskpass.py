"""Git's question: answered by the server, or left to git with one sentence."""

import os
import subprocess
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar
from urllib.parse import parse_qs, urlsplit

from typing_extensions import override


def ask(*words: str) -> subprocess.CompletedProcess[str]:
    env = {"PATH": os.environ["PATH"], "HOME": "/nonexistent"}
    env |= {"CODER_AGENT_URL": "http://127.0.0.1:1", "CODER_AGENT_TOKEN": "t"}
    program = [sys.executable, "-m", "coder_cli", *words]
    return subprocess.run(program, env=env, capture_output=True, text=True, check=False)


def test_git_asks_the_person_when_we_cannot_answer() -> None:
    done = ask("Password for 'https://example.com': ")
    assert (done.returncode, done.stdout) == (1, "")
    assert "The default git behavior will be used instead." in done.stderr


def test_other_questions_are_refused() -> None:
    done = ask("gitaskpass", "What is your name?")
    assert done.returncode == 1
    assert "neither" in done.stderr


class Asked(BaseHTTPRequestHandler):
    """A server that answers every question, and keeps it."""

    queries: ClassVar[list[dict[str, list[str]]]] = []

    def do_GET(self) -> None:
        self.queries.append(parse_qs(urlsplit(self.path).query))
        body = b'{"username": "ann", "password": "token"}'
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    @override
    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def answering(**more: str) -> Generator[dict[str, str]]:
    """Yield the environment of a workspace whose server answers every question."""
    Asked.queries.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Asked)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield {
            "PATH": os.environ["PATH"],
            "HOME": "/nonexistent",
            "PYTHONPATH": str(Path(__file__).parents[3]),
            "CODER_AGENT_URL": f"http://127.0.0.1:{server.server_port}",
            "CODER_AGENT_TOKEN": "t",
            **more,
        }
    finally:
        server.shutdown()
        server.server_close()


def test_a_service_is_asked_for_with_its_port_and_without_a_name(tmp_path: Path) -> None:
    question = "Password for 'https://ann:hunter2@git.test:8443/acme': "
    with answering() as env:
        done = subprocess.run(
            [sys.executable, "-m", "coder_cli", question],
            env=env,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
    assert (done.returncode, done.stdout) == (0, "token\n")
    assert Asked.queries == [{"match": ["https://git.test:8443/acme"]}]


def test_the_branch_and_the_chat_are_told(tmp_path: Path) -> None:
    for words in (
        ("init", "-q", "-b", "fix/tests"),
        ("-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q", "--allow-empty", "-m", "x"),
        ("remote", "add", "origin", "https://ann:hunter2@git.test/acme/site.git"),
    ):
        subprocess.run(["git", *words], cwd=tmp_path, check=True)
    chat = "6d2a4f0e-66b1-4f6a-8d3d-0e8b9a5c1d2f"
    question = [
        sys.executable,
        "-m",
        "coder_cli",
        "gitaskpass",
        "Password for 'https://git.test': ",
    ]
    with answering() as env:
        for chat_id in (chat, "odd"):
            done = subprocess.run(
                question,
                env=env | {"CODER_CHAT_ID": chat_id},
                cwd=tmp_path,
                capture_output=True,
                text=True,
                check=False,
            )
            assert (done.returncode, done.stdout) == (0, "token\n")
    told = {
        "match": ["https://git.test"],
        "git_branch": ["fix/tests"],
        "git_remote_origin": ["https://git.test/acme/site.git"],
    }
    assert Asked.queries == [{**told, "chat_id": [chat]}, told]
