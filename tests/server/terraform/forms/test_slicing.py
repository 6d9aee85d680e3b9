"""Cutting a template down: what a form needs stays, everything else becomes unknown or goes."""

import io
import json
import tarfile
from pathlib import Path

import pytest

from server.terraform.forms import cut

PARAMETER = 'data "coder_parameter" "p" {\n  name = "p"\n  default = %s\n}\n'


def sliced(directory: Path, files: dict[str, str]) -> dict[str, str]:
    """Return the files of the slice of a template with these files."""
    for name, text in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    made = cut(directory)
    assert not made.problem, made.problem
    with tarfile.open(fileobj=io.BytesIO(made.content)) as tar:
        opened = {entry.name: tar.extractfile(entry) for entry in tar}
        return {name: file.read().decode() for name, file in opened.items() if file}


def problem(directory: Path, files: dict[str, str]) -> str:
    for name, text in files.items():
        (directory / name).write_text(text)
    return cut(directory).problem


def test_only_what_parameters_reach_is_kept(tmp_path: Path) -> None:
    main = (
        PARAMETER
        % "local.a"
        + 'locals {\n  a = var.v\n  b = docker_image.x.id\n}\nvariable "v" { default = 1 }\n'
        'variable "w" {}\nresource "docker_image" "x" {}\noutput "o" { value = local.b }\n'
        'provider "docker" {}\nterraform {\n  required_version = ">= 99"\n}\n'
    )
    text = sliced(tmp_path, {"main.tf": main})["main.tf"]
    assert 'variable "v"' in text
    assert "a = var.v" in text
    for gone in ("docker", '"w"', "output", "required_version", "b ="):
        assert gone not in text


def test_what_depends_on_the_world_is_unknown(tmp_path: Path) -> None:
    main = (
        PARAMETER % '"${docker_image.x.id}-${data.http.y.body}"'
        + 'resource "docker_image" "x" {}\ndata "http" "y" {}\n'
    )
    files = sliced(tmp_path, {"main.tf": main})
    unknown = "terraform_data.unknown__.output"
    assert f'default = "${{{unknown}.id}}-${{{unknown}.body}}"' in files["main.tf"]
    assert "jsondecode(timestamp())" in files["zzzz_unknown__.tf"]


def test_labels_may_stand_on_the_line_of_an_argument_before(tmp_path: Path) -> None:
    main = 'data "coder_parameter" "p" {\n  name = "p"\n  default = null\n  validation {\n'
    main += (
        '    min = 1 # of { all }\n    max = 2\n  }\n  option { \n name = "{" \n value = "}"\n}\n}'
    )
    text = sliced(tmp_path, {"main.tf": main})["main.tf"]
    assert "default = null\nvalidation {\nmin = 1\nmax = 2\n}" in text
    assert text.count("option {") == 1


def test_heredocs_nested_templates_and_comments_survive(tmp_path: Path) -> None:
    text = '<<-EOT\n    a } ${join(",", ["}", "${var.x}"])}\n  EOT\n  # } not the end {\n'
    main = PARAMETER % text + 'variable "x" {\n  default = "{" /* } */\n}\n'
    kept = sliced(tmp_path, {"main.tf": main})["main.tf"]
    assert text.partition("\n  #")[0] in kept
    assert 'variable "x"' in kept


def test_meta_arguments_that_need_the_world_go(tmp_path: Path) -> None:
    main = (
        'data "coder_parameter" "p" {\n  provider = coder.x\n  count = 1\n'
        '  depends_on = [docker_image.x]\n  name = "p"\n}\nresource "docker_image" "x" {}\n'
    )
    text = sliced(tmp_path, {"main.tf": main})["main.tf"]
    assert "count = 1" in text
    assert "depends_on" not in text
    assert "provider" not in text


def test_override_files_stay_override_files(tmp_path: Path) -> None:
    files = {
        "main.tf": PARAMETER % '"a"',
        "main_override.tf": 'data "coder_parameter" "p" {\n  default = "b"\n}\n',
    }
    assert "default" in sliced(tmp_path, files)["main_override.tf"]


def listing(tmp_path: Path, **places: str) -> None:
    path = tmp_path / ".terraform/modules/modules.json"
    path.parent.mkdir(parents=True)
    entries = [{"Key": key.replace("__", "."), "Dir": place} for key, place in places.items()]
    path.write_text(json.dumps({"Modules": [{"Key": "", "Dir": "."}, *entries]}))


