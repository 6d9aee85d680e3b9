"""What this executable is: its version."""

from functools import cache
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed_version


@cache
def version() -> str:
    """Return the version as the API and ``coder --version`` show it, e.g. ``v0.1.0``."""
    try:
        return f"v{installed_version('coder')}"
    except PackageNotFoundError:
        return "v0.0.0-devel"
