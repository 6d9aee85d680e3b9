"""``coder list``."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from coder_cli import config
from coder_cli.commands.flags import Output, columns_of
from coder_cli.commands.schedules import in_words
from coder_cli.commands.typed import new_app
from coder_cli.kit.clock import SystemClock
from coder_cli.ui.tables import Column, Listing
from coder_cli.ui.words import ago, short_span, timestamp

if TYPE_CHECKING:
    from coder_cli.sdk.workspaces import Workspace

app = new_app()


class _Row(NamedTuple):
    workspace: "Workspace"
    now: datetime


WORKSPACES: Listing[_Row] = Listing(
    [
        Column("favorite", lambda row: "true" if row.workspace.favorite else "false"),
        Column("workspace", lambda row: f"{row.workspace.owner_name}/{row.workspace.name}"),
        Column("organization id", lambda row: str(row.workspace.organization_id)),
        Column("organization name", lambda row: row.workspace.organization_name),
        Column("template", lambda row: row.workspace.template_name),
        Column("status", lambda row: _status(row.workspace)),
        Column("healthy", lambda row: _healthy(row.workspace)),
        Column("last built", lambda row: ago(row.workspace.latest_build.created_at, row.now)),
        Column("current version", lambda row: row.workspace.latest_build.template_version_name),
        Column("outdated", lambda row: "true" if row.workspace.outdated else "false"),
        Column("starts at", lambda row: in_words(row.workspace.autostart_schedule)),
        Column("starts next", lambda row: _moment(row.workspace.next_start_at)),
        Column("stops after", lambda row: _span(row.workspace.ttl_ms)),
        Column("stops next", lambda row: _moment(row.workspace.latest_build.deadline)),
        Column("daily cost", lambda row: str(row.workspace.latest_build.daily_cost)),
    ],
    [
        "workspace",
        "template",
        "status",
        "healthy",
        "last built",
        "current version",
        "outdated",
        "starts at",
        "stops after",
    ],
    "No workspaces found! Create one with: coder create <name>",
)


@app.command("list")
def list_(
    everyone: Annotated[bool, typer.Option("--all", "-a", help="Those of all users")] = False,
    search: Annotated[
        str, typer.Option(help="A query, such as: owner:me status:running", metavar="<query>")
    ] = "owner:me",
    columns: Annotated[str, columns_of(WORKSPACES)] = "",
    output: Output = "table",
    external: Annotated[bool, typer.Option("--external", hidden=True)] = False,
) -> None:
    """List workspaces."""
    query = "" if everyone and search == "owner:me" else search
    if external:
        query = f"{query} has_external_agent:true".strip()
    found = config.connect().workspaces(query).workspaces
    now = SystemClock().now()
    rows = [_Row(one, now) for one in found]
    WORKSPACES.show(rows, output=output, columns=columns, shapes=found)


def _status(workspace: "Workspace") -> str:
    status = workspace.latest_build.status.value.capitalize()
    return f"{status} (dormant)" if workspace.dormant_at else status


def _healthy(workspace: "Workspace") -> str:
    # Nobody asks whether a machine that does not run is well.
    if workspace.latest_build.status not in {"running", "starting"}:
        return ""
    return "true" if workspace.health.healthy else "false"


def _span(milliseconds: int | None) -> str:
    return short_span(timedelta(milliseconds=milliseconds)) if milliseconds else ""


def _moment(moment: datetime | None) -> str:
    return timestamp(moment) if moment else ""
