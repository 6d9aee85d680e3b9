"""Where Linux says how busy it is: ``/proc`` for the machine, control groups for a container."""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

SAMPLE = 0.1
"""Seconds between two looks at a clock of processor time."""
_NO_LIMIT = 1 << 60
"""Version 1 says so for "no limit"."""


class Unknown(Exception):
    """The figure is nowhere to be had; the message names the place that lacks it."""


class Reading(NamedTuple):
    """A figure, and what it is out of; bytes are plain."""

    used: float
    total: float | None
    unit: str


class Host:
    """The system below ``root``."""

    def __init__(self, root: Path, nap: Callable[[float], None]) -> None:
        self._root = root
        self._nap = nap
        self._group = self._control_group()

    def cpu(self, *, whole: bool) -> Reading:
        """Return how many cores were busy during the last tenth of a second."""
        cores = float(os.cpu_count() or 1)
        group = None if whole else self._group
        spent = self._host_seconds if group is None else lambda: self._group_seconds(group)
        before, began = spent(), time.monotonic()
        self._nap(SAMPLE)
        passed = time.monotonic() - began
        used = max(spent() - before, 0.0) / max(passed, 1e-3)
        total = cores if group is None else self._core_limit(group) or cores
        return Reading(min(used, cores), total, "cores")

    def memory(self, *, whole: bool) -> Reading:
        """Return how much memory is in use; what the system would give back is not."""
        lines = self._read("proc/meminfo").splitlines()
        rows = {line.split(":")[0]: int(line.split()[1]) * 1024 for line in lines if ":" in line}
        total = rows["MemTotal"]
        if whole or self._group is None:
            return Reading(total - rows.get("MemAvailable", 0), total, "B")
        return self._group_memory(self._group, total)

    def disk(self, path: str) -> Reading:
        """Return how full the disk is on which ``path`` is."""
        found = os.statvfs(path)
        used = (found.f_blocks - found.f_bfree) * found.f_frsize
        return Reading(used, found.f_blocks * found.f_frsize, "B")

    def _control_group(self) -> Path | None:
        """Return our control group's directory, unless it is the machine's own."""
        base = self._root / "sys/fs/cgroup"
        own = ""
        for line in self._text("proc/self/cgroup").splitlines():
            if line.startswith("0::"):
                own = line[3:].strip("/")
        # Only the root of the machine lacks the file: groups and roots of containers have it.
        for place in (base / own, base):
            if (place / "memory.current").exists():
                limited = any(
                    self._word(place / name) not in ("", "max")
                    for name in ("memory.max", "cpu.max")
                )
                return place if limited or place == base else None
        limit = self._word(base / "memory/memory.limit_in_bytes")
        return base if limit.isdigit() and int(limit) < _NO_LIMIT else None

    def _host_seconds(self) -> float:
        first = self._read("proc/stat").split("\n", 1)[0].split()[1:]
        ticks = [int(each) for each in first]
        # Idle and waiting for disks are the fourth and the fifth; guests are in the first two.
        return (sum(ticks[:8]) - ticks[3] - ticks[4]) / os.sysconf("SC_CLK_TCK")

    def _group_seconds(self, group: Path) -> float:
        for line in self._text_at(group / "cpu.stat").splitlines():
            if line.startswith("usage_usec"):
                return int(line.split()[1]) / 1e6
        old = self._word(group / "cpuacct/cpuacct.usage")
        if not old.isdigit():
            raise Unknown(f"{group / 'cpu.stat'} has no usage_usec")
        return int(old) / 1e9

    def _core_limit(self, group: Path) -> float | None:
        quota, _, period = self._text_at(group / "cpu.max").strip().partition(" ")
        if not quota:
            quota = self._word(group / "cpu/cpu.cfs_quota_us")
            period = self._word(group / "cpu/cpu.cfs_period_us")
        if quota.isdigit() and period.isdigit() and int(period):
            return int(quota) / int(period)
        return None

    def _group_memory(self, group: Path, machine: int) -> Reading:
        current = self._word(group / "memory.current")
        limit, stat, cache = "memory.max", "memory.stat", "inactive_file"
        if not current:
            current = self._word(group / "memory/memory.usage_in_bytes")
            limit, stat = "memory/memory.limit_in_bytes", "memory/memory.stat"
            cache = "total_inactive_file"
        if not current.isdigit():
            raise Unknown(f"{group / 'memory.current'} is missing")
        used = int(current)
        for line in self._text_at(group / stat).splitlines():
            name, _, value = line.partition(" ")
            if name == cache and value.isdigit():
                used = max(used - int(value), 0)
        most = self._word(group / limit)
        total = int(most) if most.isdigit() and int(most) < _NO_LIMIT else machine
        return Reading(used, min(total, machine), "B")

    def _read(self, path: str) -> str:
        found = self._text(path)
        if not found:
            raise Unknown(f"{self._root / path} is missing")
        return found

    def _text(self, path: str) -> str:
        return self._text_at(self._root / path)

    def _text_at(self, path: Path) -> str:
        try:
            return path.read_text()
        except OSError:
            return ""

    def _word(self, path: Path) -> str:
        words = self._text_at(path).split()
        return words[0] if words else ""
