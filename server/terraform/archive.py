"""Unpack a template's tar. Whoever may push a template must not thereby own the server."""

import io
import os
import shutil
import tarfile
from pathlib import Path, PurePosixPath

from server.terraform import trouble

MAX_FILES = 10_000
MAX_BYTES = 128 << 20
"""What an archive may unpack to; an upload itself is bounded far below that."""
MAX_README = 1 << 20

_CHUNK = 1 << 18
_OURS = (
    ".terraform",
    "terraform.tfstate",
    "errored.tfstate",
    "terraform.tfplan",
    "terraform.pid",
    ".coder-",
    ".terraform.tfstate",
    "zzzz_coder_override.tf",
)
"""Beginnings of names at the top that belong to a run of ours, not to a template."""
_THEIRS = frozenset({".terraform.lock.hcl"})


class BadArchive(ValueError):
    """The archive is broken or dangerous; the message says which entry and why."""


def unpack(archive: bytes, into: Path) -> None:
    """Unpack a tar into an empty directory; nothing outside of it is ever touched.

    Raises:
        BadArchive: the archive is not a tar, too large, or reaches outside.
        OSError: the host has no room for it.
    """
    try:
        with tarfile.open(fileobj=io.BytesIO(archive), mode="r:") as tar:
            _unpack(tar, into)
    except (tarfile.TarError, OSError, ValueError, EOFError) as error:
        if isinstance(error, BadArchive) or trouble.is_ours(error):
            raise
        raise BadArchive(f"The template's archive cannot be unpacked: {error}") from error


def readme(directory: Path) -> str:
    """Return the text of the template's README.md, or nothing; its case does not matter."""
    for path in sorted(directory.iterdir()):
        if path.name.lower() == "readme.md" and path.is_file():
            with path.open("rb") as file:
                return file.read(MAX_README).decode(errors="replace")
    return ""


def _unpack(tar: tarfile.TarFile, into: Path) -> None:
    links: list[tuple[Path, str, str]] = []
    left = MAX_BYTES
    for count, member in enumerate(tar, start=1):
        if count > MAX_FILES:
            raise BadArchive(f"The template has more than {MAX_FILES} files.")
        name = _name(member)
        if name is None:
            continue
        path = into / name
        if member.isdir():
            path.mkdir(parents=True, exist_ok=True)
        elif member.isfile():
            left -= member.size
            if left < 0:
                raise BadArchive(f"The template unpacks to more than {MAX_BYTES >> 20} MiB.")
            _write(tar, member, path)
        elif member.issym():
            links.append((path, member.linkname, member.name))
        else:
            raise BadArchive(f"{member.name!r} is neither a file, a directory nor a symbolic link.")
    _link(links, into)


def _link(links: list[tuple[Path, str, str]], into: Path) -> None:
    """Make the links: last of all, so that nothing is ever written through one."""
    for path, target, _ in links:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        path.symlink_to(target)
    root = into.resolve()
    for path, target, written in links:
        if PurePosixPath(target).is_absolute() or not path.resolve().is_relative_to(root):
            raise BadArchive(f"{written!r} is a link to {target!r}, outside of the template.")


def _name(member: tarfile.TarInfo) -> PurePosixPath | None:
    """Return the entry's path below the template, or None for one that is not the template's."""
    path = PurePosixPath(member.name)
    if path.is_absolute() or ".." in path.parts or "\0" in member.name or "\\" in member.name:
        raise BadArchive(f"{member.name!r} reaches outside of the template.")
    if not path.parts:
        return None
    top = path.parts[0]
    if top.startswith(_OURS) and top not in _THEIRS:
        return None
    if top in _THEIRS and not member.isfile():
        return None
    return path


def _write(tar: tarfile.TarFile, member: tarfile.TarInfo, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)  # The same name twice: the last one counts, as for tar.
    source = tar.extractfile(member)
    if source is None:
        raise BadArchive(f"{member.name!r} has no content.")
    mode = 0o700 if member.mode & 0o100 else 0o600
    flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW
    with source, os.fdopen(os.open(path, flags, mode), "wb") as file:
        shutil.copyfileobj(source, file, _CHUNK)
