"""Verbs of workspaces: what each asks of the server, and what it says."""

import json
from pathlib import Path
from typing import Any

import pytest

from coder_cli.commands.following import why_it_waits
from coder_cli.sdk.agents import WorkspaceApp
from coder_cli.sdk.builds import Transition, WorkspaceStatus
from coder_cli.sdk.jobs import JobStatus, MatchedProvisioners
from coder_cli.sdk.workspaces import WorkspaceACL, WorkspaceGroup, WorkspaceRole, WorkspaceUser
from tests.coder_cli import shapes
from tests.coder_cli.conftest import Cli
from tests.coder_cli.deployment import Call, Deployment

DEV = shapes.uid(80)


def lives(deployment: Deployment, **more: Any) -> None:
    """Have the workspace ``dev`` be as ``more`` says."""
    deployment.on("GET /users/me/workspace/dev", shapes.workspace(**more))
    deployment.on(f"GET /workspaces/{DEV}", shapes.workspace(**more))


def sent(deployment: Deployment, call: str) -> Any:
    """Return the body of the one request of that kind."""
    (only,) = deployment.called(call)
    return only.json


def builds(deployment: Deployment, *, number: int = 2, **more: Any) -> None:
    """Let every build that is asked for end at once."""
    ended = shapes.build(number=number, **more)
    deployment.on("POST /workspaces/*/builds", ended)
    deployment.on(f"GET /workspacebuilds/{ended.id}", ended)
    deployment.streams[f"/workspacebuilds/{ended.id}/logs"] = [[]]


def starting(deployment: Deployment) -> None:
    """Have ``dev`` be started just now, until it is cancelled."""
    running = shapes.job(JobStatus.RUNNING)
    begun = shapes.build(Transition.START, WorkspaceStatus.STARTING, 1, job=running)
    ended = shapes.build(
        Transition.START, WorkspaceStatus.CANCELED, 1, job=shapes.job(JobStatus.CANCELED)
    )
    canceled: list[bool] = []

    def cancel(_: Call) -> object:
        canceled.append(True)
        return {"message": "Job has been marked as canceled..."}

    lives(deployment, latest_build=begun)
    deployment.on(f"PATCH /workspacebuilds/{begun.id}/cancel", cancel)
    deployment.on(f"GET /workspacebuilds/{begun.id}", lambda _: ended if canceled else begun)
    deployment.streams[f"/workspacebuilds/{begun.id}/logs"] = [[]]


def test_a_start_time_is_sent_as_cron_and_told_in_its_zone(
    cli: Cli, deployment: Deployment
) -> None:
    deployment.on(f"PUT /workspaces/{DEV}/autostart", {})
    lives(deployment, autostart_schedule="CRON_TZ=Europe/Berlin 30 9 * * Mon-Fri")
    ran = cli("schedule", "start", "dev", "9:30am", "Mon-Fri", "Europe/Berlin")
    assert ran.code == 0, ran.err
    assert sent(deployment, f"PUT /workspaces/{DEV}/autostart") == {
        "schedule": "CRON_TZ=Europe/Berlin 30 9 * * Mon-Fri"
    }
    assert ran.err.count(" 09:30 CE") == 3
    assert "9:30AM Mon-Fri (Europe/Berlin)" in ran.out


def test_manual_clears_start_and_stop(cli: Cli, deployment: Deployment) -> None:
    deployment.on(f"PUT /workspaces/{DEV}/autostart", {})
    deployment.on(f"PUT /workspaces/{DEV}/ttl", {})
    lives(deployment)
    assert cli("schedule", "start", "dev", "manual").code == 0
    assert cli("schedule", "stop", "dev", "manual").code == 0
    assert sent(deployment, f"PUT /workspaces/{DEV}/autostart") == {}
    assert sent(deployment, f"PUT /workspaces/{DEV}/ttl") == {}


