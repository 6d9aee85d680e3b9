"""From a form to the values of a build: who wins, what is forgotten, what is refused."""

import pytest

from server.templates import BadParameters, Values
from server.templates.model import answers
from server.terraform import Form, FormNote, FormParameter, Parameter
from tests.support.forms import shown


def refusals(form: Form, values: Values, before: Form | None = None) -> dict[str, str]:
    with pytest.raises(BadParameters) as refused:
        answers.settle(form, values, before or Form())
    return {one.field: one.detail for one in refused.value.fields}


def test_last_build_loses_to_the_request_which_loses_to_the_preset() -> None:
    values = Values(
        previous={"a": "1", "b": "1", "c": "1"}, given={"b": "2", "c": "2"}, preset={"c": "3"}
    )
    assert answers.inputs(values, ()) == {"a": "1", "b": "2", "c": "3"}


def test_ephemeral_values_of_the_last_build_are_forgotten() -> None:
    form = Form((shown("debug", {}, "no", ephemeral=True),))
    values = Values(previous={"debug": "yes"})
    assert answers.stale(form, values) == {"debug"}
    assert answers.inputs(values, {"debug"}) == {}
    assert answers.stale(form, Values(previous={"debug": "yes"}, given={"debug": "on"})) == set()


def test_defaults_are_kept_and_what_does_not_exist_is_dropped() -> None:
    form = Form((shown("size", {}, "2"),))
    assert answers.settle(form, Values(given={"gone": "x"}), Form()) == {"size": "2"}


def test_what_only_a_build_can_tell_is_left_to_it() -> None:
    form = Form((FormParameter(Parameter("image"), known=False),))
    assert answers.settle(form, Values(), Form()) == {}


def test_a_missing_value_is_named() -> None:
    assert refusals(Form((shown("size", {}),)), Values()) == {
        "size": 'Required parameter not provided: Parameter "size" has no value.'
    }


def test_every_bad_parameter_is_named() -> None:
    wrong = FormNote("error", "Value must be a valid option", "no")
    warned = FormNote("warning", "old", "")
    form = Form(
        (
            FormParameter(Parameter("a"), "x", notes=(warned, wrong)),
            FormParameter(Parameter("b"), "y", notes=(warned,)),
            shown("c", {}),
        )
    )
    assert set(refusals(form, Values())) == {"a", "c"}


def test_an_immutable_parameter_stays_as_it_was() -> None:
    again = Values(previous={"size": "1"}, given={"size": "2"}, first_build=False)
    form, before = Form((shown("size", {"size": "2"}),)), Form((shown("size", {"size": "1"}),))
    assert refusals(form, again, before) == {
        "size": 'Immutable parameter changed: Parameter "size" is not mutable, '
        "so it can't be updated after creating a workspace."
    }
    same = Values(previous={"size": "2"}, given={"size": "2"}, first_build=False)
    assert answers.settle(form, same, before) == {"size": "2"}


def test_a_new_immutable_parameter_may_be_set_on_an_update() -> None:
    again = Values(previous={"size": "1"}, given={"size": "2"}, first_build=False)
    form = Form((shown("size", {"size": "2"}),))
    assert answers.settle(form, again, Form()) == {"size": "2"}


def test_a_form_that_failed_builds_nothing() -> None:
    form = Form((shown("a", {}, "1"),), notes=(FormNote("error", "Invalid index", "no mars"),))
    with pytest.raises(BadParameters) as refused:
        answers.settle(form, Values(), Form())
    assert refused.value.detail == "Invalid index: no mars"


def test_a_stored_form_judges_values_too() -> None:
    asked = [Parameter("n", type="number", default_value="1"), Parameter("r", required=True)]
    form = answers.stored_form(asked, {"n": "many"})
    assert [(one.value, one.known, len(one.errors)) for one in form.parameters] == [
        ("many", True, 1),
        ("", False, 1),
    ]
