"""Where things are: the user's home, our own executable, paths as templates write them."""

import os
import pwd
import re
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

_VARIABLE = re.compile(r"\$(?:(\w+)|\{(\w+)\})")


def home(env: Mapping[str, str]) -> str:
    """Return the home directory: ``HOME``, else what the user database says."""
    if env.get("HOME"):
        return env["HOME"]
    try:
        return pwd.getpwuid(os.getuid()).pw_dir
    except KeyError:  # A container's arbitrary user id has no entry.
        return "/"


def user_name(env: Mapping[str, str]) -> str:
    """Return who we are: what the user database says, else ``USER``."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return env.get("USER") or str(os.getuid())


def expand_variables(text: str, env: Mapping[str, str]) -> str:
    """Return ``text`` with ``$NAME`` and ``${NAME}`` replaced; unknown names are empty."""
    return _VARIABLE.sub(lambda found: env.get(found[1] or found[2], ""), text)


def expand_path(text: str, env: Mapping[str, str], base: str) -> str:
    """Return ``text`` as an absolute path: ``~`` and variables expanded, relative to ``base``."""
    path = expand_variables(text, env)
    if path == "~" or path.startswith("~/"):
        path = home(env) + path[1:]
    return str(Path(base, path))


def executable() -> str:
    """Return the path of the ``coder`` that runs, for processes that must call it back."""
    if getattr(sys, "frozen", False):
        return sys.executable
    started_as = Path(sys.argv[0]).resolve()
    if started_as.name.startswith("coder") and os.access(started_as, os.X_OK):
        return str(started_as)
    beside = Path(sys.executable).parent / "coder"
    return str(beside) if beside.exists() else shutil.which("coder") or "coder"
