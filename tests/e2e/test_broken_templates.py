"""A broken template, pushed as its author pushes it: command and API say where it breaks."""

import json
import shutil
import subprocess
from collections.abc import Generator
from pathlib import Path

import pytest

from tests.server.terraform.broken import BROKEN
from tests.support.house import House, until

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(240),
    pytest.mark.skipif(shutil.which("terraform") is None, reason="terraform is not on PATH"),
]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, module_dsn: str) -> Generator[House]:
    """A deployment after `coder server --quickstart`."""
    house = House(tmp_path_factory.mktemp("house"), module_dsn)
    try:
        house.start("--quickstart")
        until("the quickstart", lambda: "is ready. In another terminal" in house.said())
        yield house
    finally:
        house.close()


def push(house: House, root: Path, files: dict[str, str]) -> subprocess.CompletedProcess[str]:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return house.coder("templates", "push", "broken", "-d", str(root), "--yes", check=False)


@pytest.mark.parametrize(
    ("name", "place", "source", "cause"),
    [
        (
            "unsupported_argument",
            'main.tf:11, in resource "coder_agent" "main"',
            '11: color = "red"',
            'An argument named "color" is not expected here.',
        ),
        (
            "cycle",
            'main.tf:7, in resource "terraform_data" "hen"',
            '7: resource "terraform_data" "hen" {',
            'main.tf:10: resource "terraform_data" "egg" {',
        ),
        (
            "duplicate_app_slug",
            'main.tf:20, in resource "coder_app" "two"',
            '20: resource "coder_app" "two" {',
            'duplicate app slug, they must be unique per template: "ide"',
        ),
        (
            "fault_inside_a_module",
            'ide/main.tf:8, in resource "coder_agent" "dev_box"',
            '8: resource "coder_agent" "dev_box" {',
            "contains underscores which are no longer supported",
        ),
    ],
)
def test_the_author_is_led_to_the_line(
    house: House, tmp_path: Path, name: str, place: str, source: str, cause: str
) -> None:
    pushed = push(house, tmp_path, BROKEN[name])
    assert pushed.returncode == 1
    assert pushed.stdout == ""
    log, _, error = pushed.stderr.partition("error: The import ended as failed: ")
    for said in (log, error):
        assert place in said
        assert source in said
        assert cause in said
    listed = json.loads(house.coder("templates", "list", "-o", "json").stdout)
    assert "broken" not in json.dumps(listed)


def test_the_api_says_the_same(house: House, tmp_path: Path) -> None:
    template = house.coder("templates", "list", "-o", "json").stdout
    (tmp_path / "main.tf").write_text(BROKEN["unknown_function"]["main.tf"])
    name = json.loads(template)[0]
    name = (name.get("Template") or name)["name"]
    words = ("templates", "push", name, "-d", str(tmp_path), "--yes", "--name", "bad")
    assert house.coder(*words, check=False).returncode == 1
    versions = json.loads(house.coder("templates", "versions", "list", name, "-o", "json").stdout)
    bad = next(v for v in versions if "bad" in json.dumps(v))
    job = (bad.get("TemplateVersion") or bad)["job"]
    assert job["status"] == "failed"
    assert job["error"] == (
        'terraform plan: main.tf:8, in output "a": Call to unknown function\n'
        '  8: value = upcase("x")\nThere is no function named "upcase".'
    )
