"""Paths as templates write them."""

import os
import sys
from pathlib import Path

import pytest

from agent.kit.paths import executable, expand_path, expand_variables, home, user_name

ENV = {"HOME": "/home/ann", "A": "1", "LONG_name2": "x"}


@pytest.mark.parametrize(
    ("text", "expanded"),
    [("$A-${A}", "1-1"), ("${LONG_name2}y", "xy"), ("$MISSING.", "."), ("5$", "5$"), ("", "")],
)
def test_variables(text: str, expanded: str) -> None:
    assert expand_variables(text, ENV) == expanded


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("~", "/home/ann"),
        ("~/x", "/home/ann/x"),
        ("$HOME/x", "/home/ann/x"),
        ("x/y", "/base/x/y"),
        ("/abs", "/abs"),
        ("~ann/x", "/base/~ann/x"),
    ],
)
def test_paths(text: str, path: str) -> None:
    assert expand_path(text, ENV, "/base") == path


def test_home_without_a_variable_is_the_databases() -> None:
    assert home({}) == home({"HOME": ""})
    assert home({}).startswith("/")


def test_we_have_a_name() -> None:
    assert user_name({}) == user_name({"USER": "somebody else"})


def test_the_executable_is_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program = tmp_path / "coder"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.setattr(sys, "argv", [str(program), "agent"])
    assert executable() == str(program)
    monkeypatch.setattr(sys, "argv", [str(tmp_path / "__main__.py")])
    assert executable() != str(program)
    assert executable() == "coder" or os.access(executable(), os.X_OK)
