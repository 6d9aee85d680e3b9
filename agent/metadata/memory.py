"""How much memory a workspace uses: of its container where there is one, else of the machine."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from coder_cli.sdk.agentapi import MemoryUsage

CGROUPS: Final = Path("/sys/fs/cgroup")


def memory(root: Path = CGROUPS, machine: "Callable[[], MemoryUsage] | None" = None) -> MemoryUsage:
    """Return used and total bytes.

    A container's limit counts only where it is below the machine's memory. The cache of files that
    were not touched for a while does not count as used: the kernel gives it up first.

    Raises:
        OSError: it cannot be measured.
    """
    whole = (machine or _machine)()
    for limit, used, stat, inactive in (
        ("memory.max", "memory.current", "memory.stat", "inactive_file"),
        (
            "memory/memory.limit_in_bytes",
            "memory/memory.usage_in_bytes",
            "memory/memory.stat",
            "total_inactive_file",
        ),
    ):
        total = _number(root / limit)
        now = _number(root / used)
        if total is None or now is None or total >= whole.total:
            continue
        return MemoryUsage(max(now - _field(root / stat, inactive), 0), total)
    return whole


def _machine() -> MemoryUsage:
    import psutil  # Costs megabytes: only where a template wants it.

    found = psutil.virtual_memory()
    return MemoryUsage(found.total - found.available, found.total)


def _number(path: Path) -> int | None:
    try:
        text = path.read_text().strip()
    except OSError:
        return None
    return int(text) if text.isdecimal() else None  # "max" is no limit.


def _field(path: Path, name: str) -> int:
    try:
        lines = path.read_text().splitlines()
    except OSError:
        return 0
    for line in lines:
        key, _, value = line.partition(" ")
        if key == name and value.isdecimal():
            return int(value)
    return 0
