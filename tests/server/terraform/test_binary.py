"""Which terraform runs, and what is said when there is none."""

from pathlib import Path

import pytest

from server.terraform.binary import Binary, NoTerraform, find, inspect


def program(path: Path, version: str = "1.12.0", output: str = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    said = output or f'{{"terraform_version": "{version}"}}'
    path.write_text(f"#!/bin/sh\nprintf '%s' '{said}'\n")
    path.chmod(0o755)
    return path


def test_the_setting_comes_first(tmp_path: Path) -> None:
    chosen = program(tmp_path / "chosen")
    program(tmp_path / "bin/terraform")
    assert find(chosen, str(tmp_path / "bin"), tmp_path) == chosen


def test_a_setting_that_names_nothing_is_said(tmp_path: Path) -> None:
    with pytest.raises(NoTerraform, match="gone as terraform, but it is not an executable"):
        find(tmp_path / "gone", str(tmp_path), tmp_path)


def test_terraform_then_tofu_then_the_cache_directory(tmp_path: Path) -> None:
    cached = program(tmp_path / "cache/bin/terraform")
    assert find(None, str(tmp_path / "bin"), tmp_path / "cache") == cached
    tofu = program(tmp_path / "bin/tofu")
    assert find(None, str(tmp_path / "bin"), tmp_path / "cache") == tofu
    terraform = program(tmp_path / "bin/terraform")
    assert find(None, str(tmp_path / "bin"), tmp_path / "cache") == terraform


def test_none_at_all_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(NoTerraform) as missing:
        find(None, str(tmp_path), tmp_path)
    message = str(missing.value)
    assert "https://developer.hashicorp.com/terraform/install" in message
    assert str(tmp_path / "bin/terraform") in message
    assert "--terraform-binary" in message


@pytest.mark.parametrize(
    ("name", "version", "message"),
    [
        ("terraform", "1.8.5", "terraform version 1.8.5 is too old. required >= 1.9.0"),
        ("tofu", "1.9.1", "tofu version 1.9.1 is too old. required >= 1.10.0"),
    ],
)
async def test_too_old(tmp_path: Path, name: str, version: str, message: str) -> None:
    with pytest.raises(NoTerraform) as old:
        await inspect(program(tmp_path / name, version), {})
    assert str(old.value) == message


@pytest.mark.parametrize(
    ("name", "version", "warned"),
    [
        ("terraform", "1.9.0", True),
        ("terraform", "1.12.0-rc1", False),
        ("terraform", "1.13.2", False),
        ("tofu", "1.10.0", False),
    ],
)
async def test_versions(tmp_path: Path, name: str, version: str, *, warned: bool) -> None:
    found = await inspect(program(tmp_path / name, version), {})
    assert found == Binary(tmp_path / name, name, version)
    assert bool(found.warning) is warned


async def test_a_program_that_is_something_else(tmp_path: Path) -> None:
    with pytest.raises(NoTerraform, match="does not say its version"):
        await inspect(program(tmp_path / "terraform", output="hello"), {})
