"""Every starter template is what it says, as far as it can be judged without its infrastructure."""

import re
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


FOREIGN = re.compile(r'^resource "(\w+?)_(\w+)" "(\w+)" \{\n(.*?)^\}$', re.MULTILINE | re.DOTALL)
OURS = re.compile(r"(?:data\.coder_\w+\.\w+\.\w+|coder_agent\.\w+\.\w+|local\.\w+|var\.\w+)")


def without_foreign_providers(text: str, provider: str) -> str:
    """Return a template whose foreign resources are stand-ins that read the same of ours."""

    def stand_in(found: re.Match[str]) -> str:
        family, _, name, body = found.groups()
        if family != provider:
            return found[0]
        read = ", ".join(sorted(set(OURS.findall(body))))
        count = "count = data.coder_workspace.me.start_count\n" if "  count = " in body else ""
        return f'resource "terraform_data" "{name}" {{\n{count}input = [{read}]\n}}'

    text = re.sub(rf'^provider "{provider}" \{{.*?^\}}$', "", text, flags=re.MULTILINE | re.DOTALL)
    text = re.sub(rf"^    {provider} = \{{.*?^    \}}$", "", text, flags=re.MULTILINE | re.DOTALL)
    return FOREIGN.sub(stand_in, text)


@needs_terraform
@pytest.mark.parametrize(
    ("provider", "homes", "parameters"),
    [
        ("docker", ["home"], ["image"]),
        ("kubernetes", ["home"], ["cpu", "memory", "disk"]),
    ],
)
async def test_what_a_starter_with_a_foreign_provider_reads_of_ours_exists(
    driver: Driver, provider: str, homes: list[str], parameters: list[str]
) -> None:
    (starter,) = [path for path in STARTERS if path.name == provider]
    text = without_foreign_providers((starter / "main.tf").read_text(), provider)
    assert f'resource "{provider}_' not in text
    given = {"namespace": "coder"} if provider == "kubernetes" else {}
    found = await driver.learn(tar({"main.tf": text}), **given)
    assert found.error is None
    assert [parameter.name for parameter in found.parameters] == parameters
    assert [resource.name for resource in found.stop_resources] == homes
    agents = {r.name: [a.name for a in r.agents] for r in found.start_resources}
    assert agents == {"home": [], "workspace": ["main"]}