def test_a_lifetime_is_sent_in_milliseconds(cli: Cli, deployment: Deployment) -> None:
    deployment.on(f"PUT /workspaces/{DEV}/ttl", {})
    lives(deployment, ttl_ms=5_400_000)
    ran = cli("schedule", "stop", "dev", "1h30m", "-c", "stops after")
    assert sent(deployment, f"PUT /workspaces/{DEV}/ttl") == {"ttl_ms": 5_400_000}
    assert ran.out == "STOPS AFTER\n1h30m\n"
    assert "next start" in ran.err


def test_a_stop_is_put_off_from_now(cli: Cli, deployment: Deployment) -> None:
    deployment.on(f"PUT /workspaces/{DEV}/extend", {"message": "ok"})
    lives(deployment)
    assert cli("schedule", "extend", "dev", "3h").code == 0
    assert cli("schedule", "override-stop", "dev", "3h").code == 0
    first, second = deployment.called(f"PUT /workspaces/{DEV}/extend")
    assert set(first.json) == set(second.json) == {"deadline"}
    assert "is not a duration" in cli("schedule", "extend", "dev", "soon").err


def test_schedules_of_all_are_listed_as_json_too(cli: Cli, deployment: Deployment) -> None:
    ran = cli("schedule", "show", "-a", "-o", "json")
    assert [one["name"] for one in json.loads(ran.out)] == ["dev"]
    assert deployment.called("GET /workspaces")[-1].query == {}


def acl(*people: tuple[str, str]) -> WorkspaceACL:
    """Return who a workspace is shared with, and everybody."""
    return WorkspaceACL(
        users=[
            WorkspaceUser(id=shapes.uid(200 + number), username=name, role=WorkspaceRole(role))
            for number, (name, role) in enumerate(people)
        ],
        groups=[
            WorkspaceGroup(
                id=shapes.ORGANIZATION.id,
                name="Everyone",
                organization_id=shapes.ORGANIZATION.id,
                role=WorkspaceRole.USE,
            )
        ],
    )


def test_sharing_names_people_and_removes_them_by_id(cli: Cli, deployment: Deployment) -> None:
    path = f"/workspaces/{DEV}/acl"
    deployment.on(f"GET {path}", acl(("bob", "use")))
    deployment.on(f"PATCH {path}", {})
    ran = cli(
        "sharing", "add", "dev", "--user", "eve", "--user", "kim:admin", "--group", "everyone"
    )
    assert ran.out == "USER  GROUP     ROLE\nbob   -         use\n-     Everyone  use\n"
    cli("sharing", "remove", "dev", "--user", "bob")
    added, removed = (call.json for call in deployment.called(f"PATCH {path}"))
    assert added == {
        "user_roles": {"eve": "use", "kim": "admin"}, "group_roles": {"everyone": "use"},
    }  # fmt: skip
    assert removed == {"user_roles": {str(shapes.uid(200)): ""}, "group_roles": {}}


def test_sharing_with_nobody_or_with_an_odd_role_is_refused(cli: Cli) -> None:
    assert "With whom?" in cli("sharing", "add", "dev").err
    assert "neither <name>" in cli("sharing", "add", "dev", "--user", "bob:king").err


def test_builds_are_listed(cli: Cli, deployment: Deployment) -> None:
    deployment.on(f"GET /workspaces/{DEV}/builds", [shapes.build(number=2), shapes.build()])
    ran = cli("builds", "list", "dev", "-c", "number,transition,status,version", "--limit", "5")
    assert ran.out.splitlines() == [
        "NUMBER  TRANSITION  STATUS     VERSION",
        "2       start       succeeded  first",
        "1       start       succeeded  first",
    ]
    assert deployment.called(f"GET /workspaces/{DEV}/builds")[0].query == {"limit": "5"}


def test_a_build_is_cancelled_and_its_end_is_told(cli: Cli, deployment: Deployment) -> None:
    starting(deployment)
    assert cli("builds", "cancel", "dev", "--yes").out == "Build 1 of workspace dev: canceled.\n"
    lives(deployment)
    assert "there is nothing to cancel" in cli("builds", "cancel", "dev").out


