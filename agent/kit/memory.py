"""Give memory back: an agent that idles for days must not keep what one large copy needed."""

import ctypes
import sys
from functools import cache
from typing import Any


@cache
def _libc() -> Any:
    return ctypes.CDLL(None) if sys.platform == "linux" else None


def trim() -> None:
    """Return freed memory to the system, where the C library knows how (glibc)."""
    give_back = getattr(_libc(), "malloc_trim", None)
    if give_back is not None:
        give_back(0)
