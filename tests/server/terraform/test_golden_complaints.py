"""What ``coder templates push`` prints for templates that are wrong, kept as golden files."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar

import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode

from coder_cli.sdk.jobs import LogLevel, LogSource, ProvisionerJobLog
from coder_cli.ui.progress import JobProgress
from server.terraform import ErrorCode, Imported, InstalledTerraform, Stage
from tests.server.terraform.broken import BROKEN
from tests.server.terraform.conftest import Driver
from tests.server.terraform.world import Listener, needs_terraform, tar

pytestmark = needs_terraform

NOW = datetime(2026, 1, 1, tzinfo=UTC)
_VARIES = {
    re.compile(r"Terraform version \d+\.\d+\.\d+"): "Terraform version X",
    re.compile(r"\[?(127\.0\.0\.1|::1)\]?:1\b"): "LOOPBACK:1",
    re.compile(r"dial tcp: lookup \S+ on \S+: [^\"\n.]*"): "dial tcp: no such host",
    re.compile(r"/\S*/empty-mirror"): "MIRROR",
}


class TextFile(SingleFileSnapshotExtension):
    """Keep each snapshot as a text file, named after its template."""

    file_extension = "txt"
    _write_mode: ClassVar[WriteMode] = WriteMode.TEXT


@pytest.fixture
def offline(driver: Driver, tmp_path: Path) -> Driver:
    """A driver whose providers come from an empty mirror: no test of complaints asks a network.

    What other tests have prepared is not there either: it would spare a template its stages.
    """
    (tmp_path / "empty-mirror").mkdir()
    config = tmp_path / "site.tfrc"
    config.write_text(
        f'provider_installation {{\n  filesystem_mirror {{\n    path = "{tmp_path}/empty-mirror"\n'
        '    include = ["registry.terraform.io/*/*", "registry.opentofu.org/*/*"]\n  }\n'
        '  direct {\n    include = ["localhost:1/*/*"]\n  }\n}\n'
    )
    host = {**driver.options.host, "TF_CLI_CONFIG_FILE": str(config)}
    options = replace(driver.options, host=host, cache_dir=tmp_path / "cache")
    driver.terraform = InstalledTerraform(options)
    return driver


def printed(console: Listener, found: Imported) -> Iterator[str]:
    """Print as the command does; what terraform says when all is well is left out."""
    progress, told = JobProgress(), ""
    # Which terraform it is, is said first, and differs between hosts.
    lines = [line for line in console.lines if line[1] != Stage.SETTING_UP]
    for number, (level, stage, output) in enumerate(lines):
        if level in {"warn", "error"} or stage != told:
            progress.log(
                ProvisionerJobLog(
                    id=number,
                    created_at=NOW,
                    log_source=LogSource.PROVISIONER,
                    log_level=LogLevel(level),
                    stage=stage,
                    output=output if level in {"warn", "error"} else "",
                )
            )
        told = stage
    assert found.error is not None
    yield f"error: The import ended as failed: {found.error.message}"


def steady(text: str) -> str:
    """Take out what differs between hosts."""
    for pattern, same in _VARIES.items():
        text = pattern.sub(same, text)
    return text


@pytest.mark.parametrize("name", BROKEN)
async def test_what_the_author_is_told(
    offline: Driver,
    name: str,
    snapshot: SnapshotAssertion,
    capsys: pytest.CaptureFixture[str],
) -> None:
    files: Mapping[str, str] = BROKEN[name]
    found = await offline.learn(tar(files))
    capsys.readouterr()  # What a busy event loop or the log said meanwhile is not the command's.
    last = "\n".join(printed(offline.console, found))
    assert found.error is not None
    assert found.error.diagnostics
    for error in found.error.diagnostics:
        # Every complaint leads to a line of the template, and shows it.
        assert error.file in files
        assert error.source.splitlines()[0] in files[error.file]
        assert 0 < error.line <= len(files[error.file].splitlines())
    first = found.error.diagnostics[0]
    if found.error.code is not ErrorCode.REQUIRED_TEMPLATE_VARIABLES:
        assert f"{first.file}:{first.line}" in found.error.message
    golden = steady(f"{capsys.readouterr().err}{last}\n")
    assert golden == snapshot.use_extension(TextFile)
