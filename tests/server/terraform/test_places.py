"""Complaints that name no line get one from the template's text."""

import json
from pathlib import Path

import pytest

from server.terraform.model import Diagnostic
from server.terraform.places import Places

MAIN = """locals {
  a = 1
  b = local.a == 1 ? "x" : "y"
}
variable "zone" {}
module "ide" {
  source = "./ide"
}
data "coder_parameter" "cpu" {
}
resource "x_vm" "box" {
  b = 2
}
"""


@pytest.fixture
def places(tmp_path: Path) -> Places:
    (tmp_path / "main.tf").write_text(MAIN)
    (tmp_path / "ide").mkdir()
    (tmp_path / "ide/app.tf").write_text('\nresource "coder_app" "ide" {\n}\n')
    kept = tmp_path / ".terraform/modules"
    kept.mkdir(parents=True)
    modules = [{"Key": "", "Dir": "."}, {"Key": "ide", "Dir": "ide"}]
    (kept / "modules.json").write_text(json.dumps({"Modules": modules}))
    return Places(tmp_path)


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("local.a", ("main.tf", 2)),
        ("local.b", ("main.tf", 3)),
        ("var.zone", ("main.tf", 5)),
        ("module.ide", ("main.tf", 6)),
        ("data.coder_parameter.cpu", ("main.tf", 9)),
        ('x_vm.box["a.b"]', ("main.tf", 11)),
        ("module.ide[0].coder_app.ide", ("ide/app.tf", 2)),
        ("x_vm.gone", None),
        ("module.gone.x_vm.box", None),
        ("", None),
    ],
)
def test_the_line_of_an_address(
    places: Places, address: str, place: tuple[str, int] | None
) -> None:
    found = places.of(address)
    assert (found and (found.file, found.line)) == place


def test_a_complaint_with_a_place_keeps_it(places: Places) -> None:
    told = Diagnostic("error", "x", file="a.tf", line=3, block="locals")
    assert places.completed(told) == told


def test_a_line_in_the_words_is_believed_when_it_exists(places: Places) -> None:
    for words, line in [("at main.tf:7.", 7), ("on main.tf line 2", 2), ("at main.tf:99", 0)]:
        assert places.completed(Diagnostic("error", "x", words)).line == line
    assert places.completed(Diagnostic("error", "x", "at ../../etc/passwd.tf:1")).file == ""


def test_all_parts_of_a_circle_are_named_in_the_order_of_the_file(places: Places) -> None:
    circle = Diagnostic("error", "Cycle: local.b (expand), local.a (expand)")
    found = places.completed(circle)
    assert (found.line, found.summary) == (2, "Cycle: local.a, local.b")
    assert 'main.tf:3: b = local.a == 1 ? "x" : "y"' in found.detail


def test_links_of_a_template_are_not_read(places: Places, tmp_path: Path) -> None:
    (tmp_path / "link.tf").symlink_to("/etc/hostname")
    assert places.completed(Diagnostic("error", "x", "at link.tf:1")).file == ""
