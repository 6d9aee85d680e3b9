"""``coder_parameter``: the published truth table, its highlights and its corners."""

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

import pytest

from server.terraform.provider.values import quote
from tests.server.terraform.world import Answer, read

NUMBERS = ("1", "3", "5", "7")
LETTERS = ("a", "b", "c")


def env(given: str | None = None, previous: str | None = None) -> dict[str, str]:
    name = sha256(b"p").hexdigest()
    values: dict[str, str] = {}
    if given is not None:
        values[f"CODER_PARAMETER_{name}"] = given
    if previous is not None:
        values[f"CODER_PARAMETER_PREVIOUS_{name}"] = previous
    return values


def options(*values: str) -> list[dict[str, str]]:
    return [{"name": value, "value": value} for value in values]


def ask(config: Mapping[str, Any], given: str | None = None, previous: str | None = None) -> Answer:
    return read("coder_parameter", {"name": "p", **config}, env(given, previous))


def rule(**kinds: object) -> list[dict[str, object]]:
    return [kinds]


@pytest.mark.parametrize(
    ("config", "given", "previous", "value"),
    [
        ({"type": "number"}, None, None, ""),
        ({"type": "string"}, None, None, ""),
        ({"type": "number", "default": "5"}, None, None, "5"),
        ({"type": "number", "default": "5"}, "3", None, "3"),
        ({"type": "number"}, "5.5", None, "5.5"),
        ({"type": "number", "default": "5", "validation": rule(max=3)}, "3", None, "3"),
        ({"type": "number", "validation": rule(min=0)}, "0", None, "0"),
        ({"type": "number", "validation": rule(monotonic="increasing")}, "5", "a", "5"),
        ({"type": "number", "validation": rule(monotonic="increasing")}, "5", None, "5"),
        ({"type": "number", "validation": rule(monotonic="increasing")}, "5", "5", "5"),
        ({"type": "string", "validation": rule(regex=".*", error="no")}, None, None, ""),
        ({"type": "string", "validation": rule(regex="b", error="no")}, "abc", None, "abc"),
        ({"type": "string", "default": "x"}, "", None, ""),
        ({"type": "string", "option": options(*LETTERS)}, "b", None, "b"),
        ({"type": "bool"}, "1", None, "1"),
        ({"type": "bool", "validation": rule()}, "true", None, "true"),
        ({"type": "list(string)"}, '["a","b"]', None, '["a","b"]'),
        ({"type": "list(string)"}, "null", None, "null"),
        (
            {"type": "list(string)", "form_type": "multi-select", "option": options(*LETTERS)},
            '["a","c"]',
            None,
            '["a","c"]',
        ),
    ],
)
def test_value_accepted(
    config: dict[str, Any], given: str | None, previous: str | None, value: str
) -> None:
    answer = ask(config, given, previous)
    assert answer.errors == []
    assert answer.value["value"] == value


