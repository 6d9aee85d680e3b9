"""One PostgreSQL cluster of our own: started for a server, or adopted from one that was killed."""

import fcntl
import os
import secrets
import signal
import stat
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import IO
from urllib.parse import quote

import psutil
import structlog

from server.kit.postgres import process
from server.kit.postgres.places import Places, PostgresError, embedded_version

log = structlog.get_logger()

USER = DATABASE = "coder"
_KEPT_BACKUPS = 5


class Cluster:
    """The built-in PostgreSQL of one configuration directory. Its calls block."""

    def __init__(self, places: Places) -> None:
        self.places = places
        self._lock: IO[str] | None = None
        self._process: psutil.Process | None = None

    @property
    def url(self) -> str:
        """The connection URL; it holds the password."""
        where = quote(str(self.places.sockets))
        return f"postgresql://{USER}:{self._password}@/{DATABASE}?host={where}"

    @property
    def running(self) -> bool:
        """Whether the cluster that we started or adopted is alive."""
        return self._process is not None and process.alive(self._process)

    def start(self) -> None:
        """Start the cluster, or adopt the one that a killed server left behind.

        Raises:
            PostgresError: another server uses it, its files are of another kind or version, or
                PostgreSQL itself refuses.
        """
        self._make_root()
        self._take_lock()
        try:
            self._check_data()
            self._make_sockets()
            if not self.places.data.exists():
                self._initialise()
            self._process = self._adopt() or process.launch(self.places)
        except BaseException:
            self._release_lock()
            raise

    def stop(self, *, at_once: bool = False) -> None:
        """Stop the cluster and wait for it; harmless when it is stopped.

        At once means without a last checkpoint: the next start recovers, nothing is lost.
        """
        if self._process is not None:
            process.end(self._process, signal.SIGQUIT if at_once else signal.SIGINT)
            self._process = None
        self._release_lock()

    @contextmanager
    def use(self) -> Generator[str]:
        """Yield the URL of the cluster, which a running server may hold; else start it meanwhile.

        Raises:
            PostgresError: as for ``start``.
        """
        if self._held() and process.answers(self.places):
            yield self.url
            return
        self.start()
        try:
            yield self.url
        finally:
            self.stop()

    def back_up(self, label: str, now: datetime) -> Path:
        """Dump the running database into ``backups`` and return the file; keep the last five.

        Raises:
            PostgresError: the dump failed; nothing is left of it.
        """
        folder = self.places.root / "backups"
        folder.mkdir(mode=0o700, exist_ok=True)
        target = folder / f"{now:%Y%m%dT%H%M%SZ}-{label}.dump"
        partial = target.with_suffix(".partial")
        partial.touch(mode=0o600)
        done = subprocess.run(
            [
                self.places.binaries / "pg_dump",
                "--format=custom",
                f"--file={partial}",
                f"--host={self.places.sockets}",
                f"--username={USER}",
                DATABASE,
            ],
            check=False,
            env={**process.ENVIRON, "PGPASSWORD": self._password},
            capture_output=True,
            text=True,
        )
        if done.returncode != 0:
            partial.unlink(missing_ok=True)
            why = process.last_line(done.stderr)
            raise PostgresError(f"The database could not be backed up: {why}")
        partial.rename(target)
        for old in sorted(folder.glob("*.dump"))[:-_KEPT_BACKUPS]:
            old.unlink()
        return target

    # The lock ---------------------------------------------------------------------------------

    def _take_lock(self) -> None:
        if self._lock is not None:
            return
        lock = (self.places.root / "lock").open("a+")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.seek(0)
            holder = lock.read().strip() or "unknown"
            lock.close()
            raise PostgresError(
                f"Another server (process {holder}) is using the built-in PostgreSQL in "
                f"{self.places.root}; stop it, or give this one another --global-config."
            ) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        self._lock = lock

    def _release_lock(self) -> None:
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def _held(self) -> bool:
        """Tell whether another process has the lock."""
        try:
            lock = (self.places.root / "lock").open("r+")
        except OSError:
            return False
        with lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                return True
        return False

    # Files ------------------------------------------------------------------------------------

    @property
    def _password(self) -> str:
        return (self.places.root / "password").read_text().strip()

    def _make_root(self) -> None:
        root = self.places.root
        root.mkdir(parents=True, exist_ok=True, mode=0o700)
        # PostgreSQL's account has to pass through, and nobody has to list it.
        root.chmod(0o711 if self.places.account else 0o700)

    def _make_sockets(self) -> None:
        """Make the directory of the socket; refuse one that somebody else put there."""
        folder = self.places.sockets
        folder.mkdir(mode=0o700, exist_ok=True)
        owner = os.geteuid()
        mine = {owner, self.places.account.uid} if self.places.account else {owner}
        seen = folder.lstat()
        if not stat.S_ISDIR(seen.st_mode) or seen.st_uid not in mine:
            raise PostgresError(
                f"The directory {folder}, meant for the database's socket, belongs to somebody "
                "else; remove it and start again."
            )
        folder.chmod(0o700)
        process.give(self.places, folder)

    def _check_data(self) -> None:
        data = self.places.data
        if not data.exists():
            return
        try:
            found = (data / "PG_VERSION").read_text().strip()
        except OSError:
            raise PostgresError(
                f"The directory {data} exists but is not a PostgreSQL database that can be read; "
                "move it away, or restore it from a backup."
            ) from None
        ours = embedded_version().split(".")[0]
        if found != ours:
            raise PostgresError(
                f"The database in {data} was made by PostgreSQL {found}, but this release brings "
                f"PostgreSQL {ours}; start the release that made it, dump the database and "
                "restore it here."
            )

    def _initialise(self) -> None:
        """Make a new cluster beside its place and move it there: it is whole, or it is not."""
        places, fresh = self.places, self.places.root / "data.new"
        process.remove(fresh)
        fresh.mkdir(mode=0o700)
        process.give(places, fresh)
        given = places.sockets / "password"
        for path in (places.root / "password", given):
            path.unlink(missing_ok=True)
            path.touch(mode=0o600)
        (places.root / "password").write_text(secrets.token_urlsafe(24) + "\n")
        given.write_text(self._password)
        process.give(places, given)
        try:
            process.run(
                places,
                "initdb",
                f"--pgdata={fresh}",
                f"--username={USER}",
                f"--pwfile={given}",
                "--auth-local=scram-sha-256",
                "--auth-host=reject",
                "--encoding=UTF8",
                "--locale=C",
                "--locale-provider=builtin",
                "--builtin-locale=C.UTF-8",
            )
        finally:
            given.unlink(missing_ok=True)
        make = f"CREATE DATABASE {DATABASE};\n"
        process.run(places, "postgres", "--single", "-D", str(fresh), "postgres", sql=make)
        fresh.rename(places.data)

    def _adopt(self) -> psutil.Process | None:
        """Return the postmaster that is running already, or None after clearing a dead one."""
        found = process.find(self.places.data)
        if found is None:
            process.clear(self.places)
            return None
        deadline = process.Deadline()
        while process.alive(found) and not deadline.over:
            if process.ready(self.places.data) and process.answers(self.places):
                log.info("adopted the PostgreSQL of a server that was killed", pid=found.pid)
                return found
            deadline.pause()
        process.end(found, signal.SIGQUIT)
        process.clear(self.places)
        return None
