"""Where modules come from: a Git mirror of the public registry, or plain directories.

A mirror has a tag ``release/<namespace>/<module>/v<version>`` for each release, with the module at
``registry/<namespace>/modules/<module>``. Directories follow each other as the parts of a module's
address do: ``<namespace>/<module>/<system>/<version>``.
"""

import io
import re
import subprocess
import tarfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

_LEGACY, _NAMESPACE, _SYSTEM = "modules", "coder", "coder"
_PART = re.compile(r"[A-Za-z0-9](?:[\w-]{0,62}[A-Za-z0-9])?")
_VERSION = re.compile(r"\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]{1,40})?")
_GIT_SECONDS = 60
_MAX_BYTES = 64 << 20


class NoMirror(Exception):
    """The directory cannot serve modules; the message says why."""


@dataclass(frozen=True, slots=True)
class Address:
    """``<namespace>/<name>/<system>`` of a module."""

    namespace: str
    name: str
    system: str

    @property
    def is_valid(self) -> bool:
        """Tell whether it can be a path."""
        return all(_PART.fullmatch(part) for part in (self.namespace, self.name, self.system))

    @property
    def current(self) -> "Address":
        """Return the address of today for one of the registry's first year."""
        return replace(self, namespace=_NAMESPACE) if self.namespace == _LEGACY else self


class Mirror(Protocol):
    """Modules by address and version."""

    def versions(self, module: Address) -> list[str]:
        """Return the versions there are of a module."""
        ...

    def packed(self, module: Address, version: str) -> bytes | None:
        """Return a module as a compressed tar, or None if there is none."""
        ...


def mirror_at(directory: Path) -> Mirror:
    """Return the mirror in a directory.

    Raises:
        NoMirror: there is no directory, or what looks like a Git mirror cannot be read.
    """
    if not directory.is_dir():
        raise NoMirror(f"--terraform-modules-dir names {directory}, which is not a directory.")
    if (directory / ".git").exists() or (directory / "objects").is_dir():
        return GitMirror(directory)
    return Directories(directory)


@dataclass(frozen=True, slots=True)
class Directories:
    """A tree of directories."""

    root: Path

    def versions(self, module: Address) -> list[str]:
        """Return the versions there are of a module."""
        found = self._at(module)
        if not found.is_dir():
            return []
        return [e.name for e in found.iterdir() if e.is_dir() and _VERSION.fullmatch(e.name)]

    def packed(self, module: Address, version: str) -> bytes | None:
        """Return a module as a compressed tar, or None if there is none."""
        if version not in self.versions(module):
            return None
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
            tar.add(self._at(module) / version, arcname=".")
        return buffer.getvalue()

    def _at(self, module: Address) -> Path:
        return self.root / module.namespace / module.name / module.system


@dataclass(frozen=True, slots=True)
class GitMirror:
    """A clone of the public registry, bare or not."""

    root: Path

    def versions(self, module: Address) -> list[str]:
        """Return the versions there are of a module."""
        if module.system != _SYSTEM:
            return []
        prefix = f"release/{module.namespace}/{module.name}/v"
        listed = self._git("tag", "--list", f"{prefix}*").decode().splitlines()
        return [v for tag in listed if _VERSION.fullmatch(v := tag.removeprefix(prefix))]

    def packed(self, module: Address, version: str) -> bytes | None:
        """Return a module as a compressed tar, or None if there is none."""
        if version not in self.versions(module):
            return None
        tag = f"release/{module.namespace}/{module.name}/v{version}"
        tree = f"{tag}:registry/{module.namespace}/modules/{module.name}"
        return self._git("archive", "--format=tar.gz", tree)

    def _git(self, *arguments: str) -> bytes:
        # The mirror may belong to another user of this host; its hooks and filters do not run.
        trust = ("-c", f"safe.directory={self.root.resolve()}", "-c", "core.hooksPath=/dev/null")
        try:
            done = subprocess.run(
                ["git", *trust, "-C", str(self.root), *arguments],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=_GIT_SECONDS,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise NoMirror(f"The Git mirror of modules cannot be read: {error}") from None
        if done.returncode or len(done.stdout) > _MAX_BYTES:
            said = done.stderr.decode(errors="replace").strip() or "a module is too large"
            raise NoMirror(f"The Git mirror of modules in {self.root} cannot be read: {said}")
        return done.stdout
