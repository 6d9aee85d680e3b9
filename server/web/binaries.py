"""The program that a workspace downloads to run its agent: built, or this very checkout.

A built ``coder-<os>-<arch>`` is taken from ``<cache>/bin``, from beside this executable, or is this
executable when it is one file. Otherwise the host's own platform gets a launcher of this
installation: a source checkout, or a binary that needs the folder it lies in.
"""

import asyncio
import hashlib
import platform
import re
import shlex
import sys
from dataclasses import dataclass, field
from pathlib import Path

from server.kit.errors import NotFound

NAME = re.compile(r"coder-(linux|darwin|windows)-(amd64|arm64|armv7)(\.exe)?")
_MACHINES = {
    "x86_64": "amd64",
    "amd64": "amd64",
    "aarch64": "arm64",
    "arm64": "arm64",
    "armv7l": "armv7",
}

_LAUNCHER = """\
#!/bin/sh
# This deployment runs from {what}: its agents run in the installation of the server itself.
# Whoever runs it in a sandbox must let it read these directories:
{reads}
program={program}
if [ ! -x "$program" ]; then
    echo "This server runs from {what} and serves agents to its own host only; put a built {name} \
into {folder} on the server." >&2
    exit 1
fi
exec "$program" {words}"$@"
"""


@dataclass(frozen=True, slots=True)
class Binary:
    """Something to download: a file, or a text that stands for one."""

    etag: str
    path: Path | None = None
    text: str = ""


@dataclass(slots=True)
class Binaries:
    """Every agent binary that this server can hand out."""

    folder: Path
    """Where built binaries are put by whoever runs the server: ``<cache>/bin``."""
    executable: Path = field(default_factory=lambda: Path(sys.executable))
    frozen: bool = field(default_factory=lambda: bool(getattr(sys, "frozen", False)))
    _hashes: dict[tuple[Path, int, int], str] = field(
        default_factory=dict[tuple[Path, int, int], str]
    )

    async def find(self, name: str) -> Binary:
        """Return the binary called ``name``, such as ``coder-linux-amd64``.

        Raises:
            NotFound: there is none for that platform.
        """
        if not NAME.fullmatch(name):
            raise NotFound(f"There is no binary {name!r}.")
        for path in self._places(name):
            if path.is_file():
                return Binary(await self._hash(path), path)
        if name == host_name():
            text = _LAUNCHER.format(
                what="a folder" if self.frozen else "source",
                reads="\n".join(f"# reads: {place}" for place in self._installation()),
                program=shlex.quote(str(self.executable)),
                words="" if self.frozen else "-m coder_cli ",
                name=name,
                folder=self.folder,
            )
            return Binary(hashlib.sha256(text.encode()).hexdigest(), text=text)
        raise NotFound(
            f"There is no binary {name!r} on this server.",
            detail=f"Put a built one into {self.folder} on the server.",
        )

    def _places(self, name: str) -> list[Path]:
        places = [self.folder / name, self.executable.parent / name]
        alone = not (self.executable.parent / "_internal").is_dir()
        if self.frozen and alone and name == host_name():
            places.append(self.executable)
        return places

    def _installation(self) -> list[str]:
        """Return the directories that the launched program consists of."""
        if self.frozen:
            return [str(self.executable.parent)]
        # A virtual environment, the Python it was made with, and the packages of a checkout.
        root = Path(__file__).parents[2]
        packages = [str(root / name) for name in ("agent", "coder_cli", "server")]
        places = [sys.prefix, sys.base_prefix, *packages]
        return [place for place in dict.fromkeys(places) if "\n" not in place]

    async def _hash(self, path: Path) -> str:
        return await asyncio.to_thread(self._hash_now, path)

    def _hash_now(self, path: Path) -> str:
        status = path.stat()
        key = (path, status.st_mtime_ns, status.st_size)
        if key not in self._hashes:
            self._hashes[key] = _sha256(path)
        return self._hashes[key]


def host_name() -> str:
    """Return the name of the binary for this machine."""
    machine = platform.machine().lower()
    return f"coder-{platform.system().lower()}-{_MACHINES.get(machine, machine)}"


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