@pytest.mark.parametrize(
    ("config", "given", "previous", "summary", "detail"),
    [
        (
            {"type": "number", "validation": rule(min=1, max=10)},
            None,
            None,
            "Invalid parameter value according to 'validation' block",
            'value "" is not a number',
        ),
        (
            {
                "type": "number",
                "default": "5",
                "option": options(*NUMBERS),
                "validation": rule(min=6, max=10),
            },
            None,
            None,
            "Invalid parameter default value according to 'validation' block",
            "value 5 is less than the minimum 6",
        ),
        (
            {"type": "number", "default": "5", "validation": rule(monotonic="increasing")},
            None,
            "6",
            "Invalid parameter default value according to 'validation' block",
            "parameter value '5' must be equal or greater than previous value: 6",
        ),
        (
            {"type": "number", "validation": rule(monotonic="decreasing")},
            "6",
            "5",
            "Invalid parameter value according to 'validation' block",
            "parameter value '6' must be equal or lower than previous value: 5",
        ),
        (
            {"type": "number", "validation": rule(monotonic="sideways")},
            "6",
            None,
            "Invalid parameter value according to 'validation' block",
            'number monotonicity can be either "increasing" or "decreasing"',
        ),
        (
            {"type": "number", "validation": rule(min=1)},
            "5.5",
            None,
            "Invalid parameter value according to 'validation' block",
            'value "5.5" is not a number',
        ),
        (
            {"type": "number", "validation": rule(max=4, error="{value} > {max}, or < {min}")},
            "9",
            None,
            "Invalid parameter value according to 'validation' block",
            "9 > 4, or < 0",
        ),
        (
            {"type": "number"},
            "ten",
            None,
            'Parameter value is not of type "number"',
            '"ten" is not a number',
        ),
        (
            {"type": "string", "option": options(*LETTERS), "validation": rule(min=1, max=10)},
            "c",
            None,
            "Invalid parameter value according to 'validation' block",
            "a min cannot be specified for a string type",
        ),
        (
            {"type": "bool", "validation": rule(max=1)},
            "true",
            None,
            "Invalid parameter value according to 'validation' block",
            "a max cannot be specified for a bool type",
        ),
        (
            {"type": "string", "validation": rule(monotonic="increasing")},
            "x",
            None,
            "Invalid parameter value according to 'validation' block",
            "monotonic validation can only be specified for number types, not string types",
        ),
        (
            {"type": "bool", "validation": rule(regex="x", error="y")},
            "true",
            None,
            "Invalid parameter value according to 'validation' block",
            "a regex cannot be specified for a bool type",
        ),
        (
            {"type": "bool", "validation": rule()},
            "1",
            None,
            "Invalid parameter value according to 'validation' block",
            'boolean value can be either "true" or "false"',
        ),
        (
            {"type": "bool"},
            "yes",
            None,
            'Parameter value is not of type "bool"',
            '"yes" is not a bool',
        ),
        (
            {"type": "string", "validation": rule(regex="^[a-z]+$")},
            "abc",
            None,
            "Invalid parameter value according to 'validation' block",
            "an error must be specified with a regex validation",
        ),
        (
            {"type": "string", "validation": rule(regex="^[a-z]+$", error="Letters only")},
            "abc1",
            None,
            "Invalid parameter value according to 'validation' block",
            'Letters only (value "abc1" does not match "^[a-z]+$")',
        ),
        (
            {"type": "string", "option": options(*LETTERS)},
            "z",
            None,
            "Value must be a valid option",
            'the value "z" must be defined as one of options',
        ),
        (
            {"type": "string", "option": options(*LETTERS), "default": "z"},
            None,
            None,
            "Default value must be a valid option",
            'the value "z" must be defined as one of options',
        ),
        (
            {"type": "string", "option": options(*LETTERS)},
            "",
            None,
            (
                "Value must be a valid option. The value is empty, "
                "did you forget to set it with a default or from user input?"
            ),
            'the value "" must be defined as one of options',
        ),
        (
            {"type": "list(string)"},
            "c",
            None,
            'Parameter value is not of type "list(string)"',
            'value "c" is not a valid list of strings',
        ),
        (
            {"type": "list(string)", "form_type": "multi-select", "option": options(*LETTERS)},
            "c",
            None,
            "When using list(string) type, value must be a json encoded list of strings",
            'value "c" is not a valid list of strings',
        ),
        (
            {"type": "list(string)", "form_type": "multi-select", "option": options(*LETTERS)},
            '["a","x","y"]',
            None,
            "Values must be a valid option",
            (
                'Value "[\\"a\\",\\"x\\",\\"y\\"]" is not a valid option, '
                'values "x, y" are missing from the options'
            ),
        ),
        (
            {"type": "list(string)", "default": '["a"]', "option": options('["b"]', '["c"]')},
            None,
            None,
            "Default value must be a valid option",
            'the value "[\\"a\\"]" must be defined as one of options',
        ),
        (
            {"type": "number", "option": options("1", "x")},
            "1",
            None,
            'Option "x" with value="x" is not of type "number"',
            '"x" is not a number',
        ),
        (
            {"option": [{"name": "a", "value": "1"}, {"name": "a", "value": "2"}]},
            "1",
            None,
            "Option names must be unique.",
            'multiple options found with the same name "a"',
        ),
        (
            {"option": [{"name": "a", "value": "1"}, {"name": "b", "value": "1"}]},
            "1",
            None,
            "Option values must be unique.",
            'multiple options found with the same value "1"',
        ),
    ],
)
def test_value_refused(
    config: dict[str, Any], given: str | None, previous: str | None, summary: str, detail: str
) -> None:
    answer = ask(config, given, previous)
    assert answer.errors == [summary]
    assert answer.details == [detail]


