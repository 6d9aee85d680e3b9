"""A session that records: nothing fails, and what was asked is kept with what is wrong with it."""

from pathlib import Path
from typing import Any

import pytest

from server.terraform.provider import Recorder, Session
from server.terraform.provider import messages as m
from server.terraform.provider.agent import digest
from server.terraform.provider.catalog import DATA_SOURCES
from server.terraform.provider.protobuf import decode, encode
from server.terraform.provider.service import Connection
from server.terraform.provider.values import UNKNOWN, Object, pack, unpack
from tests.server.terraform.warm import terraform
from tests.server.terraform.world import HEADER, needs_terraform

SECRETLESS = {"CODER_WORKSPACE_BUILD_ID": "b", "CODER_WORKSPACE_TRANSITION": "start"}


def whole(kind: str, config: Object) -> Object:
    """Return a configuration as terraform sends it: every name present."""
    return DATA_SOURCES[kind].body.from_state(config)


def ask(connection: Connection, kind: str, config: Object) -> Object:
    """Validate and read a data source, as terraform does; return its state."""
    request = {"type_name": kind, "config": pack(whole(kind, config))}
    checked = connection.handle(
        "/tfplugin6.Provider/ValidateDataResourceConfig", encode(m.VALIDATE_REQUEST, request)
    )
    assert decode(m.VALIDATE_RESPONSE, checked) == {}
    answer = connection.handle(
        "/tfplugin6.Provider/ReadDataSource", encode(m.READ_DATA_REQUEST, request)
    )
    response = decode(m.READ_DATA_RESPONSE, answer)
    assert "diagnostics" not in response
    return unpack(response["state"])


def recording(env: dict[str, str]) -> tuple[Recorder, Connection]:
    recorder = Recorder()
    return recorder, Session(env, recorder).connect()


def given(**values: str) -> dict[str, str]:
    return {f"CODER_PARAMETER_{digest(name)}": value for name, value in values.items()}


def test_evaluations_are_in_the_order_of_the_calls() -> None:
    recorder, connection = recording({})
    ask(connection, "coder_parameter", {"name": "b"})
    ask(connection, "coder_workspace_preset", {"name": "big"})
    ask(connection, "coder_parameter", {"name": "a"})
    ask(connection, "coder_workspace_tags", {"tags": {"zone": "eu"}})
    assert [(e.kind, e.value.get("name")) for e in recorder.evaluations] == [
        ("coder_parameter", "b"),
        ("coder_workspace_preset", "big"),
        ("coder_parameter", "a"),
        ("coder_workspace_tags", None),
    ]


def test_a_refused_value_goes_on_and_its_fault_is_kept() -> None:
    recorder, connection = recording(given(size="99"))
    config = {"name": "size", "type": "number", "validation": [{"min": 1, "max": 10}]}
    assert ask(connection, "coder_parameter", config)["value"] == "99"
    (seen,) = recorder.evaluations
    assert seen.value["form_type"] == "input"
    assert seen.value["validation"][0]["max"] == 10
    assert [f.summary for f in seen.findings] == [
        "Invalid parameter value according to 'validation' block"
    ]


@pytest.mark.parametrize(
    ("config", "form"),
    [
        ({"type": "number", "form_type": "textarea"}, "error"),
        ({"type": "string", "form_type": "knob"}, "error"),
        ({"type": "float"}, "error"),
        ({"type": "string", "ephemeral": True}, "input"),
        ({"type": "string", "icon": "%zz"}, "input"),
        ({"type": "string", "validation": [{"regex": "a", "min": 1}]}, "input"),
    ],
)
def test_a_parameter_that_is_wrong_itself_is_evaluated(config: dict[str, Any], form: str) -> None:
    recorder, connection = recording({})
    state = ask(connection, "coder_parameter", {"name": "p", "default": "d", **config})
    assert (state["value"], state["form_type"]) == ("d", form)
    assert any(not finding.warning for finding in recorder.evaluations[0].findings)


def test_a_missing_secret_and_an_impossible_preset_stop_nothing() -> None:
    recorder, connection = recording(SECRETLESS)
    assert ask(connection, "coder_secret", {"env": "A", "help_message": "h"})["value"] == ""
    ask(connection, "coder_workspace_preset", {"name": "p", "prebuilds": [{"instances": -1}]})
    assert [len(seen.findings) for seen in recorder.evaluations] == [1, 1]


def test_what_is_not_known_when_it_is_validated_is_noted() -> None:
    recorder, connection = recording({})
    config = whole("coder_parameter", {"name": "p", "default": UNKNOWN})
    connection.handle(
        "/tfplugin6.Provider/ValidateDataResourceConfig",
        encode(m.VALIDATE_REQUEST, {"type_name": "coder_parameter", "config": pack(config)}),
    )
    ((kind, noted),) = recorder.validated
    assert (kind, noted["name"], noted["default"]) == ("coder_parameter", "p", None)
    assert recorder.evaluations == []


@needs_terraform
async def test_terraform_evaluates_what_depends_on_a_refused_value(tmp_path: Path) -> None:
    (tmp_path / "main.tf").write_text(
        HEADER
        + """
data "coder_parameter" "size" {
  name = "size"
  type = "number"
  validation {
    max = 4
  }
}
data "coder_parameter" "big" {
  count = data.coder_parameter.size.value > 8 ? 1 : 0
  name  = "big"
}
"""
    )
    recorder = Recorder()
    planned = await terraform(tmp_path, "plan", build=given(size="9"), recorder=recorder)
    assert planned.code == 0, planned.text
    assert [seen.value["name"] for seen in recorder.evaluations] == ["size", "big"]
