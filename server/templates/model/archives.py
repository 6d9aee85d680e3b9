"""Archives of templates: checked before they are stored, and turned from one form to another.

Pure: bytes in, bytes out. Whatever arrives is hostile until it was read to its end.
"""

import io
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import PurePosixPath

from server.templates.errors import ArchiveTooLarge, BadArchive
from server.templates.model.tars import check_form

LIMIT = 10 * 1024 * 1024
"""Bytes of an upload, and of what is packed into one."""

MAX_MEMBERS = 10_000
TAR = "application/x-tar"
ZIP = "application/zip"
ZIPS = frozenset({ZIP, "application/x-zip-compressed"})
_EPOCH = (1980, 1, 1, 0, 0, 0)
"""The earliest time a zip can hold."""
_END = (2107, 12, 31, 23, 59, 58)
"""The latest."""
_LATEST = 2**36
"""Seconds since 1970 beyond which no system keeps the time of a file."""
_UNREADABLE_ZIP = (zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, struct.error, LookupError)
MAX_NAME = 255
MAX_PATH = 2048
"""Bytes of one name, and of a whole path."""
MAX_DEPTH = 64
"""Folders in each other: far more than a template has, far fewer than walks over a tree survive."""


def as_tar(data: bytes, content_type: str) -> bytes:
    """Return an uploaded archive as a tar that is safe to unpack.

    Raises:
        BadArchive: not an archive of that type, or one that reaches out of itself.
        ArchiveTooLarge: it, or what it unpacks to, is over the limit.
    """
    if len(data) > LIMIT:
        raise ArchiveTooLarge(LIMIT)
    kind = content_type.partition(";")[0].strip().lower()
    if kind == TAR:
        _check_tar(data)
        return data
    if kind in ZIPS:
        return _zip_to_tar(data)
    raise BadArchive(f"Unsupported content type {content_type!r}: send {TAR} or {ZIP}.")


def digest(data: bytes) -> str:
    """Return what tells equal archives."""
    return sha256(data).hexdigest()


def _check_tar(data: bytes) -> None:
    check_form(data)
    members: list[tarfile.TarInfo] = []
    total = 0
    try:
        with tarfile.open(fileobj=io.BytesIO(data), mode="r:") as tar:
            for member in tar:
                members.append(member)
                total += member.size
                _check_size(len(members), total)
    except (tarfile.TarError, ValueError, EOFError, OverflowError, RecursionError) as error:
        raise BadArchive(f"It is not a tar archive: {error}.") from error
    _check_members(members)


def _check_size(names: int, total: int) -> None:
    if names > MAX_MEMBERS:
        raise BadArchive(f"It has more than {MAX_MEMBERS} files.")
    if total > LIMIT:
        raise ArchiveTooLarge(LIMIT)


def _check_members(members: Sequence[tarfile.TarInfo]) -> None:
    if not members:
        raise BadArchive("It is empty.")
    links = {_parts(member.name) for member in members if member.issym()}
    leaves = {_parts(member.name) for member in members if not member.isdir()} - links
    for member in members:
        _check_member(member)
        path = _parts(member.name)
        if any(path[:depth] in links for depth in range(1, len(path))):
            raise BadArchive(f"{member.name!r} lies behind a link.")
        above = next((path[:n] for n in range(1, len(path)) if path[:n] in leaves), None)
        if above or (member.isdir() and path in leaves):
            name = "/".join(above or path)
            raise BadArchive(f"{name!r} is there both as a file and as a directory.")
        if member.issym() and _climbs_out_of_a_link(path[:-1], member.linkname, links):
            raise BadArchive(f"{member.name!r} links to {member.linkname!r}, through another link.")


def _climbs_out_of_a_link(
    folder: tuple[str, ...], target: str, links: Collection[tuple[str, ...]]
) -> bool:
    """Tell whether a target goes up from a link: where that leads, its text does not say."""
    here = folder
    for part in _parts(target):
        if part == "..":
            if here in links:
                return True
            here = here[:-1]
        else:
            here = (*here, part)
    return False


def _parts(name: str) -> tuple[str, ...]:
    return PurePosixPath(name.replace("\\", "/")).parts


def _check_member(member: tarfile.TarInfo) -> None:
    _check_name(member.name)
    _check_path(member.name)
    if not abs(member.mtime) < _LATEST:
        raise BadArchive(f"{member.name!r} has a time that makes no sense.")
    if member.issym():
        _check_link(member.name, member.linkname)
    elif member.islnk():
        _check_path(member.linkname)
    elif not (member.isfile() or member.isdir()):
        raise BadArchive(f"{member.name!r} is neither a file, a directory nor a link.")