def test_default_outside_validation_does_not_matter_when_a_value_is_given() -> None:
    config = {"type": "string", "default": "1", "validation": rule(regex="^[a-z]$", error="no")}
    assert ask(config, "a").errors == []
    assert ask(config).errors == ["Invalid parameter default value according to 'validation' block"]


def test_ephemeral_needs_mutable_and_a_default() -> None:
    assert ask({"ephemeral": True}).errors == ["parameter can't be immutable and ephemeral"]
    assert ask({"ephemeral": True, "mutable": True}).errors == [
        "ephemeral parameter requires the default property"
    ]
    assert ask({"ephemeral": True, "mutable": True, "default": "x"}).errors == []


def test_a_default_makes_it_optional_and_zero_is_a_minimum() -> None:
    answer = ask({"type": "number", "default": "1", "validation": rule(min=0)})
    assert answer.value["optional"] is True
    assert answer.value["mutable"] is False
    assert answer.value["validation"][0]["min_disabled"] is False
    assert answer.value["validation"][0]["max_disabled"] is True
    assert ask({"type": "number"}).value["optional"] is False


def test_regex_excludes_the_rules_for_numbers() -> None:
    answer = ask({"type": "number", "validation": rule(regex="x", min=1)}, "1")
    assert answer.errors == ["Conflicting configuration arguments"]
    assert answer.details == ['"validation.0.regex": conflicts with validation.0.min']


@pytest.mark.parametrize(
    ("pattern", "value", "matches"),
    [
        (r"^[[:alpha:]]+$", "abc", True),
        (r"^[[:alpha:]]+$", "ab1", False),
        (r"(?i)^HELLO\z", "hello", True),
        (r"^\pL+$", "Grüße", True),
        (r"^(a+)+$", "a" * 5000 + "!", False),
        # Python's own would say the opposite to each of these.
        (r"^[a-z]+$", "abc\n", False),
        (r"^\d+$", "٣", False),
        (r"^\w+$", "ä", False),
        (r"\Qa.b\E", "a.b", True),
        (r"\x{1F600}", "😀", True),
        (r"(?<name>a)", "a", True),
    ],
)
def test_regex_is_re2(pattern: str, value: str, *, matches: bool) -> None:
    answer = ask({"validation": rule(regex=pattern, error="no")}, value)
    assert (answer.errors == []) is matches


@pytest.mark.parametrize("pattern", ["(?=a)a", "(?<!b)a", r"(a)\1", "a++", "(?>a)", "a{1001}", "("])
def test_regex_that_only_others_know_is_refused(pattern: str) -> None:
    answer = ask({"validation": rule(regex=pattern, error="no")}, "a")
    assert answer.details[0].startswith(f"compile regex {quote(pattern)}: ")


def test_regex_of_every_letter_is_bounded_in_memory() -> None:
    answer = ask({"validation": rule(regex="((a{100}){100}){100}", error="no")}, "a")
    assert answer.details[0].startswith("compile regex ")


def test_icons_must_be_urls() -> None:
    config = {"icon": "%zz", "option": [{"name": "a", "value": "a", "icon": "/ok icon.svg"}]}
    answer = ask(config, "a")
    assert answer.errors == ['parse "%zz": invalid URL escape "%zz"']
