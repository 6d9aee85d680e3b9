"""``coder_parameter``: what becomes of a value, case by case, for every type and way to get one."""

from typing import Any

import pytest

from tests.server.terraform.provider.test_parameter import ask, options

N, S, L = {"type": "number"}, {"type": "string"}, {"type": "list(string)"}
MULTI = L | {"form_type": "multi-select"}
TAGS = L | {"form_type": "tag-select"}

OPTION = "must be a valid option"
UNIQUE = "must be unique"
NOT_A_NUMBER = 'is not of type "number"'
NOT_A_LIST = "is not a valid list of strings"
REGEX = "no match"
LESS, MORE = "is less than the minimum", "is more than the maximum"


def span(low: int | None = None, high: int | None = None) -> dict[str, Any]:
    return {"validation": [{"min": low, "max": high}]}


def regex(pattern: str) -> dict[str, Any]:
    return {"validation": [{"regex": pattern, "error": REGEX}]}


def only(direction: str) -> dict[str, Any]:
    return {"validation": [{"monotonic": direction}]}


def of(*values: str) -> dict[str, Any]:
    return {"option": options(*values)}


def twice(value: str) -> dict[str, Any]:
    return {"option": [{"name": n, "value": value} for n in "ab"]}


def default(value: str) -> dict[str, Any]:
    return {"default": value}


UP, DOWN = only("increasing"), only("decreasing")
ODD, FIVE, ABC = of("1", "3", "5", "7"), default("5"), of("a", "b", "c")

NOTHING_GIVEN = {
    "a string": (S, "", ""),
    "a number": (N, "", ""),
    "a list": (L, "", ""),
    "tags": (TAGS, "", ""),
    "a string with options": (S | ABC, "", ""),
    "a number with options": (N | ODD, "", ""),
    "equal options of strings": (S | twice("1"), None, UNIQUE),
    "equal options of numbers": (N | twice("1"), None, UNIQUE),
    "equal options of lists": (L | twice('["a"]'), None, UNIQUE),
    "a regex that nothing matches": (S | regex("world"), None, REGEX),
    "a regex that all match": (S | regex(".*"), "", ""),
    "a range": (N | span(1, 10), None, 'value "" is not a number'),
    "options and a range": (N | of("1", "2", "3") | span(2, 5), None, OPTION),
    "options and a regex": (S | of("hello", "goodbye") | regex("goodbye"), None, OPTION),
    "a direction": (N | UP, None, 'value "" is not a number'),
}
DEFAULT_ONLY = {
    "a number": (N | FIVE, "5", ""),
    "in the range": (N | FIVE | span(3, 7), "5", ""),
    "below the range": (N | FIVE | span(10), None, LESS),
    "above the range": (N | FIVE | span(high=4), None, MORE),
    "zero is a maximum": (N | FIVE | span(high=0), None, MORE),
    "zero is a minimum": (N | default("-1") | span(0), None, LESS),
    "an option in the range": (N | FIVE | ODD | span(2, 6), "5", ""),
    "not an option": (N | FIVE | of("1", "3", "7") | span(2, 6), None, OPTION),
    "an option outside the range": (N | FIVE | ODD | span(6, 10), None, LESS),
    "not a number": (N | default("a"), None, NOT_A_NUMBER),
    "an option that is no number": (N | default("1") | of("1", "a", "2"), None, NOT_A_NUMBER),
    "a string": (S | default("hello"), "hello", ""),
    "an empty string": (S | default(""), "", ""),
    "a string that does not match": (S | default("hello") | regex("world"), None, REGEX),
    "a string among options": (S | default("a") | ABC, "a", ""),
    "a string outside options": (S | default("z") | ABC, None, OPTION),
    "a matching option": (S | default("a") | ABC | regex("[a-b]"), "a", ""),
    "an option that does not match": (S | default("c") | ABC | regex("[a-b]"), None, REGEX),
    "a string with a direction": (S | default("a") | UP, None, "not string types"),
    "a list": (L | default('["a"]'), '["a"]', ""),
    "a list among options": (L | default('["a"]') | of('["a"]', '["b"]'), '["a"]', ""),
    "a list outside options": (L | default('["a"]') | of('["b"]'), None, OPTION),
    "tags": (TAGS | default('["a"]'), '["a"]', ""),
    "chosen": (MULTI | default('["a"]') | ABC, '["a"]', ""),
    "chosen outside options": (MULTI | default('["z"]') | ABC, None, OPTION),
}
DEFAULT_AND_PREVIOUS = {
    "up": (UP, "4", ""),
    "up, equal": (UP, "5", ""),
    "up, but lower": (UP, "6", "must be equal or greater than previous value: 6"),
    "up from no number": (UP, "a", ""),
    "down": (DOWN, "6", ""),
    "down, equal": (DOWN, "5", ""),
    "down, but greater": (DOWN, "4", "must be equal or lower than previous value: 4"),
    "down from no number": (DOWN, "b", ""),
}
GIVEN = {
    "a number": (N, "3", ""),
    "no number": (N, "a", NOT_A_NUMBER),
    "no number in a range": (N | span(1, 3), "a", 'value "a" is not a number'),
    "over a default": (N | FIVE, "3", ""),
    "over a default that is out of range": (N | FIVE | span(1, 3), "3", ""),
    "the default, out of range": (N | FIVE | span(1, 3), "5", MORE),
    "an option": (N | FIVE | ODD | span(1, 3), "3", ""),
    "options that are no numbers": (N | FIVE | of("a", "1", "3"), "3", NOT_A_NUMBER),
    "not an option, default is": (N | FIVE | of("1", "5"), "3", OPTION),
    "not an option, no default": (N | of("1", "5"), "3", OPTION),
    "not an option, out of range": (N | FIVE | of("1", "5") | span(1, 2), "3", OPTION),
    "a string": (S, "c", ""),
    "equal options": (S | twice("c"), "c", UNIQUE),
    "a string over a default": (S | default("e"), "c", ""),
    "a string over a wrong default": (S | default("e") | regex("[a-c]"), "c", ""),
    "the wrong default": (S | default("e") | regex("[a-c]"), "e", REGEX),
    "a string among options": (S | default("a") | ABC | regex("[a-c]"), "c", ""),
    "a string outside options": (S | default("a") | of("a", "b"), "c", OPTION),
    "a string outside options and range": (S | of("a", "b") | regex("[a-b]"), "c", OPTION),
    "a string in a range of numbers": (S | ABC | span(1, 10), "c", "a min cannot be specified"),
    "a list": (L, '["c"]', ""),
    "no list": (L, "c", NOT_A_LIST),
    "a list over a default": (L | default('["e"]'), '["c"]', ""),
    "a list with a regex": (L | regex("[a-c]"), '["c"]', "a regex cannot be specified"),
    "a list among options": (L | of('["c"]', '["d"]'), '["c"]', ""),
    "a list outside options": (L | of('["d"]', '["e"]'), '["c"]', OPTION),
    "a list in other words than its option": (L | of('["a","b"]'), '["a", "b"]', OPTION),
    "chosen": (MULTI | default('["a"]') | ABC, '["c"]', ""),
    "nothing chosen": (MULTI | ABC, "[]", ""),
    "no list chosen": (MULTI | ABC, "c", "must be a json encoded list of strings"),
    "chosen outside options": (MULTI | ABC, '["z"]', OPTION),
    "chosen, with a regex": (MULTI | ABC | regex("[a-c]"), '["c"]', "a regex cannot be specified"),
    "too deep to be a list": (L, "[" * 200_000, NOT_A_LIST),
}


