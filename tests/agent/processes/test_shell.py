"""Who runs a command."""

import os
import pwd
from types import SimpleNamespace

import pytest

from agent.processes import command_line, login_line, user_shell


@pytest.mark.parametrize(
    ("command", "argv"),
    [
        ("echo hi", ["/bin/zsh", "-c", "echo hi"]),
        (" echo '#!'", ["/bin/zsh", "-c", " echo '#!'"]),
        ("#!/bin/bash\nx", ["/bin/bash", "-c", "#!/bin/bash\nx"]),
        ("\n  #!/bin/bash -e\nx", ["/bin/bash", "-e", "-c", "#!/bin/bash -e\nx"]),
        (
            "#! /usr/bin/env python3\nx",
            ["/usr/bin/env", "python3", "-c", "#! /usr/bin/env python3\nx"],
        ),
        ("#!/usr/bin/perl\nx", ["/usr/bin/perl", "-e", "#!/usr/bin/perl\nx"]),
        ("#!/usr/bin/env node\nx", ["/usr/bin/env", "node", "-e", "#!/usr/bin/env node\nx"]),
        ("#!\nx", ["/bin/zsh", "-c", "#!\nx"]),
        ("#!/bin/sh 'x\ny", ["/bin/sh", "'x", "-c", "#!/bin/sh 'x\ny"]),
    ],
)
def test_a_first_line_chooses_the_interpreter(command: str, argv: list[str]) -> None:
    assert command_line(command, "/bin/zsh") == argv


def test_a_login_shell() -> None:
    assert login_line("/bin/bash") == ["/bin/bash", "-l"]


def _listed(monkeypatch: pytest.MonkeyPatch, shell: str) -> None:
    def entry(_: int) -> SimpleNamespace:
        return SimpleNamespace(pw_shell=shell)

    monkeypatch.setattr(pwd, "getpwuid", entry)


def test_the_shell_of_the_user_database_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    _listed(monkeypatch, "/bin/sh")
    assert user_shell({"SHELL": "/bin/cat"}) == "/bin/sh"


@pytest.mark.parametrize("listed", ["", "/usr/sbin/nologin", "/bin/false", "/no/such/shell"])
def test_a_shell_that_is_none_is_passed_over(monkeypatch: pytest.MonkeyPatch, listed: str) -> None:
    _listed(monkeypatch, listed)
    assert user_shell({"SHELL": "/bin/cat"}) == "/bin/cat"
    assert user_shell({}) == "/bin/sh"


def test_a_user_without_an_entry_has_a_shell(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(uid: int) -> object:
        raise KeyError(uid)

    monkeypatch.setattr(pwd, "getpwuid", unknown)
    assert user_shell({}) == "/bin/sh"
    assert os.access(user_shell({}), os.X_OK)
