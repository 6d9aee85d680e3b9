"""Modules of the registry without a network: from a Git mirror, or from directories."""

import asyncio
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from server.terraform import Imported, InstalledTerraform
from server.terraform.modules import NoMirror, mirror_at, served
from server.terraform.modules.mirror import Address
from tests.server.terraform.conftest import Driver
from tests.server.terraform.world import HEADER, needs_terraform, template

IDE = (
    HEADER
    + """
variable "agent_id" {}
resource "coder_app" "ide" {
  agent_id = var.agent_id
  slug     = "%s"
}
"""
)
IDE_ADDRESS = Address("coder", "ide", "coder")


def git(root: Path, *words: str) -> None:
    who = ["-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *who, "-C", str(root), *words], check=True, capture_output=True)


@pytest.fixture
def git_mirror(tmp_path: Path) -> Path:
    """A clone of a registry with two releases of one module."""
    root = tmp_path / "mirror"
    module = root / "registry/coder/modules/ide"
    module.mkdir(parents=True)
    git(tmp_path, "init", "-q", str(root))
    for version in ("1.0.0", "1.1.0"):
        (module / "main.tf").write_text(IDE % f"ide-{version.replace('.', '-')}")
        git(root, "add", ".")
        git(root, "commit", "-qm", version)
        git(root, "tag", f"release/coder/ide/v{version}")
    git(root, "tag", "release/coder/ide/vnext")
    return root


@pytest.fixture
def directories(tmp_path: Path) -> Path:
    """The same as plain directories."""
    root = tmp_path / "plain"
    for version in ("1.0.0", "1.1.0"):
        module = root / "coder/ide/coder" / version
        module.mkdir(parents=True)
        (module / "main.tf").write_text(IDE % f"ide-{version.replace('.', '-')}")
    return root


@pytest.fixture(params=["git_mirror", "directories"])
def mirror(request: pytest.FixtureRequest) -> Path:
    """Either kind of mirror."""
    found: Path = request.getfixturevalue(request.param)
    return found


def test_versions_are_listed(mirror: Path) -> None:
    found = mirror_at(mirror)
    assert sorted(found.versions(IDE_ADDRESS)) == ["1.0.0", "1.1.0"]
    assert found.versions(replace(IDE_ADDRESS, name="gone")) == []
    assert found.versions(replace(IDE_ADDRESS, system="aws")) == []
    assert found.packed(IDE_ADDRESS, "9.9.9") is None
    packed = found.packed(IDE_ADDRESS, "1.0.0")
    assert packed is not None
    assert packed.startswith(b"\x1f\x8b")


async def learn(driver: Driver, mirror: Path, source: str, version: str = "") -> Imported:
    driver.terraform = InstalledTerraform(replace(driver.options, modules_dir=mirror))
    pinned = f'\n  version  = "{version}"' if version else ""
    return await driver.learn(
        template(
            'resource "coder_agent" "main" {\n  os   = "linux"\n  arch = "amd64"\n}\n'
            'resource "terraform_data" "box" {\n  input = coder_agent.main.id\n}\n'
            f'module "ide" {{\n  source   = "{source}"{pinned}\n'
            "  agent_id = coder_agent.main.id\n}\n"
        )
    )


def slugs(found: Imported) -> list[str]:
    return [a.slug for r in found.start_resources for agent in r.agents for a in agent.apps]


@needs_terraform
@pytest.mark.parametrize(
    ("source", "version", "slug"),
    [
        ("registry.coder.com/coder/ide/coder", "", "ide-1-1-0"),
        ("registry.coder.com/coder/ide/coder", "1.0.0", "ide-1-0-0"),
        ("registry.coder.com/modules/ide/coder", "~> 1.0", "ide-1-1-0"),
    ],
)
async def test_a_template_gets_the_module_it_asks_for(
    driver: Driver, mirror: Path, source: str, version: str, slug: str
) -> None:
    found = await learn(driver, mirror, source, version)
    assert found.error is None
    assert slugs(found) == [slug]


@needs_terraform
async def test_a_version_that_is_not_there_is_said_with_its_line(
    driver: Driver, mirror: Path
) -> None:
    found = await learn(driver, mirror, "registry.coder.com/coder/ide/coder", "9.9.9")
    assert found.error is not None
    assert 'main.tf:14, in module "ide": Unresolvable module version' in found.error.message
    assert "The newest available version is 1.1.0" in found.error.message


@needs_terraform
async def test_a_module_that_is_not_there_is_said_with_its_line(
    driver: Driver, mirror: Path
) -> None:
    found = await learn(driver, mirror, "registry.coder.com/coder/gone/coder")
    assert found.error is not None
    assert 'main.tf:14, in module "ide": Module not found' in found.error.message
    assert "directory of modules has no registry.coder.com/coder/gone/coder" in driver.console.text


@needs_terraform
async def test_a_directory_that_is_not_there(driver: Driver, tmp_path: Path) -> None:
    found = await learn(driver, tmp_path / "gone", "registry.coder.com/coder/nowhere/coder")
    assert found.error is not None
    assert found.error.message == (
        f"--terraform-modules-dir names {tmp_path}/gone, which is not a directory."
    )


def test_a_broken_git_mirror_says_so(tmp_path: Path) -> None:
    (tmp_path / "objects").mkdir()
    with pytest.raises(NoMirror, match="not a git repository"):
        mirror_at(tmp_path).versions(IDE_ADDRESS)


async def ask(url: str, path: str, method: str = "GET") -> tuple[str, bytes]:
    """Return the status line and the body of an answer."""
    port = int(url.split(":")[2].split("/", maxsplit=1)[0])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"{method} {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    said = await reader.read()
    writer.close()
    head, _, body = said.partition(b"\r\n\r\n")
    return head.split(b"\r\n")[0].decode(), body


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "{base}",
        "/wrong/modules/coder/ide/coder/versions",
        "{base}../../coder/ide/coder/versions",
        "{base}../ide/coder/versions",
        "{base}coder/ide/coder/../download",
        "{base}-c/ide/coder/versions",
        "{base}coder/ide/coder/--upload-pack=x/download",
    ],
)
async def test_paths_that_reach_elsewhere_are_not_found(mirror: Path, path: str) -> None:
    async with served(mirror_at(mirror), lambda _: None) as url:
        base = "/" + url.split("/", 3)[3]
        assert (await ask(url, path.format(base=base)))[0] == "HTTP/1.1 404 Not Found"


async def test_only_reading_is_answered(mirror: Path) -> None:
    async with served(mirror_at(mirror), lambda _: None) as url:
        path = "/" + url.split("/", 3)[3] + "coder/ide/coder/versions"
        assert b"1.1.0" in (await ask(url, path))[1]
        assert await ask(url, path, "HEAD") == ("HTTP/1.1 200 OK", b"")
        assert (await ask(url, path, "POST"))[0] == "HTTP/1.1 404 Not Found"
        assert await ask(url, "x" * 20_000) == ("", b"")
