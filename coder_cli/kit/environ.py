"""The one place where the client and the agent read the process environment."""

import os
from collections.abc import Mapping


def environ() -> Mapping[str, str]:
    """Return the process environment, read-only."""
    return os.environ
