"""Parameter values: who wins, what fits, when somebody is asked."""

from pathlib import Path
from typing import Any

import pytest

from coder_cli.commands.parameters import Situation, Wanted, complaint, resolve, wanted
from coder_cli.kit.refused import Refused
from coder_cli.sdk.templates import ParameterType, TemplateVersionParameter
from tests.coder_cli.conftest import Cli
from tests.coder_cli.deployment import Deployment

ALONE = Situation(ask=False)


def parameter(name: str = "size", **more: object) -> TemplateVersionParameter:
    """Return a parameter of a template."""
    return TemplateVersionParameter.model_validate({"name": name, **more})


def _option(name: str, value: str) -> dict[str, str]:
    return {"name": name, "value": value}


def values(
    parameters: list[TemplateVersionParameter], wants: Wanted, situation: Situation = ALONE
) -> dict[str, str]:
    """Resolve, as a mapping."""
    return {one.name: one.value for one in resolve(parameters, wants, situation)}


def test_flags_beat_the_file_beats_defaults(tmp_path: Path) -> None:
    file = tmp_path / "values.yaml"
    file.write_text("size: from-file\nregion: from-file\nlist: [a, b]\nflag: true\nn: 3\nempty:\n")
    wants = wanted(["size=from=flag"], ["region=no", "zone=offered"], [], str(file))
    assert wants.values["size"] == "from=flag"
    assert wants.values["region"] == "from-file"
    assert wants.values["list"] == '["a", "b"]'
    assert (wants.values["flag"], wants.values["n"], wants.values["empty"]) == ("true", "3", "")
    zone = [parameter("zone", default_value="template")]
    assert values(zone, Wanted(defaults={"zone": "offered"})) == {"zone": "offered"}


def test_the_environment_is_a_comma_list(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CODER_RICH_PARAMETER", 'a=1,"b=2,3"')
    assert wanted([], [], [], "").values == {"a": "1", "b": "2,3"}
    assert wanted(["c=4"], [], [], "").values == {"c": "4"}


@pytest.mark.parametrize("given", ["nothing", "=value"])
def test_what_is_no_pair_is_refused(given: str) -> None:
    with pytest.raises(Refused, match="write --parameter name=value"):
        wanted([given], [], [], "")


def test_files_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    (tmp_path / "list").write_text("- a")
    (tmp_path / "broken").write_text("a: [")
    for name, words in (("list", "mapping"), ("broken", "not YAML"), ("gone", "Cannot read")):
        with pytest.raises(Refused, match=words):
            wanted([], [], [], str(tmp_path / name))


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(Refused, match=r"no parameter 'siez'. It has: size"):
        values([parameter()], Wanted(values={"siez": "1"}))


def test_alone_defaults_are_taken_and_missing_ones_refused() -> None:
    assert values([parameter(default_value="2")], Wanted()) == {"size": "2"}
    with pytest.raises(Refused, match="pass --parameter size=<value>"):
        values([parameter(required=True)], Wanted())


def test_known_values_are_left_to_the_server() -> None:
    again = Situation(previous={"size": "2"}, first=False, ask=False)
    assert values([parameter(mutable=True, default_value="1")], Wanted(), again) == {}
    changed = Wanted(values={"size": "3"})
    assert values([parameter(mutable=True)], changed, again) == {"size": "3"}


def test_an_immutable_parameter_stays() -> None:
    again = Situation(previous={"size": "2"}, first=False, ask=False)
    with pytest.raises(Refused, match="cannot change after the first build"):
        values([parameter()], Wanted(values={"size": "3"}), again)
    assert values([parameter()], Wanted(values={"size": "2"}), again) == {"size": "2"}


def test_an_ephemeral_parameter_is_for_one_build() -> None:
    one = parameter("debug", ephemeral=True, mutable=True, default_value="false")
    assert values([one], Wanted()) == {}
    again = Situation(previous={"debug": "x"}, first=False, ask=False)
    assert values([one], Wanted(ephemeral={"debug": "true"}), again) == {"debug": "true"}


def test_what_is_said_for_one_build_is_not_kept_for_all() -> None:
    again = Situation(previous={"size": "2"}, first=False, ask=False)
    with pytest.raises(Refused, match=r"'size' is not ephemeral.*--parameter size=<value>"):
        values([parameter(mutable=True)], Wanted(ephemeral={"size": "3"}), again)


@pytest.mark.parametrize(
    ("more", "value", "problem"),
    [
        ({"required": True}, "", "a value is required"),
        ({"type": "bool"}, "yes", "must be true or false"),
        ({"type": "bool"}, "true", None),
        ({"type": "number"}, "many", "must be a number"),
        ({"type": "number", "validation_min": 1, "validation_max": 8}, "0", "must be at least 1"),
        ({"type": "number", "validation_min": 1, "validation_max": 8}, "9", "must be at most 8"),
        ({"type": "number", "validation_min": 1, "validation_max": 8}, "8", None),
        ({"type": "number", "validation_monotonic": "increasing"}, "3", "must not be less than"),
        ({"type": "number", "validation_monotonic": "decreasing"}, "5", "must not be greater"),
        ({"type": "number", "validation_monotonic": "increasing"}, "4", None),
        ({"validation_regex": "^[a-z]+$"}, "ABC", r"must match ^[a-z]+$"),
        ({"validation_regex": "^[a-z]+$"}, "abc", None),
        ({"validation_regex": "(?P<broken"}, "abc", None),
        ({"options": [{"name": "A", "value": "a"}]}, "b", "must be one of a"),
        ({"options": [{"name": "A", "value": "a"}]}, "a", None),
        ({"type": "list(string)"}, "a,b", "must be a JSON list"),
        ({"type": "list(string)"}, '["a", 1]', "must be a JSON list"),
        ({"type": "list(string)", "options": [{"name": "A", "value": "a"}]}, '["b"]', "'b' is not"),
        ({"type": "list(string)", "options": [{"name": "A", "value": "a"}]}, '["a"]', None),
    ],
)
def test_what_fits(more: dict[str, Any], value: str, problem: str | None) -> None:
    found = complaint(parameter(**more), value, previous="4")
    assert found is None if problem is None else found is not None and problem in found


def test_the_template_may_say_it_in_its_own_words() -> None:
    one = parameter(
        type=ParameterType.NUMBER, validation_max=8, validation_error="{value} > {max}, sorry"
    )
    assert complaint(one, "9") == "9 > 8, sorry"


def test_a_person_is_asked_until_it_fits(cli: Cli, deployment: Deployment) -> None:
    deployment.on(
        "GET /templateversions/*/rich-parameters",
        [
            parameter("cpus", type="number", validation_min=1, default_value="2"),
            parameter("region", options=[_option("Europe", "eu"), _option("Asia", "as")]),
        ],
    )
    ran = cli("create", "fresh", "-t", "local", answers="none\n4\n9\n2\nno\n")
    assert "must be a number" in ran.err
    assert "2. Asia" in ran.err
    assert "type a number from 1 to 2" in ran.err
    assert "Create workspace 'fresh'?" in ran.err
    assert ran.code == 1
    assert not deployment.called("POST /users/me/workspaces")


def test_values_reach_the_server(cli: Cli, deployment: Deployment) -> None:
    deployment.on("GET /templateversions/*/rich-parameters", [parameter(default_value="1")])
    cli("create", "fresh", "-t", "local", "--parameter", "size=7", "--yes")
    (call,) = deployment.called("POST /users/me/workspaces")
    assert call.json["rich_parameter_values"] == [{"name": "size", "value": "7"}]
    assert call.json["name"] == "fresh"
