"""Agents in a terminal, on a real server without keys: work is done, stopped, taken up again."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Generator

import pytest

from tests.support.house import House, until

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(240),
    pytest.mark.skipif(shutil.which("terraform") is None, reason="terraform is not on PATH"),
]

JOB = """\
create workspace from local named demo
write {0}/hello.py print("hello from an agent")
$ cd {0} && git init -q . && python3 hello.py
edit {0}/hello.py hello => good morning
$ cd {0} && git add -N . && git diff
"""
CONTEXT = """\
$ mkdir -p ctx && echo "Be kind." > ctx/AGENTS.md && coder exp chat context add --dir ctx
$ coder exp chat context clear
"""


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, module_dsn: str) -> Generator[House]:
    """A deployment after `coder server --quickstart`: no provider, no key."""
    house = House(tmp_path_factory.mktemp("house"), module_dsn)
    try:
        house.start("--quickstart")
        until("the quickstart", lambda: "is ready. In another terminal" in house.said())
        yield house
    finally:
        house.close()


def begun(house: House, *words: str) -> tuple[subprocess.Popen[str], str]:
    """Start a chat, and return it with its first words while it talks."""
    chat = subprocess.Popen(
        [sys.executable, "-m", "coder_cli", "agents", "chat", *words],
        env=house.env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert chat.stdout is not None
    # Past its buffer, where communicate would not find what was read ahead.
    return chat, os.read(chat.stdout.fileno(), 100).decode()


def test_a_workspace_is_made_a_file_written_run_and_its_change_shown(house: House) -> None:
    done = house.coder("agents", "chat", "-", stdin=JOB.format(house.root / "hello"))
    assert '+print("good morning from an agent")' in done.stdout
    for words in ("✔ create_workspace  demo", "✔ execute  exit 0\n    hello from an agent"):
        assert words in done.stderr
    assert house.workspace("demo")["latest_build"]["status"] == "running"
    (chat,) = json.loads(house.coder("agents", "list", "-o", "json").stdout)
    assert chat["status"] == "waiting"


def test_a_shell_of_the_workspace_tells_the_chat_about_files(house: House) -> None:
    done = house.coder("agents", "chat", "--workspace", "dev", "-", stdin=CONTEXT)
    assert "Added 1 files and 0 skills to chat" in done.stdout
    assert "has forgotten" in done.stdout


def test_ctrl_c_stops_the_turn_and_keeps_what_was_written(house: House) -> None:
    chat, first = begun(house, "words 300 every 0.1")
    chat.send_signal(signal.SIGINT)
    out, err = chat.communicate(timeout=60)
    assert chat.returncode == 130, err
    kept = house.coder("agents", "messages", "last", "-o", "json").stdout
    newest = json.loads(kept)["messages"][0]
    assert newest["content"][0]["text"].split() == (first + out).split()


def test_a_killed_server_costs_no_word(house: House) -> None:
    chat, first = begun(house, "words 60 every 0.1")
    house.stop(signal.SIGKILL)
    house.start()
    out, err = chat.communicate(timeout=120)
    assert chat.returncode == 0, err
    assert (first + out).split() == [f"word{number}" for number in range(1, 61)]
    assert "Connected again." in err


def test_a_small_load_is_borne(house: House) -> None:
    done = house.coder("exp", "scaletest", "chat", "--chats", "5", "--turns", "3", "-o", "json")
    told = json.loads(done.stdout)
    assert (told["turns"], told["failed"]) == (15, 0)