def test_a_delete_cancels_what_is_on_its_way(cli: Cli, deployment: Deployment) -> None:
    starting(deployment)
    builds(deployment, transition=Transition.DELETE, status=WorkspaceStatus.DELETED)
    ran = cli("delete", "dev", "--yes")
    assert ran.code == 0, ran.err
    assert "That is canceled first" in ran.err
    assert sent(deployment, f"POST /workspaces/{DEV}/builds")["transition"] == "delete"


def test_other_verbs_say_how_to_watch_and_to_cancel(cli: Cli, deployment: Deployment) -> None:
    starting(deployment)
    ran = cli("stop", "dev", "--yes")
    assert ran.code == 1
    assert "coder logs --follow alice/dev" in ran.err
    assert "coder builds cancel alice/dev" in ran.err


def test_leaving_a_followed_log_cancels_nothing(
    cli: Cli, deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    def leave(*_: object) -> None:
        raise KeyboardInterrupt

    starting(deployment)
    monkeypatch.setattr("coder_cli.commands.following.Watch._round", leave)
    assert cli("logs", "dev", "--follow").code == 130
    assert not [call for call in deployment.calls if call.method == "PATCH"]


@pytest.mark.parametrize(
    ("matched", "words"),
    [
        (None, ""),
        (MatchedProvisioners(count=2, available=1), ""),
        (MatchedProvisioners(), "takes jobs with these tags: scope=organization zone=eu."),
        (
            MatchedProvisioners(count=2, most_recently_seen=shapes.WHEN),
            "could take it is running (last seen: 2026-11-21T12:00:00Z).",
        ),
    ],
)
def test_why_a_build_waits(matched: MatchedProvisioners | None, words: str) -> None:
    tags = {"scope": "organization", "owner": "", "zone": "eu"}
    build = shapes.build(job=shapes.job(JobStatus.PENDING, tags=tags), matched_provisioners=matched)
    why = why_it_waits(build)
    assert words in why
    assert bool(words) == bool(why)


def test_a_state_is_pushed_with_a_build_or_without(
    cli: Cli, deployment: Deployment, tmp_path: Path
) -> None:
    (tmp_path / "state").write_text('{"version": 4}')
    (tmp_path / "broken").write_text("{")
    builds(deployment)
    deployment.on("PUT /workspacebuilds/*/state", {})
    assert cli("state", "push", "dev", "state").code == 0
    body = sent(deployment, f"POST /workspaces/{DEV}/builds")
    assert (body["transition"], body["state"]) == ("start", "eyJ2ZXJzaW9uIjogNH0=")
    assert body["template_version_id"] == str(shapes.uid(20))
    ran = cli("state", "push", "dev", "state", "--no-build")
    assert "nothing was built" in ran.out
    assert len(deployment.called(f"POST /workspaces/{DEV}/builds")) == 1
    assert "is no Terraform state" in cli("state", "push", "dev", "broken").err
    assert "Cannot read gone" in cli("state", "push", "dev", "gone").err
    assert "has builds 1 to 1; there is no 9." in cli("state", "pull", "dev", "-b", "9").err


def test_a_state_is_for_its_owner_even_in_a_file_that_was_for_all(
    cli: Cli, deployment: Deployment, tmp_path: Path
) -> None:
    (tmp_path / "old").write_text("something longer than the state")
    (tmp_path / "old").chmod(0o644)
    builds(deployment)
    deployment.on("GET /workspacebuilds/*/state", {"version": 4})
    for name in ("old", "new"):
        assert cli("state", "pull", "dev", name).code == 0
        assert (tmp_path / name).stat().st_mode & 0o777 == 0o600
        assert json.loads((tmp_path / name).read_text()) == {"version": 4}


def test_autoupdate_is_always_or_never(cli: Cli, deployment: Deployment) -> None:
    deployment.on(f"PUT /workspaces/{DEV}/autoupdates", {})
    assert cli("autoupdate", "dev", "always", "--yes").code == 0
    assert sent(deployment, f"PUT /workspaces/{DEV}/autoupdates") == {"automatic_updates": "always"}
    assert "neither always nor never" in cli("autoupdate", "dev", "often", "--yes").err


def outside(deployment: Deployment) -> None:
    """Have ``dev`` be a workspace on a machine of alice's own."""
    build = shapes.build(has_external_agent=True)
    resource = build.resources[0].model_copy(update={"type": "coder_external_agent"})
    lives(deployment, latest_build=build.model_copy(update={"resources": [resource]}))
    deployment.on(
        f"GET /workspaces/{DEV}/external-agent/main/credentials",
        {"command": "curl … | sh", "agent_token": "secret"},
    )


def test_how_a_machine_of_ones_own_is_attached(cli: Cli, deployment: Deployment) -> None:
    outside(deployment)
    ran = cli("external-workspaces", "agent-instructions", "dev")
    assert ran.out == (
        "Please run the following command to attach external agent to the workspace dev:\n"
        "\n  curl … | sh\n\n"
    )
    ran = cli("external-workspaces", "agent-instructions", "dev.main", "-o", "json")
    assert json.loads(ran.out) == {
        "workspace_name": "dev",
        "agent_name": "main",
        "auth_type": "token",
        "auth_token": "secret",
        "init_script": "curl … | sh",
    }
    ran = cli("external-workspaces", "agent-instructions", "dev.other")
    assert "There is: main." in ran.err


def test_external_workspaces_are_of_templates_that_have_external_agents(
    cli: Cli, deployment: Deployment
) -> None:
    cli("external-workspaces", "list")
    assert deployment.called("GET /workspaces")[0].query == {
        "q": "owner:me has_external_agent:true"
    }
    ran = cli("external-workspaces", "create", "lab", "-t", "local", "--yes")
    assert "has no external agents" in ran.err
    assert not deployment.called("POST /users/me/workspaces")
    assert "has no external agent" in cli("external-workspaces", "agent-instructions", "dev").err


def test_a_link_for_the_editor_is_shown_where_nobody_sees_a_screen(
    cli: Cli, deployment: Deployment
) -> None:
    deployment.on("POST /users/me/keys", {"key": "abc-def"})
    ran = cli("open", "vscode", "dev", "/src")
    assert ran.out.startswith("vscode://coder.coder-remote/open?owner=alice&workspace=dev&")
    assert "folder=%2Fsrc" in ran.out
    assert "token" not in ran.out
    assert "&token=abc-def" in cli("open", "vscode", "dev", "--generate-token").out


def test_an_app_is_opened_by_its_slug(cli: Cli, deployment: Deployment) -> None:
    build = shapes.build()
    apps = [
        WorkspaceApp(id=shapes.uid(90), slug="code", url="http://localhost:8080"),
        WorkspaceApp(id=shapes.uid(91), slug="wiki", url="https://wiki.test", external=True),
        WorkspaceApp(id=shapes.uid(92), slug="top", command="top"),
    ]
    agent = shapes.agent().model_copy(update={"apps": apps})
    resource = build.resources[0].model_copy(update={"agents": [agent]})
    lives(deployment, latest_build=build.model_copy(update={"resources": [resource]}))
    assert cli("open", "app", "dev", "code").out == f"{deployment.url}/@alice/dev.main/apps/code/\n"
    assert cli("open", "app", "dev", "wiki").out == "https://wiki.test\n"
    assert "has: code, wiki." in cli("open", "app", "dev").err
    stopped = shapes.build(Transition.STOP, WorkspaceStatus.STOPPED)
    lives(deployment, latest_build=stopped)
    assert "coder start dev" in cli("open", "app", "dev", "code").err


def presets(deployment: Deployment) -> None:
    """Let the template offer two presets, one by default; creating ends at once."""
    small = {"ID": shapes.uid(300), "Name": "small", "Parameters": [{"Name": "n", "Value": "1"}]}
    big = {"ID": shapes.uid(301), "Name": "big", "Parameters": [{"Name": "n", "Value": "9"}]}
    offered = [small, {**big, "Default": True}]
    deployment.on("GET /templateversions/*/presets", offered)
    deployment.on("GET /templateversions/*/rich-parameters", [{"name": "n", "default_value": "5"}])
    ended = shapes.build(number=2)
    deployment.on("POST /users/me/workspaces", shapes.workspace("fresh", latest_build=ended))
    deployment.on(f"GET /workspacebuilds/{ended.id}", ended)
    deployment.streams[f"/workspacebuilds/{ended.id}/logs"] = [[]]


@pytest.mark.parametrize(
    ("flags", "value", "preset"),
    [
        ([], "9", shapes.uid(301)),
        (["--preset", "small"], "1", shapes.uid(300)),
        (["--preset", "none"], "5", None),
        (["--preset", "small", "--parameter", "n=1"], "1", shapes.uid(300)),
        (["--preset", "small", "--parameter", "n=7"], "7", None),
    ],
)
def test_presets_give_values_and_give_way_to_what_is_said(
    cli: Cli, deployment: Deployment, flags: list[str], value: str, preset: object
) -> None:
    presets(deployment)
    ran = cli("create", "fresh", "-t", "local", "--yes", *flags)
    assert ran.code == 0, ran.err
    body = sent(deployment, "POST /users/me/workspaces")
    assert body["rich_parameter_values"] == [{"name": "n", "value": value}]
    assert body.get("template_version_preset_id") == (str(preset) if preset else None)
    assert ("differs from the preset" in ran.err) == ("n=7" in flags)


def test_an_unknown_preset_names_those_there_are(cli: Cli, deployment: Deployment) -> None:
    presets(deployment)
    ran = cli("create", "fresh", "-t", "local", "--yes", "--preset", "huge")
    assert "Choose from: small, big, none." in ran.err


def test_a_person_chooses_a_preset_and_sees_the_plan(cli: Cli, deployment: Deployment) -> None:
    presets(deployment)
    ran = cli("create", "fresh", "-t", "local", answers="small\nyes\n")
    assert ran.code == 0, ran.err
    assert "Preset small:\n  n = 1\n" in ran.err
    assert "The workspace will have:\n  local_process.home\n    agent main" in ran.err
    planned = sent(deployment, f"POST /templateversions/{shapes.uid(20)}/dry-run")
    assert planned["rich_parameter_values"] == [{"name": "n", "value": "1"}]


def test_what_cannot_be_planned_is_not_created(cli: Cli, deployment: Deployment) -> None:
    presets(deployment)
    failed = shapes.job(JobStatus.FAILED, error="main.tf:3: no such zone")
    deployment.on("GET /templateversions/*/dry-run/*", failed)
    ran = cli("create", "fresh", "-t", "local", "--preset", "small", answers="yes\n")
    assert "The workspace cannot be planned: main.tf:3: no such zone" in ran.err
    assert not deployment.called("POST /users/me/workspaces")


def test_create_for_somebody_who_is_not_there_says_so(cli: Cli) -> None:
    ran = cli("create", "nobody/fresh", "-t", "local", "--yes")
    assert ran.code == 1
    assert "There is no user 'nobody', or you may not create workspaces for them" in ran.err


def test_a_workspace_without_agents_is_not_said_to_have_a_shell(
    cli: Cli, deployment: Deployment
) -> None:
    lives(deployment, latest_build=shapes.build(Transition.STOP, WorkspaceStatus.STOPPED, 1))
    builds(deployment, resources=[])
    ran = cli("start", "dev", "--yes")
    assert ran.code == 0, ran.err
    assert "coder ssh" not in ran.err
    assert "It has no agent to open a shell with" in ran.err
