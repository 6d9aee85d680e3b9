"""Clean up after a server that died in the middle of a build."""

import asyncio
import json
import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil

from server.terraform.command import PID_FILE

_PATIENCE = 5.0
_SAME_START = 0.1


async def end_leftovers(work_dir: Path) -> None:
    """End the terraform that runs in a work directory: politely first, so that it saves its state.

    A pid alone proves nothing, since numbers are used again: the process must have started when
    ours did, or run terraform in this very directory.
    """
    found = list(_leftovers(work_dir))
    for process in found:
        with suppress(psutil.Error):
            process.send_signal(signal.SIGINT)
    if found:
        _, alive = await asyncio.to_thread(psutil.wait_procs, found, _PATIENCE)
        for process in found:
            # The leader of its group; its children may live on when it does not.
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
        await asyncio.to_thread(psutil.wait_procs, alive, _PATIENCE)
    (work_dir / PID_FILE).unlink(missing_ok=True)


def _leftovers(work_dir: Path) -> Iterator[psutil.Process]:
    named = _named(work_dir / PID_FILE)
    if named is not None:
        yield named
    # The server may have died between starting terraform and writing its pid down.
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            runs_here = Path(process.cwd()) == work_dir.resolve()
            program = Path(process.exe()).name
            if runs_here and program in {"terraform", "tofu"} and process != named:
                yield process


def _named(pid_file: Path) -> psutil.Process | None:
    try:
        noted = json.loads(pid_file.read_text())
        process = psutil.Process(int(noted["pid"]))
        if abs(process.create_time() - float(noted["started"])) < _SAME_START:
            return process
    except (OSError, ValueError, KeyError, TypeError, psutil.Error):
        pass
    return None
