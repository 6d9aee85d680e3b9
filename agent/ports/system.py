"""What the operating system says of listening sockets; the only place that asks it."""

import contextlib
import os
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from typing_extensions import override


@dataclass(frozen=True, slots=True)
class Listener:
    """One TCP socket that takes connections; ``process_name`` is empty where it is not told."""

    port: int
    process_name: str = ""


class Listeners(Protocol):
    """Whoever knows the listening sockets; may block."""

    def now(self) -> Sequence[Listener]:
        """Return them, IPv4 and IPv6, in any order.

        Raises:
            OSError: the system does not tell.
        """
        ...


class SystemListeners(Listeners):
    """This machine's.

    Linux tells the ports of everybody and the names of our own user's processes. Elsewhere an
    ordinary user learns only of their own processes, so that others' ports are missing.
    """

    @override
    def now(self) -> Sequence[Listener]:
        """Return them, without those of this very process."""
        # Few ask for ports, and it is a few megabytes.
        import psutil

        names: dict[int, str] = {}
        found: list[Listener] = []
        try:
            for pid, port in _sockets():
                if pid == os.getpid():
                    continue
                if pid is not None and pid not in names:
                    names[pid] = _name(pid)
                found.append(Listener(port, names.get(pid, "") if pid is not None else ""))
        except psutil.Error as error:
            raise OSError(str(error)) from error
        return found


def _sockets() -> Iterable[tuple[int | None, int]]:
    import psutil

    if sys.platform == "linux":
        for each in psutil.net_connections("tcp"):
            if each.status == psutil.CONN_LISTEN and each.laddr:
                yield each.pid, each.laddr.port
        return
    # The system-wide table is for root there; every process of our own may be asked.
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            for each in process.net_connections("tcp"):
                if each.status == psutil.CONN_LISTEN and each.laddr:
                    yield process.pid, each.laddr.port


def _name(pid: int) -> str:
    import psutil

    try:
        return psutil.Process(pid).name()
    except psutil.Error:  # Gone meanwhile, or not ours to ask.
        return ""
