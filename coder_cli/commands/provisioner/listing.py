"""``coder provisioner list``."""

from typing import TYPE_CHECKING, Annotated

import typer

from coder_cli import config
from coder_cli.commands.finding import find_organization
from coder_cli.commands.flags import Org, Output, columns_of
from coder_cli.commands.provisioner.tags import show_tags
from coder_cli.kit.clock import SystemClock
from coder_cli.kit.durations import parse_duration
from coder_cli.kit.refused import Refused
from coder_cli.ui.tables import Column, Listing
from coder_cli.ui.words import timestamp

if TYPE_CHECKING:
    from coder_cli.sdk.jobs import ProvisionerDaemon, ProvisionerDaemonJob

STATES = ("offline", "idle", "busy")


def _job(job: "ProvisionerDaemonJob | None", field: str) -> str:
    return "" if job is None else str(getattr(job, field))


DAEMONS: "Listing[ProvisionerDaemon]" = Listing(
    [
        Column("id", lambda one: str(one.id)),
        Column("organization id", lambda one: str(one.organization_id)),
        Column("created at", lambda one: timestamp(one.created_at)),
        Column("last seen at", lambda one: timestamp(one.last_seen_at) if one.last_seen_at else ""),
        Column("name", lambda one: one.name),
        Column("version", lambda one: one.version),
        Column("api version", lambda one: one.api_version),
        Column("tags", lambda one: show_tags(one.tags)),
        Column("key name", lambda one: one.key_name or ""),
        Column("status", lambda one: one.status or ""),
        Column("current job id", lambda one: _job(one.current_job, "id")),
        Column("current job status", lambda one: _job(one.current_job, "status")),
        Column("current job template name", lambda one: _job(one.current_job, "template_name")),
        Column("current job template icon", lambda one: _job(one.current_job, "template_icon")),
        Column(
            "current job template display name",
            lambda one: _job(one.current_job, "template_display_name"),
        ),
        Column("previous job id", lambda one: _job(one.previous_job, "id")),
        Column("previous job status", lambda one: _job(one.previous_job, "status")),
        Column("previous job template name", lambda one: _job(one.previous_job, "template_name")),
        Column("previous job template icon", lambda one: _job(one.previous_job, "template_icon")),
        Column(
            "previous job template display name",
            lambda one: _job(one.previous_job, "template_display_name"),
        ),
    ],
    ["created at", "last seen at", "key name", "name", "version", "status", "tags"],
    "No provisioner daemons found.",
)

Columns = Annotated[str, columns_of(DAEMONS)]


def list_(
    show_offline: Annotated[
        bool, typer.Option("--show-offline", "-f", help="Those that are gone, too")
    ] = False,
    status: Annotated[
        str,
        typer.Option("--status", "-s", help=f"By comma: {', '.join(STATES)}", metavar="<states>"),
    ] = "",
    max_age: Annotated[
        str,
        typer.Option("--max-age", "-m", help="Only those seen within: 1h, 7d", metavar="<span>"),
    ] = "",
    limit: Annotated[
        int, typer.Option("--limit", "-l", help="How many at most", metavar="<number>")
    ] = 50,
    columns: Columns = "",
    output: Output = "table",
    org: Org = "",
) -> None:
    """List provisioner daemons."""
    client = config.connect()
    organization = find_organization(client, org)
    # Of daemons that are gone somebody speaks only when asked to.
    wanted = status or ("" if show_offline else "idle,busy")
    found = client.provisioner_daemons(str(organization.id), status=wanted, limit=limit)
    DAEMONS.show(_recent(found, max_age), output=output, columns=columns)


def _recent(found: "list[ProvisionerDaemon]", max_age: str) -> "list[ProvisionerDaemon]":
    if not max_age:
        return found
    try:
        oldest = SystemClock().now() - parse_duration(max_age)
    except ValueError as error:
        raise Refused(f"--max-age: {error}") from error
    return [one for one in found if one.last_seen_at is not None and one.last_seen_at >= oldest]
