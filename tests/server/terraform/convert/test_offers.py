"""From terraform's JSON to what a version asks for: parameters, presets, sign-ins, tags."""

from typing import Any

import pytest

from server.terraform.convert import Refused, offers
from tests.server.terraform.convert.test_resources import obj, state


def data(address: str, **values: Any) -> dict[str, Any]:
    return obj(address, mode="data", **values)


def test_offers_are_sorted_and_complete() -> None:
    found = offers(
        state(
            data("data.coder_parameter.z", name="z", type="string", optional=True, default="d"),
            data(
                "data.coder_parameter.a",
                name="a",
                type="number",
                validation=[{"min": 0, "min_disabled": False, "max": None, "max_disabled": True}],
            ),
            data("data.coder_parameter.first", name="first", type="bool", order=-1),
            data("data.coder_workspace_preset.p", name="p", parameters={"a": "1", "b": "2"}),
            data("data.coder_external_auth.g", id="github", optional=True),
            data("data.coder_external_auth.h", id="github", optional=False),
            data("data.coder_workspace_tags.t", tags={"os": "linux"}),
        )
    )
    assert [(p.name, p.required) for p in found.parameters] == [
        ("first", True),
        ("a", True),
        ("z", False),
    ]
    assert (found.parameters[1].validation_min, found.parameters[1].validation_max) == (0, None)
    assert [(e.id, e.optional) for e in found.external_auth] == [("github", False)]
    assert found.workspace_tags == {"os": "linux"}
    assert found.warnings == ('preset "p" sets the parameter "b", which does not exist',)


@pytest.mark.parametrize(
    ("objects", "message"),
    [
        (
            [
                data("data.coder_parameter.a", name="x"),
                data("data.coder_parameter.b", name="x"),
            ],
            'coder_parameter names must be unique but "x" appears multiple times',
        ),
        (
            [data(f"data.coder_workspace_preset.a{i}", name=n) for i, n in enumerate("xyxy")],
            'coder_workspace_preset names must be unique but "x" and "y" appear multiple times',
        ),
        (
            [data(f"data.coder_workspace_preset.{n}", name=n, default=True) for n in ("a", "b")],
            "a maximum of 1 coder_workspace_preset can be marked as default, but 2 are set",
        ),
    ],
)
def test_offers_refused(objects: list[dict[str, Any]], message: str) -> None:
    with pytest.raises(Refused) as refused:
        offers(state(*objects))
    assert str(refused.value) == message