def test_modules_with_parameters_are_kept_with_the_arguments_these_need(tmp_path: Path) -> None:
    listing(tmp_path, a="a", a__b="b")
    files = sliced(
        tmp_path,
        {
            "main.tf": 'module "a" {\n  source = "x/y/z"\n  version = "1.0"\n  one = local.l\n'
            "  two = local.m\n  count = 2\n}\nlocals {\n  l = 1\n  m = 2\n}\n",
            "a/main.tf": 'variable "one" {}\nvariable "two" {}\nmodule "b" {\n'
            '  source = "../b"\n  v = var.one\n}\nresource "coder_script" "s" { x = var.two }\n',
            "b/main.tf": PARAMETER % "var.v" + 'variable "v" {}\n',
        },
    )
    assert 'source = "./m/a"' in files["main.tf"]
    assert "one = local.l" in files["main.tf"]
    for gone in ("two", "m = 2", "version"):
        assert gone not in files["main.tf"]
    assert 'source = "../../m/a.b"' in files["m/a/main.tf"]
    assert 'variable "two"' not in files["m/a/main.tf"]
    assert "var.v" in files["m/a.b/main.tf"]


def test_outputs_of_modules_that_only_compute_are_kept(tmp_path: Path) -> None:
    listing(tmp_path, r="r")
    files = sliced(
        tmp_path,
        {
            "main.tf": 'module "r" { \n source = "./r" \n}\n' + PARAMETER % "module.r.best",
            "r/main.tf": 'output "best" { \n value = "eu" \n}\noutput "other" { \n value = 1 \n}\n',
        },
    )
    assert '"best"' in files["m/r/main.tf"]
    assert "other" not in files["m/r/main.tf"]


def test_files_of_the_template_come_along_when_they_are_read(tmp_path: Path) -> None:
    default = 'file("${path.module}/data/regions.json")'
    files = {"main.tf": PARAMETER % default, "data/regions.json": "[]", "big.tf.bak": "x"}
    assert sliced(tmp_path, files)["data/regions.json"] == "[]"


@pytest.mark.parametrize(
    "default",
    [
        'file("/etc/passwd")',
        'file("~/.ssh/id_rsa")',
        'file("../../secret")',
        'file("${path.module}/../secret")',
        'file("${path.module}/${var.x}")',
        "file(var.x)",
        'templatefile("/etc/passwd", {})',
        'join(",", fileset("/etc", "*"))',
        'join(",", fileset(path.module, "../*"))',
        '"${filebase64("/etc/passwd")}"',
        "templatestring(var.x, {})",
    ],
)
def test_files_of_the_server_are_never_read(tmp_path: Path, default: str) -> None:
    said = problem(tmp_path, {"main.tf": PARAMETER % default + 'variable "x" {}\n'})
    assert "with a path that is not plain to see" in said


def test_templates_of_the_template_read_no_files_of_the_server_either(tmp_path: Path) -> None:
    files = {
        "main.tf": PARAMETER % 'templatefile("${path.module}/x.tpl", {})',
        "x.tpl": '${file("/etc/passwd")}',
    }
    assert "file()" in problem(tmp_path, files)


def test_values_of_the_templates_own_files_come_along(tmp_path: Path) -> None:
    files = {
        "main.tf": PARAMETER % "var.v" + 'variable "v" {}\nvariable "secret" {}\n',
        "x.auto.tfvars": 'v = "1"\nsecret = "hunter2"\n',
        "y.auto.tfvars.json": '{"v": "2", "secret": "hunter2"}',
    }
    made = sliced(tmp_path, files)
    assert made["x.auto.tfvars"] == 'v = "1"\n'
    assert made["y.auto.tfvars.json"] == '{"v": "2"}'


def test_templates_in_json_have_no_slice(tmp_path: Path) -> None:
    assert "JSON" in problem(tmp_path, {"main.tf.json": "{}"})


def test_what_cannot_be_read_says_where(tmp_path: Path) -> None:
    assert problem(tmp_path, {"main.tf": "data {"}).startswith("main.tf cannot be read")


def test_nesting_without_end_is_refused_and_breaks_nothing(tmp_path: Path) -> None:
    text = PARAMETER % ("(" * 20_000 + ")" * 20_000)
    assert "main.tf cannot be read" in problem(tmp_path, {"main.tf": text})
