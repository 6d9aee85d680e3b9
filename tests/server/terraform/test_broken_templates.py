"""Whatever is wrong with a template, its author learns the file, the line and what stands there."""

import pytest

from tests.server.terraform.conftest import Driver
from tests.server.terraform.world import HEADER, needs_terraform, tar, template

pytestmark = needs_terraform

AGENT = 'resource "coder_agent" "main" {\n  os   = "linux"\n  arch = "amd64"\n'

BROKEN = {
    "a brace too few": (
        'resource "terraform_data" "a" {\n',
        "Unclosed configuration block",
        'resource "terraform_data" "a" {',
    ),
    "an argument that does not exist": (
        AGENT + "  colour = 1\n}\n",
        "Unsupported argument",
        "colour = 1",
    ),
    "an argument that is missing": (
        'resource "coder_agent" "main" {\n  os = "linux"\n}\n',
        "Missing required argument",
        'resource "coder_agent" "main" {',
    ),
    "a reference to nothing": (
        'locals {\n  a = var.missing\n}\noutput "a" { value = local.a }\n',
        "Reference to undeclared input variable",
        "a = var.missing",
    ),
    "a resource that does not exist": (
        'output "a" {\n  value = coder_agent.gone.id\n}\n',
        "Reference to undeclared resource",
        "value = coder_agent.gone.id",
    ),
    "a resource type that does not exist": (
        'resource "coder_agnet" "main" {\n}\n',
        "Invalid resource type",
        'resource "coder_agnet" "main" {',
    ),
    "a value that is not allowed": (
        'resource "coder_agent" "main" {\n  os   = "beos"\n  arch = "amd64"\n}\n',
        'expected os to be one of ["linux" "darwin" "windows"], got beos',
        'os   = "beos"',
    ),
    "a function that does not exist": (
        'locals {\n  a = upcase("x")\n}\noutput "a" { value = local.a }\n',
        "Call to unknown function",
        'a = upcase("x")',
    ),
    "a wrong type": (
        AGENT + '  connection_timeout = "soon"\n}\n',
        "Incorrect attribute value type",
        'connection_timeout = "soon"',
    ),
    "a parameter that cannot be": (
        'data "coder_parameter" "a" {\n  name      = "a"\n  ephemeral = true\n}\n',
        "parameter can't be immutable and ephemeral",
        'data "coder_parameter" "a" {',
    ),
    "a display app that does not exist": (
        AGENT + "  display_apps {\n    emacs = true\n  }\n}\n",
        "Unsupported argument",
        "emacs = true",
    ),
    "two blocks of one name": (
        'resource "terraform_data" "a" {}\nresource "terraform_data" "a" {}\n',
        'Duplicate resource "terraform_data" configuration',
        'resource "terraform_data" "a" {}',
    ),
    "a circle": (
        'locals {\n  a = local.b\n  b = local.a\n}\noutput "a" { value = local.a }\n',
        "Cycle",
        "",
    ),
    "a failed precondition": (
        (
            'locals {\n  one = 1\n}\nresource "terraform_data" "a" {\n  lifecycle {\n'
            "    precondition {\n      condition     = local.one == 2\n"
            '      error_message = "One is not two."\n    }\n  }\n}\n'
        ),
        "Resource precondition failed",
        "condition     = local.one == 2",
    ),
}


@pytest.mark.parametrize(("body", "summary", "source"), BROKEN.values(), ids=BROKEN)
async def test_the_fault_is_found(driver: Driver, body: str, summary: str, source: str) -> None:
    found = await driver.learn(template(body))
    assert found.error is not None
    assert summary in found.error.message
    error = next(d for d in found.error.diagnostics if d.summary == summary or not source)
    if source:
        lines = (HEADER + body).splitlines()
        assert (error.file, error.source.strip()) == ("main.tf", source)
        assert lines[error.line - 1].strip() == source
        assert f"main.tf:{error.line}" in found.error.message
    assert summary in driver.console.text


async def test_a_fault_inside_a_module_names_the_modules_file(driver: Driver) -> None:
    archive = tar(
        {
            "main.tf": HEADER + 'module "ide" {\n  source = "./ide"\n}\n',
            "ide/main.tf": 'output "a" {\n  value = nothing.at.all\n}\n',
        }
    )
    found = await driver.learn(archive)
    assert found.error is not None
    assert "ide/main.tf:2" in found.error.message
    assert "value = nothing.at.all" in found.error.message


async def test_a_module_that_is_not_there(driver: Driver) -> None:
    found = await driver.learn(template('module "ide" {\n  source = "./ide"\n}\n'))
    assert found.error is not None
    assert found.error.message.startswith(
        'terraform init: main.tf:8, in module "ide": Unreadable module directory\n'
        '  8: source = "./ide"\n'
    )


async def test_an_empty_template(driver: Driver) -> None:
    found = await driver.learn(tar({"README.md": "hello"}))
    assert found.error is not None
    assert "No configuration files" in found.error.message
    assert found.readme == "hello"


async def test_a_refused_value_of_a_variable_is_not_repeated(driver: Driver) -> None:
    archive = template(
        """
        variable "password" {
          sensitive = true
          validation {
            condition     = length(var.password) > 20
            error_message = "Too short."
          }
        }
        variable "zone" {}
        """
    )
    found = await driver.learn(archive, password="hunter2-7f", zone="z-secret")
    assert found.error is not None
    assert 'variable "password": Invalid value for variable' in found.error.message
    assert "Too short." in found.error.message
    for text in (found.error.message, driver.console.text, str(found.error.diagnostics)):
        assert "hunter2-7f" not in text
        assert "z-secret" not in text
