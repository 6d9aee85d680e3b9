"""Parameters that follow the answers: asked in order, evaluated again, sent only if they exist."""

from collections.abc import Mapping
from typing import Any

import pytest

from coder_cli.commands.live_parameters import resolve_live
from coder_cli.commands.parameters import Situation, Wanted
from coder_cli.kit.refused import Refused
from coder_cli.sdk.forms import DynamicParametersResponse
from tests.coder_cli.conftest import Cli
from tests.coder_cli.deployment import Call, Deployment

ALONE = Situation(ask=False)


def parameter(name: str, value: str | None = None, **more: Any) -> dict[str, Any]:
    """Return a parameter as the server shows it."""
    shown = {"value": value or "", "valid": value is not None}
    return {"name": name, "value": shown, "default_value": shown, **more}


class Template:
    """A template whose ``model`` exists only with a GPU, and only some models do."""

    def __init__(self) -> None:
        self.asked: list[dict[str, str]] = []

    def form(self, inputs: Mapping[str, str]) -> dict[str, Any]:
        self.asked.append(dict(inputs))
        gpu = inputs.get("gpu", "false")
        found = [parameter("gpu", gpu, type="bool", mutable=True)]
        if gpu == "true":
            model = inputs.get("model")
            wrong = [{"severity": "error", "summary": "No", "detail": f"no {model}"}]
            bad = model not in (None, "s", "l")
            found.append(parameter("model", model, required=True, diagnostics=wrong * bad))
        return {"id": 0, "parameters": found}

    def __call__(self, inputs: Mapping[str, str]) -> DynamicParametersResponse:
        return DynamicParametersResponse.model_validate(self.form(inputs))


def values(template: Template, wants: Wanted, situation: Situation = ALONE) -> dict[str, str]:
    return {one.name: one.value for one in resolve_live(template, wants, situation)}


def test_one_look_is_enough_where_everything_is_known() -> None:
    template = Template()
    given = Wanted(values={"gpu": "true", "model": "l"})
    assert values(template, given) == {"gpu": "true", "model": "l"}
    assert template.asked == [{"gpu": "true", "model": "l"}]


def test_a_parameter_that_appears_is_required_by_the_name_of_its_flag() -> None:
    with pytest.raises(Refused, match="pass --parameter model=<value>"):
        values(Template(), Wanted(values={"gpu": "true"}))


def test_all_that_is_missing_is_said_at_once() -> None:
    def form(inputs: Mapping[str, str]) -> DynamicParametersResponse:
        asked = [parameter("a", required=True), parameter("b", required=True)]
        return DynamicParametersResponse.model_validate({"id": 0, "parameters": asked})

    with pytest.raises(Refused, match="Parameters a, b need values: pass --parameter a=<value> "):
        resolve_live(form, Wanted(), ALONE)


def test_a_default_of_the_command_line_makes_others_appear() -> None:
    wants = Wanted(defaults={"gpu": "true", "model": "s"})
    assert values(Template(), wants) == {"gpu": "true", "model": "s"}


def test_a_value_for_what_does_not_exist_is_refused_unless_it_was_borrowed() -> None:
    with pytest.raises(Refused, match=r"no parameter 'model'\. It has: gpu"):
        values(Template(), Wanted(values={"model": "l"}))
    borrowed = Wanted(values={"model": "l"}, borrowed=frozenset({"model"}))
    assert values(Template(), borrowed) == {"gpu": "false"}


def test_what_the_server_does_not_take_is_refused_in_its_words() -> None:
    with pytest.raises(Refused, match="Parameter 'model': No: no xl"):
        values(Template(), Wanted(values={"gpu": "true", "model": "xl"}))


def test_a_form_that_cannot_be_evaluated_says_why() -> None:
    def form(inputs: Mapping[str, str]) -> DynamicParametersResponse:
        note = {"severity": "error", "summary": "Invalid index", "detail": "no mars"}
        return DynamicParametersResponse.model_validate({"id": 0, "diagnostics": [note]})

    with pytest.raises(Refused, match="Invalid index: no mars"):
        resolve_live(form, Wanted(), ALONE)


def test_values_of_the_last_build_are_left_to_the_server() -> None:
    again = Situation(previous={"gpu": "true", "model": "l"}, first=False, ask=False)
    template = Template()
    assert values(template, Wanted(), again) == {}
    assert template.asked == [{"gpu": "true", "model": "l"}]


def test_what_was_said_for_one_build_does_not_count_for_the_next() -> None:
    asked: list[dict[str, str]] = []

    def form(inputs: Mapping[str, str]) -> DynamicParametersResponse:
        asked.append(dict(inputs))
        one = parameter("debug", inputs.get("debug", "no"), ephemeral=True, mutable=True)
        return DynamicParametersResponse.model_validate({"id": 0, "parameters": [one]})

    again = Situation(previous={"debug": "yes"}, first=False, ask=False)
    assert resolve_live(form, Wanted(), again) == []
    assert asked == [{"debug": "yes"}, {}]


def test_a_person_is_asked_for_what_their_answers_call_up(cli: Cli, deployment: Deployment) -> None:
    template = Template()

    def answer(call: Call) -> object:
        return template.form(call.json["inputs"])

    deployment.on("POST /templateversions/*/dynamic-parameters/evaluate", answer)
    ran = cli("create", "fresh", "-t", "local", answers="true\nxl\nl\nno\n")
    assert "no xl" in ran.err
    assert "Create workspace 'fresh'?" in ran.err
    assert template.asked == [
        {},
        {"gpu": "true"},
        {"gpu": "true", "model": "xl"},
        {"gpu": "true", "model": "l"},
    ]


def test_values_that_exist_reach_the_server(cli: Cli, deployment: Deployment) -> None:
    template = Template()
    deployment.on(
        "POST /templateversions/*/dynamic-parameters/evaluate",
        lambda call: template.form(call.json["inputs"]),
    )
    cli("create", "fresh", "-t", "local", "--parameter", "gpu=true", "--parameter", "model=l", "-y")
    (made,) = deployment.called("POST /users/me/workspaces")
    assert made.json["rich_parameter_values"] == [
        {"name": "gpu", "value": "true"},
        {"name": "model", "value": "l"},
    ]
