"""``coder_parameter``: which form goes with which type, options or not."""

from typing import Any

import pytest

from tests.server.terraform.provider.test_parameter import ask, options


@pytest.mark.parametrize(
    ("kind", "choices", "form"),
    [
        ("string", True, "radio"),
        ("string", False, "input"),
        ("number", True, "radio"),
        ("number", False, "input"),
        ("bool", True, "radio"),
        ("bool", False, "checkbox"),
        ("list(string)", True, "radio"),
        ("list(string)", False, "tag-select"),
    ],
)
def test_form_type_follows_from_type_and_options(kind: str, choices: bool, form: str) -> None:
    values = {"string": "a", "number": "1", "bool": "true", "list(string)": '["a"]'}
    value = values[kind]
    config = {"type": kind, "default": value, "option": options(value) if choices else []}
    assert ask(config).value["form_type"] == form


@pytest.mark.parametrize(
    ("config", "detail"),
    [
        (
            {"type": "string", "form_type": "slider"},
            (
                '"form_type" attribute="slider" is not supported for "type"="string", '
                "choose one of [input textarea]"
            ),
        ),
        (
            {"type": "list(string)", "form_type": "multi-select"},
            (
                '"form_type" attribute="multi-select" is not supported for "type"="list(string)"'
                " when options do not exist, choose one of [tag-select]"
            ),
        ),
        (
            {"type": "string", "form_type": "input", "option": options("a")},
            (
                '"form_type" attribute="input" is not supported for "type"="string"'
                " when options exist, choose one of [radio dropdown]"
            ),
        ),
        (
            {"type": "string", "form_type": "error"},
            (
                '"form_type" attribute="error" is not supported for "type"="string", '
                "choose one of [input textarea]"
            ),
        ),
    ],
)
def test_form_type_that_does_not_fit(config: dict[str, Any], detail: str) -> None:
    answer = ask(config, "a")
    assert answer.errors == ["Invalid form_type for parameter"]
    assert answer.details == [detail]


def test_form_type_that_does_not_exist() -> None:
    assert ask({"form_type": "knob"}).errors == [
        (
            'expected form_type to be one of ["radio" "slider" "input" "dropdown" "checkbox" '
            '"switch" "multi-select" "tag-select" "textarea" "error"], got knob'
        )
    ]


def test_type_that_does_not_exist() -> None:
    assert ask({"type": "float"}).errors == [
        'expected type to be one of ["string" "number" "bool" "list(string)"], got float'
    ]


ALLOWED = {
    ("string", True): ("radio", "dropdown"),
    ("string", False): ("input", "textarea"),
    ("number", True): ("radio", "dropdown"),
    ("number", False): ("input", "slider"),
    ("bool", True): ("radio", "dropdown"),
    ("bool", False): ("checkbox", "switch"),
    ("list(string)", True): ("radio", "multi-select"),
    ("list(string)", False): ("tag-select",),
}
FORMS = (
    *("radio", "slider", "input", "dropdown", "checkbox", "switch", "multi-select", "tag-select"),
    *("textarea", "error"),
)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(("kind", "choices"), ALLOWED)
def test_every_form_with_every_type(kind: str, choices: bool, form: str) -> None:
    value = {"string": "a", "number": "1", "bool": "true", "list(string)": '["a"]'}[kind]
    option = options("a" if form == "multi-select" else value) if choices else []
    answer = ask({"type": kind, "form_type": form, "default": value, "option": option})
    if form in ALLOWED[kind, choices]:
        assert answer.errors == []
        assert answer.value["form_type"] == form
        return
    assert answer.errors == ["Invalid form_type for parameter"]
    assert answer.found[0].path == ("form_type",)
    other = form in ALLOWED[kind, not choices]
    assert (" when options" in answer.details[0]) is other
    assert answer.details[0].endswith(f"choose one of [{' '.join(ALLOWED[kind, choices])}]")
