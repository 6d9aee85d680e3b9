"""Which program runs a command: the user's shell, or what the command's first line asks for."""

import os
import pwd
import shlex
from collections.abc import Mapping
from pathlib import Path

_INLINE: Mapping[str, str] = {"perl": "-e", "ruby": "-e", "node": "-e", "lua": "-e", "php": "-r"}
"""How interpreters take a program as an argument; all others, shells and Python, say ``-c``."""
_NO_SHELLS = frozenset({"nologin", "false"})


def user_shell(env: Mapping[str, str]) -> str:
    """Return the user's shell: from the user database, else ``SHELL``, else ``/bin/sh``."""
    try:
        listed = pwd.getpwuid(os.getuid()).pw_shell
    except KeyError:  # A container's arbitrary user id has no entry.
        listed = ""
    for shell in (listed, env.get("SHELL", "")):
        if shell and Path(shell).name not in _NO_SHELLS and os.access(shell, os.X_OK):
            return shell
    return "/bin/sh"


def command_line(command: str, shell: str) -> list[str]:
    """Return how to run ``command``: by ``shell``, or by the interpreter of its first line."""
    text = command.lstrip()
    if not text.startswith("#!"):
        return [shell, "-c", command]
    first = text.partition("\n")[0].removeprefix("#!")
    try:
        interpreter = shlex.split(first)
    except ValueError:
        interpreter = first.split()
    if not interpreter:
        return [shell, "-c", command]
    name = Path(interpreter[-1]).name.rstrip("0123456789.")
    return [*interpreter, _INLINE.get(name, "-c"), text]


def login_line(shell: str) -> list[str]:
    """Return how to start ``shell`` as a login shell."""
    return [shell, "-l"]
