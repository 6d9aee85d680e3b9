"""``terraform init`` once per template, however many workspaces are built from it."""

import asyncio
import hashlib
import os
import shutil
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from tempfile import mkdtemp

from coder_cli.kit.clock import Clock

MODULES = ".terraform"
LOCK_FILE = ".terraform.lock.hcl"
_GRAPH = "graph.dot"
_READY = "ready"
_UNUSED = timedelta(days=30)
VENDORED = "terraform.d"
"""Where a template may bring providers along."""
_DECIDES = (".tf", ".tf.json", ".tofu", ".tofu.json", LOCK_FILE)
_OF_A_RUN = (".coder-", "terraform.tfstate", "terraform.pid", "errored.tfstate")


@dataclass(slots=True)
class Prepared:
    """The directory that keeps one template's ``.terraform``; it is never changed again."""

    directory: Path

    def link(self, work_dir: Path) -> None:
        """Give a work directory the modules and providers."""
        link = work_dir / MODULES
        if link.is_dir() and not link.is_symlink():
            shutil.rmtree(link)
        link.unlink(missing_ok=True)
        link.symlink_to(self.directory / MODULES)
        if (self.directory / LOCK_FILE).exists():
            shutil.copyfile(self.directory / LOCK_FILE, work_dir / LOCK_FILE)

    @property
    def graph(self) -> str | None:
        """Return the dependency graph, once somebody kept it."""
        with suppress(OSError):
            return (self.directory / _GRAPH).read_text()
        return None

    def keep_graph(self, dot: str) -> None:
        """Keep the dependency graph: it depends on the template alone."""
        draft = self.directory / f".{_GRAPH}.{os.getpid()}"
        draft.write_text(dot)
        draft.replace(self.directory / _GRAPH)

    def is_usable(self) -> bool:
        """Tell whether everything is still there; providers are links into the plugin cache."""
        if not (self.directory / _READY).exists():
            return False
        providers = self.directory / MODULES / "providers"
        return all(
            (Path(parent) / name).exists()
            for parent, directories, files in os.walk(providers)
            for name in (*directories, *files)
        )


def _fingerprint(work_dir: Path, salt: str) -> str:
    """Return what decides about modules and providers: the lock file and all that is HCL.

    A template whose scripts or texts have changed is prepared already. Where one brings providers
    along, all of it decides: nobody else may get them with the same HCL.
    """
    found = hashlib.sha256(salt.encode())
    deciding = "" if (work_dir / VENDORED).exists() else _DECIDES
    for folder, directories, files in os.walk(work_dir):
        directories.sort()
        for name in sorted(
            n for n in files if n.endswith(deciding) and not n.startswith(_OF_A_RUN)
        ):
            path = Path(folder, name)
            place = os.fsencode(path.relative_to(work_dir))
            content = path.read_bytes() if path.is_file() else b""
            for part in (place, content):
                found.update(len(part).to_bytes(8) + part)
        for name in directories:
            if (link := Path(folder, name)).is_symlink():
                found.update(os.fsencode(f"{link.relative_to(work_dir)} -> {link.readlink()}"))
    return found.hexdigest()


@dataclass(slots=True)
class Preparer:
    """Keeps what ``init`` made, by what it is made from."""

    root: Path
    plugins: Path
    """Terraform's plugin cache, which what is kept links into."""
    clock: Clock
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    """One init at a time: they share the plugin cache, which terraform does not guard."""

    async def prepare(
        self, salt: str, work_dir: Path, init: Callable[[], Awaitable[None]]
    ) -> Prepared:
        """Link what is kept for this template into ``work_dir``, or run ``init`` there and keep it.

        What ``init`` raises passes through, and nothing is kept then.
        """
        prepared = Prepared(self.root / await asyncio.to_thread(_fingerprint, work_dir, salt))
        if not await asyncio.to_thread(prepared.is_usable):
            async with self._lock:
                # Of two jobs with one template, the second finds what the first made.
                if not await asyncio.to_thread(prepared.is_usable):
                    await init()
                    await asyncio.to_thread(self._keep, work_dir, prepared.directory)
        prepared.link(work_dir)
        self._touch(prepared.directory / _READY)
        return prepared

    def _keep(self, work_dir: Path, target: Path) -> None:
        self.root.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = Path(mkdtemp(prefix=".draft-", dir=self.root))
        made = work_dir / MODULES
        made.mkdir(exist_ok=True)  # A template without modules and providers has none.
        shutil.move(made, draft / MODULES)
        if (work_dir / LOCK_FILE).exists():
            shutil.copyfile(work_dir / LOCK_FILE, draft / LOCK_FILE)
        self._touch(draft / _READY)
        shutil.rmtree(target, ignore_errors=True)
        # Another replica on this host may have been faster: then both made the same.
        with suppress(OSError):
            draft.rename(target)
        shutil.rmtree(draft, ignore_errors=True)
        self._forget_unused()

    def _touch(self, path: Path) -> None:
        now = self.clock.now().timestamp()
        path.touch()
        os.utime(path, (now, now))

    def _forget_unused(self) -> None:
        oldest = (self.clock.now() - _UNUSED).timestamp()
        for entry in self.root.iterdir():
            with suppress(OSError):
                marker = entry / _READY
                if (marker if marker.exists() else entry).stat().st_mtime < oldest:
                    shutil.rmtree(entry)
        # <host>/<namespace>/<name>/<version>/<platform>, there and here.
        used = {link.resolve() for link in self.root.glob(f"*/{MODULES}/providers/*/*/*/*/*")}
        for package in self.plugins.glob("*/*/*/*/*"):
            with suppress(OSError):
                if package.resolve() not in used and package.stat().st_mtime < oldest:
                    shutil.rmtree(package)
