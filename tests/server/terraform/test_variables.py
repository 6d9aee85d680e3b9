"""Variables are read from the text, since terraform itself wants their values first."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.terraform import hcl
from server.terraform.model import Variable
from server.terraform.variables import Outline, outline


def read(tmp_path: Path, **files: str) -> Outline:
    for name, text in files.items():
        (tmp_path / name.replace("__", ".")).write_text(text)
    return outline(tmp_path)


def variables(tmp_path: Path, text: str) -> tuple[Variable, ...]:
    return read(tmp_path, main__tf=text).variables


def test_every_argument(tmp_path: Path) -> None:
    (found,) = variables(
        tmp_path,
        """
        variable "region" { # where
          type        = string /* a
          comment */
          description = "Where \\"it\\" runs: \\u00e4"
          default     = "eu"
          sensitive   = true
          validation {
            condition     = length(var.region) > 1 && "${var.region}}" != "{"
            error_message = "Too short: }"
          }
        }
        """,
    )
    assert found == Variable("region", 'Where "it" runs: ä', "string", "eu", sensitive=True)


@pytest.mark.parametrize(
    ("default", "value"),
    [
        ('"a"', "a"),
        ('""', ""),
        ("5", "5"),
        ("-1.5", "-1.5"),
        ("true", "true"),
        ("null", ""),
        ('["a", "b",]', '["a", "b"]'),
        ('{ a = 1, "b" : [true] }', '{"a": 1, "b": [true]}'),
        ("{\n a = 1\n b = 2\n}", '{"a": 1, "b": 2}'),
        ('"$${not} %%{a} template"', "${not} %{a} template"),
        ("<<EOT\n  two\nlines\nEOT\n", "  two\nlines\n"),
        ("<<-EOT\n    two\n      lines\n    EOT\n", "two\n  lines\n"),
        ("1 + 2", "1 + 2"),
    ],
)
def test_defaults(tmp_path: Path, default: str, value: str) -> None:
    (found,) = variables(tmp_path, f'variable "x" {{\n  default = {default}\n}}\n')
    assert found.default_value == value
    assert not found.required


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("string", "string"),
        ('"string"', "string"),
        ("list(string)", "list(string)"),
        ("object({\n  a = string\n  b = optional(number, 1)\n})", None),
    ],
)
def test_types(tmp_path: Path, written: str, shown: str | None) -> None:
    (found,) = variables(tmp_path, f'variable "x" {{\n  type = {written}\n}}\n')
    assert found.type == (shown or "object({ a = string b = optional(number, 1) })")
    assert found.required


def test_a_variable_on_one_line_without_anything(tmp_path: Path) -> None:
    assert variables(tmp_path, 'variable "x" {}\nvariable y { default = 1 }\n') == (
        Variable("x", required=True),
        Variable("y", default_value="1"),
    )


def test_json_syntax(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        main__tf__json=json.dumps(
            {
                "variable": {"a": {"default": ["x"], "type": "list(string)"}, "b": [{}]},
                "terraform": [{"backend": {"s3": {}}}],
            }
        ),
    )
    assert [v.name for v in found.variables] == ["a", "b"]
    assert found.variables[0].default_value == '["x"]'
    assert found.has_backend


def test_an_override_file_changes_what_it_names(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        a_override__tf='variable "x" {\n  default = "2"\n}\n',
        main__tf='variable "x" {\n  type = string\n  description = "d"\n}\n',
    )
    assert found.variables == (Variable("x", "d", "string", "2"),)


def test_what_looks_like_a_variable_is_not(tmp_path: Path) -> None:
    text = """
    # variable "a" {}
    locals {
      text = <<-EOT
        variable "b" {}
      EOT
      more = "variable \\"c\\" {}"
    }
    resource "x" "y" {
      provisioner "local-exec" {
        command = "echo ${join(",", ["}", "{"])} variable \\"d\\" {}"
      }
    }
    variable "real" {}
    """
    assert [v.name for v in variables(tmp_path, text)] == ["real"]


@pytest.mark.parametrize("block", ['backend "s3" {}', 'cloud {\n organization = "x"\n}'])
def test_a_backend_is_noticed(tmp_path: Path, block: str) -> None:
    assert read(tmp_path, main__tf=f"terraform {{\n {block}\n}}\n").has_backend
    assert not read(tmp_path, main__tf='terraform {\n required_version = ">1"\n}').has_backend


def test_a_file_that_is_not_hcl_is_left_to_terraform(tmp_path: Path) -> None:
    found = read(tmp_path, a__tf='variable "x" {', b__tf='variable "y" {}\n', c__tf__json="{")
    assert [v.name for v in found.variables] == ["y"]


def test_missing_values(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        main__tf='variable "a" {}\nvariable "b" {}\nvariable "c" {}\n'
        'variable "d" { default = "" }\n',
        terraform__tfvars='b = "x"\n',
        more__auto__tfvars__json='{"c": "x"}',
    )
    assert found.missing({}) == ["a"]
    assert found.missing({"a": ""}) == []


def test_values_file_keeps_text_as_text_and_lists_as_lists(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        main__tf='variable "s" {}\nvariable "n" { type = number }\n'
        'variable "l" { type = list(string) }\nvariable "o" { type = map(string) }\n',
    )
    given = {"s": '${"x"}', "n": "5", "l": '["a"]', "o": "not a map(", "gone": "x"}
    assert json.loads(found.file(given)) == {
        "s": '${"x"}',
        "n": "5",
        "l": ["a"],
        "o": "not a map(",
    }


def test_values_of_this_import(tmp_path: Path) -> None:
    found = read(tmp_path, main__tf='variable "a" { default = "x" }\nvariable "b" {}\n')
    assert [v.value for v in found.with_values({"b": "y"})] == ["x", "y"]


@pytest.mark.parametrize(
    "text",
    [
        'a "b',
        "a {",
        "}",
        'a = "x\n"',
        "a = [1, 2",
        "a = <<EOT\nno end",
        '"a" = 1',
        'a = "\\q"',
        "a = { b 1 }\n{",
    ],
)
def test_what_is_not_hcl(text: str) -> None:
    with pytest.raises(hcl.NotHcl):
        hcl.blocks(text)


@pytest.mark.parametrize(
    "text", ["var.x", '"${var.x}"', "[1 2]", "{a 1}", "{a = 1 b = 2}", "1 2", "file('x')"]
)
def test_what_is_not_a_constant(text: str) -> None:
    with pytest.raises(hcl.NotHcl):
        hcl.literal(text)


CONSTANTS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@settings(deadline=None)
@given(CONSTANTS)
def test_json_is_a_constant(value: object) -> None:
    text = json.dumps(value, ensure_ascii=True)
    # A few things of JSON mean something else in HCL: templates, and some escapes.
    if not any(other in text for other in ("${", "%{", "\\u", "\\b", "\\f")):
        assert hcl.literal(text) == value


@settings(deadline=None)
@given(st.text(alphabet='ab{}[]()"\\$%<>=#/*\n -E'))
def test_no_text_makes_the_reader_hang_or_crash(text: str) -> None:
    try:
        hcl.blocks(text)
    except hcl.NotHcl:
        return


def test_what_sensitive_variables_hold_is_secret(tmp_path: Path) -> None:
    outlined = read(
        tmp_path,
        main__tf="""
        variable "plain" { default = "not secret" }
        variable "given" { sensitive = true }
        variable "default" {
          sensitive = true
          default   = "of the template"
        }
        variable "map" {
          type      = map(list(string))
          sensitive = true
        }
        variable "number" {
          type      = number
          sensitive = true
        }
        variable "filed" { sensitive = true }
        variable "listed" {
          type      = list(string)
          sensitive = true
        }
        """,
        a__auto__tfvars='filed = "of the file"\nplain = "public"',
        b__auto__tfvars__json='{"listed": ["of JSON", true, null]}',
    )
    given = {"given": "abc", "map": '{ a = ["in a list"] }', "number": "123456", "plain": "no"}
    secrets = set(outlined.secrets(given))
    assert secrets >= {"abc", "of the template", "in a list", "123456", "of the file", "of JSON"}
    assert not secrets & {"not secret", "no", "public", "plain"}
    assert outlined.missing({}) == ["given", "map", "number"]
