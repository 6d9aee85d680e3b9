"""The provider as terraform calls it: bytes in, bytes out."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.terraform.provider import messages as m
from server.terraform.provider.catalog import DATA_SOURCES, RESOURCES
from server.terraform.provider.protobuf import decode, encode
from server.terraform.provider.service import Connection, Session, Unimplemented
from server.terraform.provider.values import UNKNOWN, Object, pack, unpack

NOTHING: dict[str, str] = {}


def provider(env: dict[str, str] = NOTHING) -> Connection:
    return Session(env).connect()


def plan(kind: str, prior: Object | None, proposed: Object, connection: Connection) -> Object:
    body = RESOURCES[kind].body
    full = body.from_state(proposed)
    request = {"type_name": kind, "prior_state": pack(prior), "proposed_new_state": pack(full)}
    answer = connection.handle(
        "/tfplugin6.Provider/PlanResourceChange",
        encode(m.PLAN_REQUEST, request | {"config": pack(full)}),
    )
    return decode(m.PLAN_RESPONSE, answer)


def apply(kind: str, planned: Object, connection: Connection) -> Object:
    request = {"type_name": kind, "prior_state": pack(None), "planned_state": planned}
    answer = connection.handle(
        "/tfplugin6.Provider/ApplyResourceChange", encode(m.APPLY_REQUEST, request)
    )
    return decode(m.APPLY_RESPONSE, answer)


def replaced(response: Object) -> set[str]:
    return {path["steps"][0]["attribute_name"] for path in response.get("requires_replace", [])}


def test_schema_has_every_type() -> None:
    answer = provider().handle("/tfplugin6.Provider/GetProviderSchema", b"")
    assert len(answer) > 4000
    names = decode(
        m.GET_METADATA_RESPONSE, provider().handle("/tfplugin6.Provider/GetMetadata", b"")
    )
    assert {n["type_name"] for n in names["resources"]} == set(RESOURCES)
    assert {n["type_name"] for n in names["data_sources"]} == set(DATA_SOURCES)
    assert len(RESOURCES) == len(DATA_SOURCES) == 9


@pytest.mark.parametrize("method", ["/tfplugin6.Provider/Dance", "/other.Service/Stop"])
def test_unknown_methods(method: str) -> None:
    with pytest.raises(Unimplemented):
        provider().handle(method, b"")


def test_a_resource_is_made_stays_and_is_replaced_when_something_changes() -> None:
    config: Object = {"agent_id": "a", "name": "FOO", "value": "1"}
    first = plan("coder_env", None, config, provider())
    made = apply("coder_env", first["planned_state"], provider())
    state: Object = unpack(made["new_state"])
    assert state["merge_strategy"] == "replace"
    same = plan("coder_env", state, state | {"merge_strategy": None}, provider())
    assert replaced(same) == set()
    other = plan("coder_env", state, state | {"value": "2"}, provider())
    assert replaced(other) == {"value"}


def test_a_state_of_the_published_provider_stays_as_it_is() -> None:
    """It does not tell null from the zero value, nor do its states, above all inside of blocks."""
    config: Object = {
        "resource_id": "r",
        "item": [{"key": "a"}, {"key": "b", "value": "x"}],
    }
    made = apply(
        "coder_metadata",
        plan("coder_metadata", None, config, provider())["planned_state"],
        provider(),
    )
    ours: Object = unpack(made["new_state"])
    items = [
        {"is_null": True, "key": "a", "sensitive": False, "value": ""},
        {"is_null": False, "key": "b", "sensitive": None, "value": "x"},
    ]
    theirs = ours | {"daily_cost": 0, "hide": False, "icon": "", "item": items}
    config["id"] = ours["id"]
    again = plan("coder_metadata", theirs, config, provider())
    assert replaced(again) == set()
    assert unpack(again["planned_state"]) == theirs
    items[1]["value"] = "y"
    assert replaced(plan("coder_metadata", theirs, config, provider())) == {"item"}


def test_the_order_of_a_set_does_not_matter() -> None:
    volumes: list[Object] = [
        {"path": "/a", "enabled": True, "threshold": 1},
        {"path": "/b", "enabled": True, "threshold": 1},
    ]
    config: Object = {
        "os": "linux",
        "arch": "amd64",
        "resources_monitoring": [{"memory": [], "volume": volumes}],
    }
    planned = plan("coder_agent", None, config, provider())["planned_state"]
    state: Object = unpack(apply("coder_agent", planned, provider())["new_state"])
    assert replaced(plan("coder_agent", state, state, provider())) == set()
    other: Object = unpack(pack(state))
    # Terraform orders neither the elements nor the names within one.
    other["resources_monitoring"][0]["volume"] = [dict(sorted(v.items())) for v in volumes[::-1]]
    assert replaced(plan("coder_agent", state, other, provider())) == set()
    other["resources_monitoring"][0]["volume"][0]["threshold"] = 2
    assert replaced(plan("coder_agent", state, other, provider())) == {"resources_monitoring"}


def test_unknown_values_force_a_replacement_and_are_settled_by_the_apply() -> None:
    config: Object = {"agent_id": UNKNOWN, "name": "FOO", "value": "1"}
    first = plan("coder_env", None, config, provider())
    planned: Object = unpack(first["planned_state"])
    assert planned["agent_id"] is UNKNOWN
    assert planned["id"] is UNKNOWN
    known = pack(planned | {"agent_id": "a"})
    assert unpack(apply("coder_env", known, provider())["new_state"])["id"]


def test_a_refused_create_leaves_nothing_behind() -> None:
    config: Object = {"agent_id": "a", "display_name": "x", "script": "x"}
    planned = plan("coder_script", None, config, provider())["planned_state"]
    made = apply("coder_script", planned, provider())
    assert unpack(made["new_state"]) is None
    assert made["diagnostics"][0]["severity"] == 1


def test_reading_an_agent_renews_its_token() -> None:
    planned = plan("coder_agent", None, {"os": "linux", "arch": "amd64"}, provider())
    state: Object = unpack(apply("coder_agent", planned["planned_state"], provider())["new_state"])
    answer = provider().handle(
        "/tfplugin6.Provider/ReadResource",
        encode(m.READ_REQUEST, {"type_name": "coder_agent", "current_state": pack(state)}),
    )
    again: Object = unpack(decode(m.READ_RESPONSE, answer)["new_state"])
    assert again["token"] != state["token"]
    assert again["id"] == state["id"]


def test_an_old_state_takes_todays_shape() -> None:
    answer = provider().handle(
        "/tfplugin6.Provider/UpgradeResourceState",
        encode(
            m.UPGRADE_REQUEST,
            {
                "type_name": "coder_env",
                "raw_state": {"json": b'{"id":"1","agent_id":"a","name":"A","gone":1}'},
            },
        ),
    )
    value: Object = unpack(decode(m.UPGRADE_RESPONSE, answer)["upgraded_state"])
    assert value == {
        "id": "1",
        "agent_id": "a",
        "name": "A",
        "value": None,
        "merge_strategy": None,
    }


def test_the_url_belongs_to_one_connection() -> None:
    session = Session({"CODER_AGENT_URL": "http://env"})
    one, other = session.connect(), session.connect()
    one.handle(
        "/tfplugin6.Provider/ConfigureProvider",
        encode(m.CONFIGURE_REQUEST, {"config": pack({"url": "http://alias"})}),
    )
    assert (one.url, other.url) == ("http://alias", "http://env")


def test_an_empty_url_is_refused() -> None:
    answer = provider().handle(
        "/tfplugin6.Provider/ValidateProviderConfig",
        encode(m.VALIDATE_PROVIDER_REQUEST, {"config": pack({"url": ""})}),
    )
    found = decode(m.VALIDATE_PROVIDER_RESPONSE, answer)["diagnostics"]
    assert found[0]["summary"] == 'CODER_AGENT_URL must not be empty; got ""'


def test_an_unknown_value_is_not_judged() -> None:
    request = {
        "type_name": "coder_parameter",
        "config": pack({"name": "p", "type": UNKNOWN, "option": UNKNOWN, "validation": []}),
    }
    answer = provider().handle(
        "/tfplugin6.Provider/ValidateDataResourceConfig", encode(m.VALIDATE_REQUEST, request)
    )
    assert decode(m.VALIDATE_RESPONSE, answer) == {}


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text() | st.just(UNKNOWN),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@settings(deadline=None)
@given(VALUES)
def test_values_survive_the_way(value: Any) -> None:
    assert unpack(pack(value)) == value


@settings(deadline=None)
@given(st.integers(-(2**63), 2**63 - 1), st.text(), st.lists(st.text(min_size=1)), st.binary())
def test_messages_survive_the_way(number: int, text: str, names: list[str], raw: bytes) -> None:
    path = {"steps": [{"attribute_name": name} for name in names]}
    message = {"severity": number, "summary": text, "attribute": path}
    back = decode(m.DIAGNOSTIC, encode(m.DIAGNOSTIC, message))
    assert back.get("severity", 0) == number
    assert back.get("summary", "") == text
    assert back["attribute"].get("steps", []) == path["steps"]
    assert decode(m.RAW_STATE, encode(m.RAW_STATE, {"json": raw})).get("json", b"") == raw


@pytest.mark.parametrize(
    "broken", [b"\x0a\xff", b"\x0b", b"\x12\x7f\x00", b"\xff" * 11, b"\x80" * 10_000_000, b"\x08"]
)
def test_a_broken_message_is_an_error(broken: bytes) -> None:
    with pytest.raises(ValueError, match=r"message ends|wire type|a number of more"):
        decode(m.DIAGNOSTIC, broken)
