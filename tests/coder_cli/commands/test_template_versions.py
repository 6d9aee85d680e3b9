"""Templates: versions archived and shown again, and their presets."""

import json

from coder_cli.sdk.templates import Preset, PresetParameter
from tests.coder_cli import shapes
from tests.coder_cli.conftest import Cli
from tests.coder_cli.deployment import Call, Deployment, Refuse

ARCHIVE = f"POST /templates/{shapes.uid(10)}/versions/archive"


def test_archive_takes_failed_versions_or_all_unused_ones(cli: Cli, deployment: Deployment) -> None:
    versions = [shapes.version("one", 21), shapes.version("two", 22)]
    deployment.on("GET /templates/*/versions", versions)
    archived = {"template_id": shapes.uid(10), "archived_ids": [shapes.uid(22)]}
    deployment.on(ARCHIVE, archived)
    ran = cli("templates", "archive", "local", "-y")
    assert ran.out == "Archived 1 version of template local.\n  two\n"
    assert cli("templates", "archive", "local", "--all", answers="y\n").code == 0
    assert [call.json for call in deployment.called(ARCHIVE)] == [{"all": False}, {"all": True}]


def test_archive_asks_which_and_whether(cli: Cli, deployment: Deployment) -> None:
    deployment.on("GET /templates/*/versions", [])
    deployment.on(ARCHIVE, {"template_id": shapes.uid(10), "archived_ids": []})
    refused = cli("templates", "archive", answers="1\nn\n")
    assert (refused.code, "the failed versions of these templates: local?" in refused.err) == (
        1,
        True,
    )
    assert "Archived 0 versions" in cli("templates", "archive", answers="local\ny\n").out
    assert "pass its name" in cli("templates", "archive").err


def test_versions_are_archived_and_shown_again(cli: Cli, deployment: Deployment) -> None:
    path = "GET /organizations/*/templates/local/versions"
    deployment.on(f"{path}/one", shapes.version("one", 21))
    deployment.on(f"{path}/two", shapes.version("two", 22, archived=True))
    deployment.on("POST /templateversions/*/archive", {"message": "ok"})
    deployment.on("POST /templateversions/*/unarchive", {"message": "ok"})
    ran = cli("templates", "versions", "archive", "local", "one", "two", "-y")
    assert ran.out == "Archived version one of template local.\n"
    assert "Version two is archived already." in ran.err
    ran = cli("templates", "versions", "unarchive", "local", "one", "two", "-y")
    assert ran.out == "Unarchived version two of template local.\n"
    assert len(deployment.called(f"POST /templateversions/{shapes.uid(22)}/unarchive")) == 1


def test_a_version_in_use_is_named(cli: Cli, deployment: Deployment) -> None:
    def used(_: Call) -> object:
        raise Refuse(400, "The template version is in use.")

    deployment.on("GET /organizations/*/templates/local/versions/one", shapes.version("one", 21))
    deployment.on("POST /templateversions/*/archive", used)
    ran = cli("templates", "versions", "archive", "local", "one", "-y")
    assert (ran.code, "Version one: The template version is in use." in ran.err) == (1, True)


def test_archived_versions_are_listed_with_their_mark(cli: Cli, deployment: Deployment) -> None:
    deployment.on("GET /templates/*/versions", [shapes.version("one", 21, archived=True)])
    assert "ARCHIVED" not in cli("templates", "versions", "list", "local").out
    shown = cli("templates", "versions", "list", "local", "--include-archived").out
    assert shown.splitlines()[0].endswith("ARCHIVED")
    assert "Archived" in shown


def presets() -> list[Preset]:
    big = [PresetParameter(Name="size", Value="9"), PresetParameter(Name="zone", Value="a")]
    return [
        Preset(
            ID=shapes.uid(70), Name="big", Parameters=big, Default=True, DesiredPrebuildInstances=2
        ),
        Preset(ID=shapes.uid(71), Name="small"),
    ]


def test_presets_as_a_table_and_as_json(cli: Cli, deployment: Deployment) -> None:
    deployment.on(f"GET /templateversions/{shapes.uid(20)}/presets", presets())
    table = cli("templates", "presets", "list", "local").out.splitlines()
    assert table == [
        "NAME   PARAMETERS      DEFAULT  DESIRED PREBUILD INSTANCES",
        "big    size=9, zone=a  true     2",
        "small                  false    -",
    ]
    rows = json.loads(cli("templates", "presets", "list", "local", "-o", "json").out)
    assert rows[0]["Parameters"][0] == {"Name": "size", "Value": "9"}
    assert rows[0]["DesiredPrebuildInstances"] == 2


def test_a_version_without_presets_says_so(cli: Cli, deployment: Deployment) -> None:
    deployment.on("GET /templateversions/*/presets", [])
    deployment.on("GET /organizations/*/templates/local/versions/one", shapes.version("one", 21))
    ran = cli("templates", "presets", "list", "local", "--template-version", "one")
    assert (ran.code, ran.out) == (0, "")
    assert "Version one of template local has no presets." in ran.err
    assert cli("templates", "presets", "list", "local", "-o", "json").out == "[]\n"
