"""Which value a parameter gets, and the words of every refusal."""

import pytest

from coder_cli.kit.names import check_version_name
from server.templates import BadParameters, Values, check_value, resolve_parameters
from server.templates.model.names import generated_name
from server.terraform import Option, Parameter

SIZE = Parameter("size", "number", mutable=True, default_value="5")
REGION = Parameter("region", required=True)
ONCE = Parameter("once", mutable=True, ephemeral=True, default_value="no")


def refusals(values: Values, *parameters: Parameter) -> dict[str, str]:
    with pytest.raises(BadParameters) as refusal:
        resolve_parameters(parameters, values)
    assert refusal.value.message == "Unable to validate parameters"
    return {field.field: field.detail for field in refusal.value.fields}


def test_a_preset_wins_over_the_request_which_wins_over_the_last_build() -> None:
    sources = Values(
        previous={"size": "1", "gone": "x"},
        given={"size": "2"},
        preset={"size": "3", "unknown": "x"},
        first_build=False,
    )
    assert resolve_parameters([SIZE], sources) == {"size": "3"}
    assert resolve_parameters([SIZE], Values(sources.previous, sources.given)) == {"size": "2"}
    assert resolve_parameters([SIZE], Values(sources.previous)) == {"size": "1"}
    assert resolve_parameters([SIZE], Values()) == {"size": "5"}


def test_an_ephemeral_value_is_never_taken_from_the_last_build() -> None:
    before = Values(previous={"once": "yes"}, first_build=False)
    assert resolve_parameters([ONCE], before) == {"once": "no"}
    again = Values(previous={"once": "yes"}, given={"once": "yes"}, first_build=False)
    assert resolve_parameters([ONCE], again) == {"once": "yes"}


def test_an_immutable_value_cannot_change_after_the_first_build() -> None:
    changed = Values(previous={"region": "eu"}, given={"region": "us"}, first_build=False)
    assert refusals(changed, REGION) == {
        "region": 'Parameter "region" is not mutable, '
        "so it can't be updated after creating a workspace."
    }
    same = Values(previous={"region": "eu"}, given={"region": "eu"}, first_build=False)
    assert resolve_parameters([REGION], same) == {"region": "eu"}


def test_a_new_immutable_parameter_may_be_set_on_an_update() -> None:
    update = Values(previous={}, given={"region": "eu"}, first_build=False)
    assert resolve_parameters([REGION], update) == {"region": "eu"}


def test_every_missing_and_unknown_value_is_named() -> None:
    found = refusals(Values(given={"sise": "4"}), REGION, SIZE)
    assert found == {
        "sise": 'Parameter "sise" is not present in the template.',
        "region": 'Parameter "region" is required, and no value was given.',
    }


def options(kind: str, form: str, *values: str) -> Parameter:
    chosen = tuple(Option(value, value) for value in values)
    return Parameter("p", kind, form_type=form, options=chosen, required=True)


RANGE = Parameter("p", "number", validation_min=1, validation_max=10, required=True)


@pytest.mark.parametrize(
    ("parameter", "value", "previous", "complaint"),
    [
        (options("string", "radio", "a", "b"), "a", None, None),
        (
            options("string", "radio", "a"),
            "c",
            None,
            'the value "c" must be defined as one of options',
        ),
        (options("list(string)", "multi-select", "a", "b"), '["a","b"]', None, None),
        (
            options("list(string)", "multi-select", "a"),
            '["a","c"]',
            None,
            'Value "["a","c"]" is not a valid option, values "c" are missing from the options',
        ),
        (
            options("list(string)", "multi-select", "a"),
            "a",
            None,
            (
                "When using list(string) type, value must be a json encoded list of strings: "
                '"a" is not.'
            ),
        ),
        (Parameter("p", "list(string)"), "[1]", None, 'value "[1]" is not a valid list of strings'),
        (Parameter("p", "list(string)"), "null", None, None),
        (Parameter("p", "bool"), "true", None, None),
        (Parameter("p", "bool"), "maybe", None, '"maybe" is not a bool'),
        (Parameter("p", "number"), "1.5", None, None),
        (Parameter("p", "number"), "one", None, '"one" is not a number'),
        (Parameter("p", "number"), "", None, None),
        (RANGE, "5", None, None),
        (RANGE, "0", None, "value 0 is less than the minimum 1"),
        (RANGE, "11", None, "value 11 is more than the maximum 10"),
        (RANGE, "1.5", None, 'value "1.5" is not a number'),
        (RANGE, "", None, 'value "" is not a number'),
        (
            Parameter("p", "number", validation_monotonic="increasing"),
            "4",
            "5",
            "parameter value '4' must be equal or greater than previous value: 5",
        ),
        (
            Parameter("p", "number", validation_monotonic="decreasing"),
            "6",
            "5",
            "parameter value '6' must be equal or lower than previous value: 5",
        ),
        (Parameter("p", "number", validation_monotonic="increasing"), "4", "a", None),
        (
            Parameter("p", validation_regex="^[a-z]+$", validation_error="letters, not {value}"),
            "A1",
            None,
            'letters, not A1 (value "A1" does not match "^[a-z]+$")',
        ),
        (Parameter("p", validation_regex="b"), "abc", None, None),
    ],
)
def test_every_rule_of_values(
    parameter: Parameter, value: str, previous: str | None, complaint: str | None
) -> None:
    assert check_value(parameter, value, previous) == complaint


def test_the_authors_words_replace_ours() -> None:
    worded = Parameter(
        "p", "number", validation_min=1, validation_max=9, validation_error="{min} to {max}"
    )
    assert check_value(worded, "0") == "1 to 9"


def test_a_hostile_pattern_ends_in_time() -> None:
    bomb = Parameter("p", validation_regex="^(a+)+$", validation_error="no")
    assert check_value(bomb, "a" * 5000 + "b") is not None


def test_generated_names_can_name_versions() -> None:
    names = {generated_name() for _ in range(200)}
    assert all(check_version_name(name) is None for name in names)
    assert len(names) > 100
