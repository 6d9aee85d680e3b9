"""``coder provisioner jobs``: the queue."""

from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from coder_cli import config, ui
from coder_cli.commands.finding import find_organization
from coder_cli.commands.flags import Org, Output, columns_of
from coder_cli.commands.provisioner.tags import show_tags
from coder_cli.commands.typed import new_app
from coder_cli.kit.refused import Refused
from coder_cli.sdk.client import Client
from coder_cli.sdk.errors import ApiError
from coder_cli.ui.tables import Column, Listing
from coder_cli.ui.words import timestamp

if TYPE_CHECKING:
    from datetime import datetime

    from coder_cli.sdk.jobs import ProvisionerJob

app = new_app("View and manage provisioner jobs.")


def _at(moment: "datetime | None") -> str:
    return "" if moment is None else timestamp(moment)


def _queue(job: "ProvisionerJob") -> str:
    return f"{job.queue_position}/{job.queue_size}" if job.queue_position else ""


def _id(given: UUID | None) -> str:
    return "" if given is None else str(given)


JOBS: "Listing[ProvisionerJob]" = Listing(
    [
        Column("id", lambda job: str(job.id)),
        Column("created at", lambda job: timestamp(job.created_at)),
        Column("started at", lambda job: _at(job.started_at)),
        Column("completed at", lambda job: _at(job.completed_at)),
        Column("canceled at", lambda job: _at(job.canceled_at)),
        Column("error", lambda job: job.error),
        Column("error code", lambda job: job.error_code),
        Column("status", lambda job: job.status),
        Column("worker id", lambda job: _id(job.worker_id)),
        Column("worker name", lambda job: job.worker_name),
        Column("file id", lambda job: str(job.file_id)),
        Column("tags", lambda job: show_tags(job.tags)),
        Column("queue position", lambda job: str(job.queue_position)),
        Column("queue size", lambda job: str(job.queue_size)),
        Column("organization id", lambda job: str(job.organization_id)),
        Column("initiator id", lambda job: str(job.initiator_id)),
        Column("template version id", lambda job: _id(job.input.template_version_id)),
        Column("workspace build id", lambda job: _id(job.input.workspace_build_id)),
        Column("type", lambda job: job.type),
        Column("available workers", lambda job: " ".join(map(str, job.available_workers))),
        Column("template version name", lambda job: job.metadata.template_version_name),
        Column("template id", lambda job: str(job.metadata.template_id)),
        Column("template name", lambda job: job.metadata.template_name),
        Column("template display name", lambda job: job.metadata.template_display_name),
        Column("template icon", lambda job: job.metadata.template_icon),
        Column("workspace id", lambda job: _id(job.metadata.workspace_id)),
        Column("workspace name", lambda job: job.metadata.workspace_name),
        Column("logs overflowed", lambda job: str(job.logs_overflowed).lower()),
        Column("queue", _queue),
    ],
    ["created at", "id", "type", "template name", "status", "queue", "tags"],
    "No provisioner jobs found.",
)

Columns = Annotated[str, columns_of(JOBS)]


@app.command("list")
def list_(
    status: Annotated[
        str,
        typer.Option(
            "--status",
            "-s",
            envvar="CODER_PROVISIONER_JOB_LIST_STATUS",
            help="By comma: pending, running, succeeded, canceling, canceled, failed, unknown",
            metavar="<states>",
        ),
    ] = "",
    limit: Annotated[
        int,
        typer.Option(
            "--limit",
            "-l",
            envvar="CODER_PROVISIONER_JOB_LIST_LIMIT",
            help="How many at most",
            metavar="<number>",
        ),
    ] = 50,
    initiator: Annotated[
        str,
        typer.Option(
            "--initiator",
            "-i",
            envvar="CODER_PROVISIONER_JOB_LIST_INITIATOR",
            help="Only those of this user",
            metavar="<user>",
        ),
    ] = "",
    columns: Columns = "",
    output: Output = "table",
    org: Org = "",
) -> None:
    """List provisioner jobs, newest first."""
    client = config.connect()
    organization = str(find_organization(client, org).id)
    found = client.provisioner_jobs(organization, status=status, initiator=initiator, limit=limit)
    JOBS.show(found, output=output, columns=columns)


@app.command()
def cancel(
    job: Annotated[str, typer.Argument(metavar="<job>", help="A job's id.", show_default=False)],
    org: Org = "",
) -> None:
    """Cancel a provisioner job."""
    client = config.connect()
    try:
        job_id = UUID(job)
    except ValueError:
        raise Refused(
            f"{job!r} is not a job's id. List them with: coder provisioner jobs list"
        ) from None
    _cancel(client, client.provisioner_job(str(find_organization(client, org).id), job_id))
    ui.result("Job canceled")


def _cancel(client: Client, job: "ProvisionerJob") -> None:
    version_id, build_id = job.input.template_version_id, job.input.workspace_build_id
    try:
        if build_id is not None:
            client.cancel_build(build_id)
        elif version_id is None:
            raise Refused(f"The job {job.id} cannot be cancelled: nobody knows what it is for.")
        elif job.type == "template_version_dry_run":
            client.cancel_dry_run(version_id, job.id)
        else:
            client.cancel_template_version(version_id)
    except ApiError as error:
        if error.status == 412:
            raise Refused(f"The job {job.id} cannot be cancelled: {error.message}") from error
        raise
