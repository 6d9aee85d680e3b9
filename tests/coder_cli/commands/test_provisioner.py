"""coder provisioner: what is sent, what is said, and what is refused before anything starts."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from coder_cli.commands.provisioner.starting import told_tags
from coder_cli.sdk.jobs import (
    JobInput,
    JobStatus,
    JobType,
    ProvisionerDaemon,
    ProvisionerDaemonStatus,
    ProvisionerJob,
)
from coder_cli.sdk.provisioners import ProvisionerKey
from tests.coder_cli import shapes
from tests.coder_cli.conftest import Cli
from tests.coder_cli.deployment import Deployment, Refuse

ORG = f"/organizations/{shapes.ORGANIZATION.id}"
JOB = UUID(int=7)
VERSION = UUID(int=8)
BUILD = UUID(int=9)


@pytest.fixture(autouse=True)
def organization(deployment: Deployment) -> None:
    deployment.on("GET /users/me/organizations", [shapes.ORGANIZATION])
    deployment.on("GET /organizations/default", shapes.ORGANIZATION)


def daemon(name: str = "far") -> ProvisionerDaemon:
    return ProvisionerDaemon(
        id=UUID(int=1),
        organization_id=shapes.ORGANIZATION.id,
        created_at=shapes.WHEN,
        last_seen_at=datetime(2001, 1, 1, tzinfo=UTC),
        name=name,
        version="v1",
        api_version="1.6",
        tags={"scope": "organization", "owner": "", "gpu": "yes"},
        key_name="ci",
        status=ProvisionerDaemonStatus.IDLE,
    )


def job(type_: JobType, **input_: UUID) -> ProvisionerJob:
    return ProvisionerJob(
        id=JOB,
        created_at=shapes.WHEN,
        status=JobStatus.PENDING,
        queue_position=2,
        queue_size=5,
        organization_id=shapes.ORGANIZATION.id,
        input=JobInput.model_validate(input_),
        type=type_,
        tags={"scope": "organization", "owner": ""},
    )


def test_a_key_alone_is_printed_so_that_scripts_can_keep_it(
    cli: Cli, deployment: Deployment
) -> None:
    deployment.on(f"POST {ORG}/provisionerkeys", {"key": "secret"})
    ran = cli("provisioner", "keys", "create", "ci", "--tag", "gpu=yes,region=eu")
    assert ran.out == "secret\n"
    assert "will not be shown again" in ran.err
    (call,) = deployment.called(f"POST {ORG}/provisionerkeys")
    assert call.json == {"name": "ci", "tags": {"gpu": "yes", "region": "eu"}}


def test_a_tag_that_is_none_is_refused(cli: Cli) -> None:
    ran = cli("provisioner", "keys", "create", "ci", "--tag", "gpu")
    assert "'gpu' is not a tag; write --tag <key>=<value>." in ran.err


def test_keys_are_listed_and_deleted(cli: Cli, deployment: Deployment) -> None:
    key = ProvisionerKey(
        id=UUID(int=2), created_at=shapes.WHEN, organization=shapes.ORGANIZATION.id, name="ci"
    )
    deployment.on(f"GET {ORG}/provisionerkeys", [key])
    deployment.on(f"DELETE {ORG}/provisionerkeys/ci", b"")
    assert "untagged" in cli("provisioner", "keys", "list").out
    ran = cli("provisioner", "keys", "delete", "ci", "--yes")
    assert ran.out == "Successfully deleted provisioner key ci!\n"


def test_daemons_that_are_gone_are_left_out_unless_asked_for(
    cli: Cli, deployment: Deployment
) -> None:
    deployment.on(f"GET {ORG}/provisionerdaemons", [daemon()])
    out = cli("provisioner", "list").out
    assert "gpu=yes" in out
    cli("provisioner", "list", "--show-offline")
    cli("provisioner", "list", "--status", "busy", "-l", "3")
    queries = [call.query for call in deployment.called(f"GET {ORG}/provisionerdaemons")]
    assert [query.get("status") for query in queries] == ["idle,busy", None, "busy"]
    assert queries[2]["limit"] == "3"
    assert "far" not in cli("provisioner", "list", "--max-age", "1h").out


def test_jobs_show_their_place_in_the_queue(cli: Cli, deployment: Deployment) -> None:
    deployment.on(f"GET {ORG}/provisionerjobs", [job(JobType.WORKSPACE_BUILD)])
    ran = cli("provisioner", "jobs", "list", "-s", "pending", "-i", "me", "-c", "id,queue")
    assert "2/5" in ran.out
    (call,) = deployment.called(f"GET {ORG}/provisionerjobs")
    assert call.query == {"status": "pending", "initiator": "me", "limit": "50"}


@pytest.mark.parametrize(
    ("type_", "input_", "path"),
    [
        (
            JobType.TEMPLATE_VERSION_IMPORT,
            {"template_version_id": VERSION},
            f"/templateversions/{VERSION}/cancel",
        ),
        (
            JobType.TEMPLATE_VERSION_DRY_RUN,
            {"template_version_id": VERSION},
            f"/templateversions/{VERSION}/dry-run/{JOB}/cancel",
        ),
        (
            JobType.WORKSPACE_BUILD,
            {"workspace_build_id": BUILD},
            f"/workspacebuilds/{BUILD}/cancel",
        ),
    ],
)
def test_a_job_is_cancelled_by_what_it_is_for(
    cli: Cli, deployment: Deployment, type_: JobType, input_: dict[str, UUID], path: str
) -> None:
    deployment.on(f"GET {ORG}/provisionerjobs/{JOB}", job(type_, **input_))
    deployment.on(f"PATCH {path}", b"")
    assert cli("provisioner", "jobs", "cancel", str(JOB)).out == "Job canceled\n"
    assert len(deployment.called(f"PATCH {path}")) == 1


def test_a_job_that_has_ended_says_so(cli: Cli, deployment: Deployment) -> None:
    def refuse(_: object) -> object:
        raise Refuse(412, "Job has already completed!")

    found = job(JobType.WORKSPACE_BUILD, workspace_build_id=BUILD)
    deployment.on(f"GET {ORG}/provisionerjobs/{JOB}", found)
    deployment.on(f"PATCH /workspacebuilds/{BUILD}/cancel", refuse)
    ran = cli("provisioner", "jobs", "cancel", str(JOB))
    assert ran.code == 1
    assert f"The job {JOB} cannot be cancelled: Job has already completed!" in ran.err
    assert "is not a job's id" in cli("provisioner", "jobs", "cancel", "x").err


@pytest.mark.parametrize(
    ("words", "refusal"),
    [
        (["--key", "a", "--psk", "b"], "Cannot provide both provisioner key --key and"),
        (["--key", "a", "-t", "x=y"], "Cannot provide tags when using provisioner key"),
        (["-t", "x"], "'x' is not a tag"),
    ],
)
def test_what_does_not_fit_together_starts_nothing(
    cli: Cli, words: list[str], refusal: str
) -> None:
    ran = cli("provisioner", "start", *words)
    assert ran.code == 1
    assert refusal in ran.err


def test_a_daemon_with_a_key_is_not_called_untagged() -> None:
    assert told_tags("a", {}) == "tags of its key"
    assert (told_tags("", {}), told_tags("", {"env": "lab"})) == ("untagged", "env=lab")
