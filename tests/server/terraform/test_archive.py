"""Archives are hostile until proven otherwise."""

import io
import tarfile
from pathlib import Path

import pytest

from server.terraform import archive
from tests.server.terraform.world import tar


def entry(
    name: str, kind: bytes = tarfile.REGTYPE, target: str = "", content: bytes = b""
) -> bytes:
    """Return a tar with one entry that no tool would write."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as made:
        info = tarfile.TarInfo(name)
        info.type, info.linkname, info.size = kind, target, len(content)
        made.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def joined(*archives: bytes) -> bytes:
    """Return one tar with the entries of several."""
    return (
        b"".join(
            a.rstrip(b"\0").ljust((len(a.rstrip(b"\0")) + 511) // 512 * 512, b"\0")
            for a in archives
        )
        + b"\0" * 1024
    )


@pytest.fixture
def target(tmp_path: Path) -> Path:
    inside = tmp_path / "job"
    inside.mkdir()
    (tmp_path / "outside").mkdir()
    return inside


def test_files_directories_and_inner_links_are_unpacked(target: Path) -> None:
    made = joined(
        tar({"./main.tf": "a", "modules/ide/main.tf": "b"}),
        entry("empty", tarfile.DIRTYPE),
        entry("link.tf", tarfile.SYMTYPE, "modules/ide/main.tf"),
    )
    archive.unpack(made, target)
    assert (target / "main.tf").read_text() == "a"
    assert (target / "link.tf").read_text() == "b"
    assert (target / "empty").is_dir()
    assert (target / "main.tf").stat().st_mode & 0o777 == 0o600


def test_the_last_of_two_entries_with_one_name_counts(target: Path) -> None:
    archive.unpack(joined(tar({"main.tf": "a"}), tar({"main.tf": "b"})), target)
    assert (target / "main.tf").read_text() == "b"


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (entry("../outside/x"), "reaches outside"),
        (entry("a/../../outside/x"), "reaches outside"),
        (entry("/etc/x"), "reaches outside"),
        (entry("a\\..\\x"), "reaches outside"),
        (entry("x", tarfile.SYMTYPE, "/etc/passwd"), "is a link to '/etc/passwd', outside"),
        (entry("x", tarfile.SYMTYPE, "../outside"), "is a link to '../outside', outside"),
        (
            joined(
                entry("d/e/up", tarfile.SYMTYPE, "../.."),
                entry("d/e/out", tarfile.SYMTYPE, "up/../outside"),
            ),
            "is a link to 'up/../outside', outside",
        ),
        (
            joined(entry("d", tarfile.SYMTYPE, "../outside"), entry("d/x", content=b"!")),
            "cannot be unpacked",
        ),
        (entry("x", tarfile.LNKTYPE, "/etc/passwd"), "neither a file"),
        (entry("x", tarfile.FIFOTYPE), "neither a file"),
        (entry("x", tarfile.CHRTYPE), "neither a file"),
        (entry("x", tarfile.BLKTYPE), "neither a file"),
        (b"PK\x03\x04 a zip", "cannot be unpacked"),
        (b"", "cannot be unpacked"),
        (joined(tar({"a": "x"}), tar({"a/b": "y"})), "cannot be unpacked"),
        (entry("x" * 300), "cannot be unpacked"),
    ],
)
def test_dangerous_or_broken_archives_are_refused(target: Path, made: bytes, words: str) -> None:
    with pytest.raises(archive.BadArchive, match=words):
        archive.unpack(made, target)
    assert list((target.parent / "outside").iterdir()) == []


def test_a_truncated_archive_is_refused(target: Path) -> None:
    with pytest.raises(archive.BadArchive):
        archive.unpack(tar({"main.tf": "x" * 4000})[:2000], target)


def test_size_and_count_are_bounded(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "MAX_BYTES", 10)
    with pytest.raises(archive.BadArchive, match="unpacks to more than"):
        archive.unpack(tar({"a": "x" * 6, "b": "x" * 6}), target)
    monkeypatch.setattr(archive, "MAX_FILES", 2)
    with pytest.raises(archive.BadArchive, match="more than 2 files"):
        archive.unpack(tar({"c": "", "d": "", "e": ""}), target)


@pytest.mark.parametrize(
    "name",
    [
        "terraform.tfstate",
        ".terraform/modules/modules.json",
        ".terraform/terraform.tfstate",
        "terraform.pid",
        ".coder-variables.tfvars.json",
        "zzzz_coder_override.tf",
        "errored.tfstate",
    ],
)
def test_files_of_our_own_runs_are_left_out(target: Path, name: str) -> None:
    archive.unpack(tar({"main.tf": "", name: "{}"}), target)
    assert [path.name for path in target.iterdir()] == ["main.tf"]


def test_a_lock_file_is_the_templates_own_unless_it_is_a_link(target: Path) -> None:
    archive.unpack(tar({".terraform.lock.hcl": "x"}), target)
    assert (target / ".terraform.lock.hcl").read_text() == "x"
    (target / ".terraform.lock.hcl").unlink()
    archive.unpack(entry(".terraform.lock.hcl", tarfile.SYMTYPE, "main.tf"), target)
    assert list(target.iterdir()) == []


@pytest.mark.parametrize("name", ["README.md", "readme.md", "ReadMe.MD"])
def test_readme_is_found_in_any_case(target: Path, name: str) -> None:
    (target / name).write_bytes(b"# T\xff\n")
    assert archive.readme(target) == "# T\ufffd\n"


def test_readme_may_be_missing(target: Path) -> None:
    (target / "README.md").mkdir()
    assert archive.readme(target) == ""
