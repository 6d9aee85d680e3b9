"""Templates: their settings by ``edit``, and the old ``create``."""

from pathlib import Path
from typing import Any

import pytest

from coder_cli.commands.templates.editing import WEEK
from tests.coder_cli import shapes
from tests.coder_cli.conftest import Cli
from tests.coder_cli.deployment import Call, Deployment, Refuse

TEMPLATE = f"PATCH /templates/{shapes.uid(10)}"

EDITS: dict[str, dict[str, Any]] = {
    "--name=other": {"name": "other"},
    "--display-name=": {"display_name": ""},
    "--description=What it is": {"description": "What it is"},
    "--icon=/x.png": {"icon": "/x.png"},
    "--deprecated=Use another": {"deprecation_message": "Use another"},
    "--deprecated=": {"deprecation_message": ""},
    "--default-ttl=1h30m": {"default_ttl_ms": 5_400_000},
    "--activity-bump=0": {"activity_bump_ms": 0},
    "--autostop-reminder=10m": {"time_til_autostop_notify_ms": 600_000},
    "--failure-ttl=7d": {"failure_ttl_ms": 604_800_000},
    "--dormancy-threshold=0h": {"time_til_dormant_ms": 0},
    "--dormancy-auto-deletion=1s": {"time_til_dormant_autodelete_ms": 1000},
    "--agents-allowed=false": {"agents_allowed": False},
    "--agents-allowed": {"agents_allowed": True},
    "--allow-user-cancel-workspace-jobs=false": {"allow_user_cancel_workspace_jobs": False},
    "--allow-user-autostart=false": {"allow_user_autostart": False},
    "--no-allow-user-autostop": {"allow_user_autostop": False},
    "--require-active-version=true": {"require_active_version": True},
    "--private": {"disable_everyone_group_access": True},
    "--private=false": {"disable_everyone_group_access": False},
    "--autostart-requirement-weekdays=all": {"autostart_requirement": {"days_of_week": [*WEEK]}},
    "--autostart-requirement-weekdays=fri,Monday": {
        "autostart_requirement": {"days_of_week": ["monday", "friday"]}
    },
    "--autostop-requirement-weekdays=none": {
        "autostop_requirement": {"days_of_week": [], "weeks": 2}
    },
    "--autostop-requirement-weekdays=sunday": {
        "autostop_requirement": {"days_of_week": ["sunday"], "weeks": 2}
    },
    "--autostop-requirement-weeks=4": {
        "autostop_requirement": {"days_of_week": ["saturday"], "weeks": 4}
    },
}


@pytest.mark.parametrize("flag", EDITS)
def test_edit_sends_what_was_given_and_nothing_else(
    cli: Cli, deployment: Deployment, flag: str
) -> None:
    stops = {"days_of_week": ["saturday"], "weeks": 2}
    deployment.on("GET /templates", [shapes.template(autostop_requirement=stops)])
    deployment.on(TEMPLATE, shapes.template())
    ran = cli("templates", "edit", "local", flag, "-y")
    assert ran.code == 0, ran.err
    (patch,) = deployment.called(TEMPLATE)
    sent = {key: value for key, value in patch.json.items() if not key.startswith("update_")}
    assert sent == EDITS[flag]
    assert "Updated template" in ran.out


@pytest.mark.parametrize(
    ("flags", "complaint"),
    [
        ([], "Say what to change"),
        (["--default-ttl=soon"], "--default-ttl: 'soon' is not a duration"),
        (["--default-ttl=-1h"], "--default-ttl: '-1h' must not be negative"),
        (["--autostart-requirement-weekdays=someday"], "'someday' is not a weekday"),
        (["--autostart-requirement-weekdays=all,monday"], "cannot be combined"),
        (["--autostop-requirement-weekdays=t"], "'t' is not a weekday"),
        (["--autostop-requirement-weeks=0"], "must be at least 1"),
        (["--name=no spaces"], "--name: "),
        (["--name="], "--name: a template needs a name"),
        (["--display-name= padded"], "--display-name: "),
        ([f"--description={'x' * 128}"], "--description: "),
    ],
)
def test_edit_refuses_by_the_flags_name(
    cli: Cli, deployment: Deployment, flags: list[str], complaint: str
) -> None:
    ran = cli("templates", "edit", "local", *flags)
    assert (ran.code, complaint in ran.err) == (1, True), ran.err
    assert not deployment.called(TEMPLATE)


def test_edit_of_what_is_so_already(cli: Cli, deployment: Deployment) -> None:
    def same(_: Call) -> object:
        raise Refuse(304, "")

    deployment.on(TEMPLATE, same)
    ran = cli("templates", "edit", "local", "--icon=")
    assert (ran.code, "nothing was changed" in ran.out) == (0, True)


def test_create_makes_a_template_with_settings_and_says_that_it_is_old(
    cli: Cli, deployment: Deployment, tmp_path: Path
) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "main.tf").write_text("terraform {}")
    deployment.on("POST /files", {"hash": shapes.uid(40)})
    deployment.on("POST /organizations/*/templateversions", shapes.version("v1", 21))
    deployment.on(f"GET /templateversions/{shapes.uid(21)}", shapes.version("v1", 21))
    deployment.on("POST /organizations/*/templates", shapes.template("mine"))
    ran = cli(
        *("templates", "create", "-d", str(tmp_path / "mine"), "-y", "--private"),
        *("--failure-ttl", "1h", "--dormancy-threshold=2h", "--dormancy-auto-deletion=3h"),
        "--require-active-version",
    )
    assert ran.code == 0, ran.err
    assert "deprecated" in ran.err
    (made,) = deployment.called(f"POST /organizations/{shapes.uid(1)}/templates")
    expected = {
        "name": "mine",
        "default_ttl_ms": 86_400_000,
        "failure_ttl_ms": 3_600_000,
        "dormant_ttl_ms": 7_200_000,
        "delete_ttl_ms": 10_800_000,
        "disable_everyone_group_access": True,
        "require_active_version": True,
    }
    assert {key: made.json[key] for key in expected} == expected


def test_create_does_not_touch_what_exists(cli: Cli, deployment: Deployment) -> None:
    ran = cli("templates", "create", "local", "-y")
    assert (ran.code, "There is a template 'local' already" in ran.err) == (1, True)
    assert not deployment.called("POST /files")
