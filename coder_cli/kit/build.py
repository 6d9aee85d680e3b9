"""What this executable is: its version."""

VERSION = "0.1.0"
"""Said here and in pyproject.toml; a test compares them. To ask the installed metadata for it costs
30 ms of CPU at every start, half of what ``coder --version`` may take."""


def version() -> str:
    """Return the version as the API and ``coder --version`` show it, e.g. ``v0.1.0``."""
    return f"v{VERSION}"
