"""Git's question: answered by the server, or left to git with one sentence."""

import os
import subprocess
import sys


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
