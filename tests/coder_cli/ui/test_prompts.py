"""Questions at a real terminal: echo, hidden input, ctrl-c, ctrl-d."""

import os
import pty
import select
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from coder_cli.kit.refused import Refused
from coder_cli.ui.prompts import Asker

CTRL_C = b"\x03"
TAKE_TERMINAL = "import os; os.close(os.open(os.ttyname(0), os.O_RDWR));"
"""The first terminal that the leader of a session opens becomes the one that sends it signals."""


def at_terminal(code: str, *typed: tuple[bytes, bytes]) -> tuple[int, bytes]:
    """Run Python at a terminal of its own; when a text appears, type the next words."""
    # Not pty.fork: forking a process that has threads may deadlock the child.
    line, side = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", TAKE_TERMINAL + code],
        stdin=side,
        stdout=side,
        stderr=side,
        start_new_session=True,
    )
    os.close(side)
    seen = b""
    last = b""
    waiting = list(typed)
    while True:
        if last == CTRL_C and not select.select([line], [], [], 5)[0]:
            # Python may lose an interrupt that comes inside a callback; people press again.
            os.write(line, CTRL_C)
            continue
        try:
            chunk = os.read(line, 4096)
        except OSError:
            break
        if not chunk:
            break
        seen += chunk
        if waiting and waiting[0][0] in seen:
            last = waiting.pop(0)[1]
            os.write(line, last)
    os.close(line)
    return process.wait(30), seen


ASK = "from coder_cli.ui.prompts import Asker; a = Asker();"


def test_text_is_shown_and_returned() -> None:
    code, seen = at_terminal(
        ASK + "print('got', a.text('Name?', flag='--name', default='dev'))", (b"[dev]", b"box\n")
    )
    assert code == 0
    assert b"got box" in seen


def test_a_secret_is_never_shown() -> None:
    code, seen = at_terminal(
        ASK + "print('got', len(a.secret('Password:', flag='--password')))",
        (b"Password:", b"hunter2\n"),
    )
    assert code == 0
    assert b"got 7" in seen
    assert b"hunter2" not in seen


def test_ctrl_c_at_a_question_ends_the_command_with_130(tmp_path: Path) -> None:
    code, seen = at_terminal(
        "import sys; from coder_cli.main import run;"
        f"sys.exit(run(['--global-config', {str(tmp_path)!r}, 'templates', 'init']))",
        (b"Number or name", CTRL_C),
    )
    assert code == 130
    assert b"Traceback" not in seen


def test_ctrl_d_cancels() -> None:
    code, seen = at_terminal(
        "import sys; from coder_cli.kit.refused import Refused\n"
        "from coder_cli.ui.prompts import Asker\n"
        "try: Asker().text('Name?', flag='--name')\n"
        "except Refused as error: print(error)\n",
        (b"Name?", b"\x04"),
    )
    assert code == 0
    assert b"the input ended" in seen


QUESTIONS: list[tuple[Callable[[Asker], object], str]] = [
    (lambda asker: asker.text("Name?", flag="--name"), "--name"),
    (lambda asker: asker.secret("Password:", flag="--password"), "--password"),
    (lambda asker: asker.select("Which?", [("a", "A")], flag="--which"), "--which"),
    (lambda asker: asker.confirm("Sure?", yes=False), "--yes"),
]


@pytest.mark.parametrize(("ask", "flag"), QUESTIONS, ids=[flag for _, flag in QUESTIONS])
def test_where_nobody_can_answer_the_flag_is_named(
    ask: Callable[[Asker], object], flag: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Path(os.devnull).open() as nobody:
        monkeypatch.setattr("sys.stdin", nobody)
        with pytest.raises(Refused, match=f"pass {flag}"):
            ask(Asker())


def test_yes_asks_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    Asker().confirm("Sure?", yes=True)
    monkeypatch.setenv("CODER_SKIP_PROMPT", "true")
    Asker().confirm("Sure?", yes=False)
