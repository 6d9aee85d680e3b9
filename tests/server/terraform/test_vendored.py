"""Templates that bring providers along: what one brings, no other ever gets."""

import io
import platform
import tarfile
import zipfile

from tests.server.terraform.conftest import Driver
from tests.server.terraform.world import needs_terraform

pytestmark = needs_terraform

MACHINE = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), "amd64")
PLUGIN = (
    f"terraform.d/plugins/p.invalid/some/thing/terraform-provider-thing_1.0.0_linux_{MACHINE}.zip"
)
TEMPLATE = """
terraform {
  required_providers {
    thing = {
      source = "p.invalid/some/thing"
    }
  }
}
data "thing_x" "y" {}
"""
BROUGHT = "Failed to load plugin schemas"
"""What terraform says of a program that is none, after it has run it."""


def packed(text: str, vendored: bytes = b"") -> bytes:
    files = {"main.tf": text.encode()} | ({PLUGIN: vendored} if vendored else {})
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), 0o644
            archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def provider() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as made:
        program = zipfile.ZipInfo("terraform-provider-thing_v1.0.0")
        program.external_attr = 0o755 << 16
        made.writestr(program, "#!/bin/sh\nexit 3\n")
    return buffer.getvalue()


async def said(driver: Driver, archive: bytes) -> str:
    found = await driver.learn(archive)
    assert found.error is not None
    return f"{found.error.message}\n{driver.console.text}"


async def test_a_provider_that_a_template_brings_along_is_for_that_template_alone(
    driver: Driver,
) -> None:
    brings = packed(TEMPLATE, provider())
    assert BROUGHT in await said(driver, brings)
    assert BROUGHT not in await said(driver, packed(TEMPLATE)), "the same text gets it"
    assert BROUGHT not in await said(driver, packed(f"{TEMPLATE}# another\n")), "the cache has it"
    assert BROUGHT in await said(driver, brings)