def _check_name(name: str) -> None:
    """Refuse a name that not every system can write."""
    try:
        parts = [part.encode() for part in _parts(name)]
    except UnicodeEncodeError:
        raise BadArchive(f"{name!r} is no name: it is not UTF-8.") from None
    if not name or any(ord(character) < 32 or ord(character) == 127 for character in name):
        raise BadArchive(f"{name!r} is no name: it is empty, or has control characters.")
    if any(len(part) > MAX_NAME for part in parts) or sum(map(len, parts)) > MAX_PATH:
        raise BadArchive(f"{name[:40]!r}… is too long a name.")
    if len(parts) > MAX_DEPTH:
        raise BadArchive(f"{name[:40]!r}… is more than {MAX_DEPTH} folders deep.")


def _check_path(name: str) -> None:
    """Refuse a name that leads out of the archive."""
    path = PurePosixPath(name.replace("\\", "/"))
    drive = len(name) > 1 and name[1] == ":"
    if path.is_absolute() or drive or ".." in path.parts or "\0" in name:
        raise BadArchive(f"{name!r} reaches out of the archive.")


def _check_link(name: str, target: str) -> None:
    """Refuse a symbolic link that leads out of the archive."""
    goal = PurePosixPath(target.replace("\\", "/"))
    depth = len(PurePosixPath(name).parent.parts)
    for part in goal.parts:
        depth += -1 if part == ".." else 1
        if depth < 0:
            break
    if goal.is_absolute() or depth < 0:
        raise BadArchive(f"{name!r} links to {target!r}, which is outside of the archive.")


def _zip_to_tar(data: bytes) -> bytes:
    out = io.BytesIO()
    try:
        with (
            zipfile.ZipFile(io.BytesIO(data)) as packed,
            tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar,
        ):
            _check_size(len(packed.infolist()), sum(i.file_size for i in packed.infolist()))
            members: list[tarfile.TarInfo] = []
            for info in packed.infolist():
                member, content = _from_zip(packed, info)
                members.append(member)
                tar.addfile(member, io.BytesIO(content))
            _check_members(members)
    except (*_UNREADABLE_ZIP, ValueError, EOFError, RuntimeError) as error:
        raise BadArchive(f"It is not a zip archive that can be read: {error}.") from error
    return out.getvalue()


def _from_zip(packed: zipfile.ZipFile, info: zipfile.ZipInfo) -> tuple[tarfile.TarInfo, bytes]:
    member = tarfile.TarInfo(info.filename.rstrip("/"))
    mode = info.external_attr >> 16
    member.mtime = _tar_time(info.date_time)
    member.mode = stat.S_IMODE(mode) or (0o755 if info.is_dir() else 0o644)
    if info.is_dir():
        member.type = tarfile.DIRTYPE
        return member, b""
    # The declared size was checked; a lying archive is cut there and its checksum fails.
    with packed.open(info) as file:
        content = file.read(info.file_size + 1)
    if stat.S_ISLNK(mode):
        member.type, member.linkname = tarfile.SYMTYPE, content.decode("utf-8", "replace")
        return member, b""
    member.size = len(content)
    return member, content


def _tar_time(moment: tuple[int, int, int, int, int, int]) -> float:
    try:
        return datetime(*moment, tzinfo=UTC).timestamp()
    except ValueError:  # Some programs write months and days of 0.
        return datetime(*_EPOCH, tzinfo=UTC).timestamp()


def as_zip(tar_data: bytes) -> bytes:
    """Return a stored tar as a zip."""
    out = io.BytesIO()
    with (
        tarfile.open(fileobj=io.BytesIO(tar_data), mode="r:") as tar,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed,
    ):
        for member, content in _contents(tar):
            info = zipfile.ZipInfo(member.name, _zip_time(member.mtime))
            info.compress_type = zipfile.ZIP_DEFLATED
            kind = stat.S_IFLNK if member.issym() else stat.S_IFREG
            info.external_attr = (kind | member.mode) << 16
            if member.isdir():
                info.filename += "/"
                info.external_attr = ((stat.S_IFDIR | member.mode) << 16) | 0x10
            packed.writestr(info, content)
    return out.getvalue()


def _contents(tar: tarfile.TarFile) -> Iterator[tuple[tarfile.TarInfo, bytes]]:
    for member in tar:
        if member.issym():
            yield member, member.linkname.encode()
        elif member.isdir():
            yield member, b""
        else:
            file = tar.extractfile(member)
            yield member, file.read() if file is not None else b""


def _zip_time(mtime: float) -> tuple[int, int, int, int, int, int]:
    moment = datetime.fromtimestamp(max(mtime, 0), tz=UTC).timetuple()[:6]
    return min(max(moment, _EPOCH), _END)


def pack(files: dict[str, bytes], executable: frozenset[str] = frozenset()) -> bytes:
    """Return a tar of these files, always the same for the same files."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name in sorted(files):
            member = tarfile.TarInfo(name)
            member.size = len(files[name])
            member.mode = 0o755 if name in executable else 0o644
            tar.addfile(member, io.BytesIO(files[name]))
    return out.getvalue()
