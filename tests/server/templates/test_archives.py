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


def _extended(records: bytes, kind: bytes = b"x") -> bytes:
    """Return a tar with one extended header before its only file."""
    header = tarfile.TarInfo("extended")
    header.type, header.size = kind, len(records)
    padded = records.ljust(-(-len(records) // 512) * 512, b"\0")
    return header.tobuf() + padded + tarfile.TarInfo("main.tf").tobuf() + bytes(1024)


def _record(key: str, value: str) -> bytes:
    body = f" {key}={value}\n".encode()
    return next(f"{n}".encode() + body for n in range(99999) if len(f"{n}") + len(body) == n)


def _negative() -> bytes:
    block = bytearray(tarfile.TarInfo("main.tf").tobuf())
    block[124:136] = b"\xff" * 10 + b"\xfe\x00"
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block) + bytes(1024)


LONG_NAME = tarfile.TarInfo("././@LongLink")
LONG_NAME.type, LONG_NAME.size = tarfile.GNUTYPE_LONGNAME, 2


@pytest.mark.parametrize(
    ("archive", "reason"),
    [
        (_extended(b"0" * 5000), "a number in an extended header is too long"),
        (_extended(_record("comment", "0" * 5000)), "a number in an extended header is too long"),
        (_extended(b"x" * 70_000), "an extended header is too long"),
        (_extended(_record("comment", "x" * 2000), b"g"), "an extended header is too long"),
        (_extended(b"9 mtime=1 "), "an extended header cannot be read"),
        (_extended(b"mtime=1\n"), "an extended header cannot be read"),
        (_extended(_record("size", "99999999")), "sparse or huge"),
        (_extended(_record("GNU.sparse.realsize", "99999999")), "sparse or huge"),
        (_extended(_record("mtime", "1e300")), "a time that makes no sense"),
        (_extended(_record("mtime", "nan")), "a time that makes no sense"),
        ((LONG_NAME.tobuf() + b"a\0".ljust(512, b"\0")) * 4000, "nested too deep"),
        (_negative(), "a size cannot be read"),
        (tar_of(("a", {"type": tarfile.GNUTYPE_SPARSE})), "sparse files"),
    ],
)
def test_headers_that_make_parsers_suffer_are_refused_at_once(archive: bytes, reason: str) -> None:
    with pytest.raises(BadArchive) as refusal:
        as_tar(archive, TAR)
    assert reason in refusal.value.detail


def test_headers_that_programs_write_are_fine() -> None:
    assert as_tar(_extended(_record("comment", "a" * 40), b"g"), TAR)
    assert as_tar(_extended(_record("mtime", "1700000000.25")), TAR)
    for form in (tarfile.PAX_FORMAT, tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT):
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w", format=form) as tar:
            member = tarfile.TarInfo(f"{'d' * 99}/{'n' * 99}")
            member.size = 3
            tar.addfile(member, io.BytesIO(b"abc"))
            link = tarfile.TarInfo("link")
            link.type, link.linkname = tarfile.SYMTYPE, f"{'d' * 90}/x"
            tar.addfile(link)
        assert as_tar(out.getvalue(), TAR) == out.getvalue()


@pytest.mark.parametrize(
    ("archive", "reason"),
    [
        (tar_of(("a\nb", {})), "control characters"),
        (tar_of(("a\udcff", {})), "not UTF-8"),
        (tar_of(("n" * 256, {})), "too long a name"),
        (tar_of(("/".join("d" * 200 for _ in range(12)), {})), "too long a name"),
        (tar_of(("d/" * 64 + "main.tf", {})), "more than 64 folders deep"),
        (tar_of(("a", {}), ("a/main.tf", {})), "'a' is there both as a file and as a directory."),
        (tar_of(("d/a/main.tf", {}), ("d/a", {})), "'d/a' is there both"),
        (tar_of(("d", {"type": tarfile.DIRTYPE}), ("d", {})), "'d' is there both"),
        (tar_of(("d", {**LINK, "linkname": "e"}), ("d/main.tf", {})), "lies behind a link"),
        (tar_of(("d/main.tf", {}), ("d", {**LINK, "linkname": "e"})), "lies behind a link"),
        (
            tar_of(
                ("p/q/x", {**LINK, "linkname": "../.."}), ("p/q/y", {**LINK, "linkname": "x/.."})
            ),
            "through another link",
        ),
    ],
)
def test_odd_names_and_paths_through_links_are_refused(archive: bytes, reason: str) -> None:
    with pytest.raises(BadArchive) as refusal:
        as_tar(archive, TAR)
    assert reason in refusal.value.detail


def test_times_that_the_other_form_cannot_hold_are_moved() -> None:
    early = tar_of(("a", {"mtime": -5}), ("b", {"mtime": 2**35}))
    with zipfile.ZipFile(io.BytesIO(as_zip(early))) as packed:
        assert [info.date_time[0] for info in packed.infolist()] == [1980, 2107]
    zero = zipfile.ZipInfo("main.tf", (1980, 0, 0, 0, 0, 0))
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed:
        packed.writestr(zero, b"x")
    assert as_tar(out.getvalue(), ZIP)


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