def judge(
    config: dict[str, Any], given: str | None, previous: str | None, value: str | None, problem: str
) -> None:
    answer = ask(config, given, previous)
    said = " ".join(answer.errors + answer.details)
    if problem:
        assert problem in said
        return
    assert answer.errors == []
    assert answer.value["value"] == value
    assert answer.value["optional"] is ("default" in config)


@pytest.mark.parametrize(("config", "value", "problem"), NOTHING_GIVEN.values(), ids=NOTHING_GIVEN)
def test_nothing_given(config: dict[str, Any], value: str | None, problem: str) -> None:
    judge(config, None, None, value, problem)


@pytest.mark.parametrize(("config", "value", "problem"), DEFAULT_ONLY.values(), ids=DEFAULT_ONLY)
def test_only_a_default(config: dict[str, Any], value: str | None, problem: str) -> None:
    judge(config, None, None, value, problem)


@pytest.mark.parametrize(
    ("rule", "previous", "problem"), DEFAULT_AND_PREVIOUS.values(), ids=DEFAULT_AND_PREVIOUS
)
@pytest.mark.parametrize("given", [None, "5"])
def test_after_a_previous_value(
    rule: dict[str, Any], previous: str, problem: str, given: str | None
) -> None:
    judge(N | FIVE | rule, given, previous, "5", problem)


@pytest.mark.parametrize(("config", "given", "problem"), GIVEN.values(), ids=GIVEN)
def test_a_value_given(config: dict[str, Any], given: str, problem: str) -> None:
    judge(config, given, None, given, problem)


def test_every_option_of_a_wrong_type_is_named() -> None:
    answer = ask(N | of("1", "a", "b"), "1")
    assert answer.errors == [
        'Option "a" with value="a" is not of type "number"',
        'Option "b" with value="b" is not of type "number"',
    ]


@pytest.mark.parametrize(
    ("config", "given", "said"),
    [
        (S | ABC | default("z"), None, "Default value must be a valid option"),
        (S | ABC, "z", "Value must be a valid option"),
        (MULTI | ABC | default('["z"]'), None, "Default values must be a valid option"),
        (MULTI | ABC, '["z"]', "Values must be a valid option"),
        (N | FIVE | span(6), None, "Invalid parameter default value according to 'validation'"),
        (N | span(6), "5", "Invalid parameter value according to 'validation' block"),
    ],
)
def test_a_default_is_called_one(config: dict[str, Any], given: str | None, said: str) -> None:
    answer = ask(config, given)
    assert answer.errors[0].startswith(said)
    assert answer.found[0].path == (() if given else ("default",))
