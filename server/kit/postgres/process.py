"""PostgreSQL as a process: run its programs as the right account, start, find and end it."""

import os
import shutil
import signal
import socket
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from server.kit.postgres.places import Places, PostgresError

SOCKET = ".s.PGSQL.5432"
ENVIRON = {"PATH": os.defpath, "LC_ALL": "C"}
PATIENCE = 30.0
"""Seconds for a start or a stop; recovery after a crash may take a while."""
_MOST_LOG = 8 << 20
_SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "300",
    "io_method": "sync",
    "jit": "off",
    # Statements and values may hold what users keep to themselves.
    "log_min_messages": "fatal",
    "log_min_error_statement": "panic",
}


@dataclass(slots=True)
class Deadline:
    """A wait that ends: ask ``over`` between two looks."""

    seconds: float = PATIENCE

    def __post_init__(self) -> None:
        self.seconds += time.monotonic()

    @property
    def over(self) -> bool:
        """Whether the time is up."""
        return time.monotonic() > self.seconds

    def pause(self) -> None:
        """Wait a little; another process has to move first, and no event loop runs yet."""
        time.sleep(0.05)  # noqa: TID251


def as_account(places: Places) -> dict[str, Any]:
    """Return what ``subprocess`` needs to run something as PostgreSQL's account."""
    if places.account is None:
        return {}
    return {"user": places.account.uid, "group": places.account.gid, "extra_groups": []}


def give(places: Places, path: Path) -> None:
    """Make ``path`` belong to PostgreSQL's account."""
    if places.account is not None:
        os.chown(path, places.account.uid, places.account.gid)


def run(places: Places, program: str, *arguments: str, sql: str | None = None) -> None:
    """Run one of PostgreSQL's programs to its end.

    Raises:
        PostgresError: it failed; the message has its last words.
    """
    done = subprocess.run(
        [places.binaries / program, *arguments],
        check=False,
        capture_output=True,
        text=True,
        env=ENVIRON,
        cwd=places.root,
        input=sql,
        umask=0o077,
        **as_account(places),
    )
    if done.returncode != 0:
        raise PostgresError(
            f"The built-in PostgreSQL in {places.root} could not be made: {last_line(done.stderr)}"
        )


def launch(places: Places) -> psutil.Process:
    """Start the postmaster and wait until it takes connections.

    Raises:
        PostgresError: it ended, or was not ready in time; the message has its last words.
    """
    deadline = Deadline()
    while True:
        try:
            return _launch_once(places, deadline)
        except PostgresError as refused:
            # The last backends of a killed postmaster need a moment to notice and go.
            if "shared memory block" not in str(refused) or deadline.over:
                raise
            deadline.pause()


def _launch_once(places: Places, deadline: Deadline) -> psutil.Process:
    path = places.root / "log"
    _rotate(path)
    with path.open("ab") as written:
        start = written.tell()
        child = subprocess.Popen(
            [
                places.binaries / "postgres",
                *("-D", places.data),
                *("-k", places.sockets),
                *(word for key, value in _SETTINGS.items() for word in ("-c", f"{key}={value}")),
            ],
            env=ENVIRON,
            cwd=places.root,
            stdin=subprocess.DEVNULL,
            stdout=written,
            stderr=written,
            umask=0o077,
            start_new_session=True,  # ctrl-c in the terminal is for the server, which ends this
            **as_account(places),
        )
    try:
        _await(places, child, start, deadline)
    except BaseException:
        if child.poll() is None:
            end(psutil.Process(child.pid), signal.SIGQUIT)
        raise
    return psutil.Process(child.pid)


def _await(places: Places, child: subprocess.Popen[Any], start: int, deadline: Deadline) -> None:
    """Wait until the postmaster takes connections."""
    while not (ready(places.data) and answers(places)):
        with suppress(subprocess.TimeoutExpired):
            child.wait(0.01)
            raise PostgresError(_refusal(places, start))
        if deadline.over:
            raise PostgresError(
                f"The built-in PostgreSQL in {places.root} was not ready after {PATIENCE:.0f} "
                f"seconds; see {places.root / 'log'}."
            )


def _rotate(path: Path) -> None:
    path.touch(mode=0o600)
    if path.stat().st_size > _MOST_LOG:
        path.replace(path.with_name("log.old"))
        path.touch(mode=0o600)


def _refusal(places: Places, start: int) -> str:
    path = places.root / "log"
    with path.open("rb") as written:
        written.seek(start)
        said = written.read().decode(errors="replace")
    return (
        f"The built-in PostgreSQL in {places.root} did not start: {last_line(said)} "
        f"(its log is {path})"
    )


def last_line(said: str) -> str:
    """Return what matters of a program's complaint: the last line that names a failure."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    grave = [line for line in lines if any(word in line for word in ("FATAL", "PANIC", "error:"))]
    chosen = (grave or lines or ["it said nothing"])[-1]
    return chosen.split("FATAL:")[-1].split("PANIC:")[-1].strip()


def _pid_file(data: Path) -> list[str]:
    try:
        return (data / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return []


def ready(data: Path) -> bool:
    """Tell whether the postmaster says that it takes connections."""
    lines = _pid_file(data)
    return len(lines) >= 8 and lines[7].strip() == "ready"


def answers(places: Places) -> bool:
    """Tell whether something accepts connections on the socket."""
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(5)
        try:
            line.connect(str(places.sockets / SOCKET))
        except OSError:
            return False
    return True


def find(data: Path) -> psutil.Process | None:
    """Return the living postmaster of ``data``, if there is one.

    A process that merely got the number of a dead postmaster is not one.
    """
    lines = _pid_file(data)
    if not lines or not lines[0].strip().isdecimal():
        return None
    try:
        process = psutil.Process(int(lines[0]))
        ours = process.name().startswith("postgres") and Path(process.cwd()) == data.resolve()
    except psutil.Error:
        return None
    return process if ours and alive(process) else None


def clear(places: Places) -> None:
    """Remove the pid and lock files of a dead postmaster: their numbers may live on as others."""
    for path in (places.data / "postmaster.pid", places.sockets / f"{SOCKET}.lock"):
        path.unlink(missing_ok=True)


def alive(process: psutil.Process) -> bool:
    """Tell whether the process runs; a zombie does not."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def end(process: psutil.Process, first: signal.Signals) -> None:
    """End a postmaster: with ``first``, then at once, then by force. Wait for it."""
    for number, patience in ((first, PATIENCE), (signal.SIGQUIT, 5.0), (signal.SIGKILL, 5.0)):
        with suppress(psutil.Error):
            process.send_signal(number)
        try:
            process.wait(patience)
        except psutil.TimeoutExpired:
            continue
        except psutil.Error:
            return
        return


def remove(folder: Path) -> None:
    """Remove a directory and everything in it."""
    shutil.rmtree(folder, ignore_errors=True)
