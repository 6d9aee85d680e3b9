"""Every starter template is what it says, as far as it can be judged without its infrastructure."""

import shutil
import subprocess
from pathlib import Path

import pytest

from server.terraform import hcl
from server.terraform.variables import outline
from tests.server.terraform.conftest import Driver
from tests.server.terraform.world import needs_terraform, tar

STARTERS = sorted(
    path.parent
    for path in (Path(__file__).parents[3] / "server/templates/starters").glob("*/main.tf")
)


def ids(path: Path) -> str:
    return path.name


@pytest.mark.parametrize("starter", STARTERS, ids=ids)
def test_a_starter_says_what_it_is_and_can_be_read(starter: Path) -> None:
    front = (starter / "README.md").read_text().split("---\n")[1]
    assert [line.partition(":")[0] for line in front.splitlines()] == [
        "display_name",
        "description",
        "icon",
        "tags",
    ]
    kinds = {block.kind for block in hcl.blocks((starter / "main.tf").read_text()).blocks}
    assert {"terraform", "data", "resource"} <= kinds
    assert all(variable.description for variable in outline(starter).variables)


@pytest.mark.skipif(shutil.which("terraform") is None, reason="there is no terraform on PATH")
@pytest.mark.parametrize("starter", STARTERS, ids=ids)
def test_a_starter_is_written_as_terraform_writes(starter: Path) -> None:
    ended = subprocess.run(["terraform", "fmt", "-check", "-diff", str(starter)], check=False)
    assert ended.returncode == 0


@needs_terraform
@pytest.mark.parametrize(
    ("name", "homes"),
    [
        ("scratch", {"terraform_data.machine[0]": ["main"]}),
        ("externally-managed", {"coder_external_agent.main[0]": ["main"]}),
    ],
)
async def test_a_starter_without_infrastructure_is_imported(
    driver: Driver, name: str, homes: dict[str, list[str]]
) -> None:
    (starter,) = [path for path in STARTERS if path.name == name]
    found = await driver.learn(tar({path.name: path.read_text() for path in starter.iterdir()}))
    assert found.error is None
    assert {r.address: [a.name for a in r.agents] for r in found.start_resources} == homes
    assert found.stop_resources == ()
    assert found.has_external_agent is (name == "externally-managed")
