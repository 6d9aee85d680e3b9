"""What commands print, whole: exit code, stdout, stderr."""

import pytest
from syrupy.assertion import SnapshotAssertion

from coder_cli.sdk.builds import Transition, WorkspaceStatus
from coder_cli.sdk.jobs import JobStatus, LogSource, ProvisionerJobLog
from coder_cli.sdk.words import LogLevel
from tests.coder_cli import shapes
from tests.coder_cli.conftest import Cli
from tests.coder_cli.deployment import Deployment, Refuse

SIMPLE = [
    "whoami",
    "whoami -o table",
    "whoami -o json",
    "list",
    "list -c workspace,status",
    "list -c nonsense",
    "list -o xml",
    "show dev",
    "show dev --details",
    "show nobody/nothing",
    "show a/b/c",
    "start dev",
    "stop dev",
    "templates list",
    "templates delete local",
    "templates edit local",
    "templates edit local --default-ttl soon",
    "templates edit nothing --icon x",
    "templates archive local",
    "templates versions archive local gone -y",
    "templates presets list local --template-version gone",
    "templates push -d -",
    "templates pull local --tar --zip",
    "users list",
    "users show alice",
    "users show ghost",
    "organizations show",
    "organizations show me --only-id",
    "rename dev fresh",
    "schedule show",
    "autoupdate dev often",
    "open app dev",
    "open vscode dev src",
    "external-workspaces agent-instructions dev",
    "sharing add dev",
    "builds cancel dev",
    "logout",
    "nonsense",
    "lst",
    "users nonsense",
    "start",
    "list --nonsense",
    "--nonsense list",
]


@pytest.mark.parametrize("line", SIMPLE, ids=lambda line: line.replace("/", "+"))
def test_output(line: str, cli: Cli, golden: SnapshotAssertion) -> None:
    assert str(cli(*line.split())) == golden


def logs(*lines: tuple[str, str]) -> list[ProvisionerJobLog]:
    """Return log lines of stages and outputs."""
    return [
        ProvisionerJobLog(
            id=number,
            created_at=shapes.WHEN,
            log_source=LogSource.PROVISIONER,
            log_level=LogLevel.INFO,
            stage=stage,
            output=output,
        )
        for number, (stage, output) in enumerate(lines, 1)
    ]


def building(deployment: Deployment, transition: Transition, ended: object) -> None:
    """Let a build of ``dev`` begin, log two stages and end as ``ended``."""
    begun = shapes.build(
        transition,
        WorkspaceStatus.PENDING,
        2,
        job=shapes.job(JobStatus.PENDING, queue_position=2, queue_size=3),
    )
    states = [begun, ended]
    deployment.on("POST /workspaces/*/builds", begun)
    deployment.on(
        f"GET /workspacebuilds/{begun.id}",
        lambda _: states.pop(0) if len(states) > 1 else states[0],
    )
    deployment.streams[f"/workspacebuilds/{begun.id}/logs"] = [
        [*logs(("Setting up", ""), ("Applying", "local_process.home: Creating..."))]
    ]


def test_stop_shows_queue_stages_and_what_comes_next(
    cli: Cli, deployment: Deployment, golden: SnapshotAssertion
) -> None:
    building(deployment, Transition.STOP, shapes.build(Transition.STOP, WorkspaceStatus.STOPPED, 2))
    assert str(cli("stop", "dev", "--yes")) == golden


def test_a_failed_build_says_why(
    cli: Cli, deployment: Deployment, golden: SnapshotAssertion
) -> None:
    failed = shapes.job(JobStatus.FAILED, error="terraform apply: exit status 1")
    building(
        deployment,
        Transition.STOP,
        shapes.build(Transition.STOP, WorkspaceStatus.FAILED, 2, job=failed),
    )
    assert str(cli("stop", "dev", "--yes")) == golden


def test_create(cli: Cli, deployment: Deployment, golden: SnapshotAssertion) -> None:
    building(deployment, Transition.START, shapes.build(number=2))
    begun = shapes.build(number=2)
    deployment.on("POST /users/me/workspaces", shapes.workspace("fresh", latest_build=begun))
    assert str(cli("create", "fresh", "--template", "local", "--yes")) == golden


def test_validations_are_one_line_each(
    cli: Cli, deployment: Deployment, golden: SnapshotAssertion
) -> None:
    def refuse(_: object) -> object:
        taken = {"field": "name", "detail": "This value is already in use and should be unique."}
        raise Refuse(409, "Workspace 'fresh' already exists.", detail="d", validations=[taken])

    deployment.on("POST /users/me/workspaces", refuse)
    ran = cli("create", "fresh", "--template", "local", "--yes")
    assert str(ran) == golden


def test_an_expired_session_points_to_login(
    cli: Cli, deployment: Deployment, golden: SnapshotAssertion
) -> None:
    def refuse(_: object) -> object:
        raise Refuse(401, "You are signed out or your session has expired. Please sign in again.")

    deployment.on("GET /workspaces", refuse)
    assert str(cli("list")) == golden


def test_another_version_is_a_warning(
    cli: Cli, deployment: Deployment, golden: SnapshotAssertion
) -> None:
    deployment.version = "v9.9.9"
    assert str(cli("whoami")) == golden
    assert cli("whoami", "--no-version-warning").err == ""


def test_nobody_is_logged_in(typed: Cli, golden: SnapshotAssertion) -> None:
    assert str(typed("list")) == golden


def test_no_server_there(typed: Cli, golden: SnapshotAssertion) -> None:
    ran = typed("list", "--url", "http://127.0.0.1:1", "--token", "x")
    assert str(ran) == golden
