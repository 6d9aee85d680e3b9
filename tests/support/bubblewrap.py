"""Whether this host can run a sandbox, and if not, why: for the reasons of skipped tests."""

import shutil
import subprocess
from functools import cache

import pytest

WORDS = (
    "bwrap",
    "--unshare-user",
    "--unshare-pid",
    "--ro-bind",
    "/",
    "/",
    "--proc",
    "/proc",
    "true",
)


@cache
def missing() -> str:
    """Return what keeps this host from running sandboxes, or nothing."""
    if shutil.which("bwrap") is None:
        return "bwrap is not on PATH: install the package bubblewrap"
    tried = subprocess.run(WORDS, capture_output=True, text=True, check=False)
    return f"this host makes no user namespaces: {tried.stderr}" if tried.returncode else ""


needs_bubblewrap = pytest.mark.skipif(bool(missing()), reason=missing() or "it can")
