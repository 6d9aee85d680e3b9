"""Uploads are hostile until they were read to their end."""

import io
import stat
import tarfile
import zipfile
from collections.abc import Callable

import pytest

from server.templates.errors import ArchiveTooLarge, BadArchive
from server.templates.model.archives import LIMIT, TAR, ZIP, as_tar, as_zip, pack


def tar_of(*members: tuple[str, dict[str, object]]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, fields in members:
            member = tarfile.TarInfo(name)
            for field, value in fields.items():
                setattr(member, field, value)
            tar.addfile(member, io.BytesIO(b"\0" * member.size))
    return out.getvalue()


def zip_of(*names: str, mode: int = 0o644, content: bytes = b"x") -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        for name in names:
            info = zipfile.ZipInfo(name)
            info.external_attr = mode << 16
            packed.writestr(info, content)
    return out.getvalue()


LINK = {"type": tarfile.SYMTYPE}
HARD = {"type": tarfile.LNKTYPE}


@pytest.mark.parametrize(
    ("archive", "reason"),
    [
        (tar_of(("../evil", {})), "'../evil' reaches out of the archive."),
        (tar_of(("a/../../evil", {})), "reaches out"),
        (tar_of(("/etc/passwd", {})), "reaches out"),
        (tar_of(("C:\\evil", {})), "reaches out"),
        (tar_of(("..\\evil", {})), "reaches out"),
        (tar_of(("a", {**LINK, "linkname": "/etc/passwd"})), "links to '/etc/passwd'"),
        (tar_of(("d/a", {**LINK, "linkname": "../../etc"})), "outside of the archive"),
        (tar_of(("a", {**LINK, "linkname": "b/../../../x"})), "outside of the archive"),
        (tar_of(("a", {**HARD, "linkname": "../evil"})), "reaches out"),
        (tar_of(("fifo", {"type": tarfile.FIFOTYPE})), "neither a file"),
        (tar_of(("dev", {"type": tarfile.BLKTYPE})), "neither a file"),
        (b"not a tar at all" * 100, "It is not a tar archive"),
        (b"", "It is not a tar archive"),
        (tar_of(), "It is empty."),
        (pack({"main.tf": b"x"})[:700], "It is not a tar archive"),
    ],
)
def test_hostile_and_broken_tars_are_refused(archive: bytes, reason: str) -> None:
    with pytest.raises(BadArchive) as refusal:
        as_tar(archive, TAR)
    assert reason in refusal.value.detail


@pytest.mark.parametrize(
    ("archive", "reason"),
    [
        (zip_of("../evil"), "reaches out"),
        (zip_of("/evil"), "reaches out"),
        (zip_of("a", mode=stat.S_IFLNK | 0o777, content=b"../../x"), "outside of the archive"),
        (zip_of(), "It is empty."),
        (b"PK not a zip", "not a zip archive"),
        (zip_of("main.tf", content=b"hello" * 50)[:-40], "not a zip archive"),
    ],
)
def test_hostile_and_broken_zips_are_refused(archive: bytes, reason: str) -> None:
    with pytest.raises(BadArchive) as refusal:
        as_tar(archive, ZIP)
    assert reason in refusal.value.detail


@pytest.mark.parametrize(
    "make",
    [
        lambda: as_tar(b"\0" * (LIMIT + 1), TAR),
        lambda: as_tar(zip_of("bomb", content=b"\0" * (LIMIT + 1)), ZIP),
        lambda: as_tar(tar_of(("sparse", {"size": 0})) * 0 + _huge_header(), TAR),
    ],
)
def test_bombs_are_refused(make: Callable[[], bytes]) -> None:
    with pytest.raises(ArchiveTooLarge):
        make()


def _huge_header() -> bytes:
    member = tarfile.TarInfo("huge")
    member.size = LIMIT + 1
    return member.tobuf() + b"\0" * 1024


def test_other_content_types_are_named() -> None:
    with pytest.raises(BadArchive) as refusal:
        as_tar(b"", "text/plain")
    assert "text/plain" in refusal.value.detail


def test_links_inside_and_directories_are_fine() -> None:
    archive = tar_of(
        ("d", {"type": tarfile.DIRTYPE}),
        ("d/a", {"size": 3}),
        ("d/b", {**LINK, "linkname": "a"}),
        ("d/c", {**LINK, "linkname": "../d/a"}),
        ("e", {**HARD, "linkname": "d/a"}),
    )
    assert as_tar(archive, "application/x-tar; charset=binary") == archive


def test_a_zip_becomes_the_same_tar_each_time_and_keeps_modes() -> None:
    archive = zip_of("run.sh", "d/main.tf", mode=stat.S_IFREG | 0o755)
    first = as_tar(archive, ZIP)
    assert first == as_tar(archive, "application/x-zip-compressed")
    with tarfile.open(fileobj=io.BytesIO(first)) as tar:
        assert {member.name: member.mode for member in tar} == {"run.sh": 0o755, "d/main.tf": 0o755}


def test_a_tar_comes_back_as_a_zip() -> None:
    tar = tar_of(("d", {"type": tarfile.DIRTYPE}), ("d/a", {"size": 3, "mode": 0o600}))
    with zipfile.ZipFile(io.BytesIO(as_zip(tar))) as packed:
        assert packed.namelist() == ["d/", "d/a"]
        assert packed.read("d/a") == b"\0\0\0"
        assert stat.S_IMODE(packed.getinfo("d/a").external_attr >> 16) == 0o600
    assert as_tar(as_zip(tar), ZIP)
