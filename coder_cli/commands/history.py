"""``coder builds``: what was done to a workspace, and an end to what is being done."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from coder_cli import config, ui
from coder_cli.commands import builds
from coder_cli.commands.finding import find_workspace
from coder_cli.commands.flags import Output, WorkspaceName, Yes, columns_of
from coder_cli.commands.following import why_it_waits
from coder_cli.commands.typed import new_app
from coder_cli.kit.clock import SystemClock
from coder_cli.ui.tables import Column, Listing
from coder_cli.ui.words import ago, short_span

if TYPE_CHECKING:
    from coder_cli.sdk.builds import WorkspaceBuild

app = new_app("See and cancel builds of a workspace.")


class _Row(NamedTuple):
    build: "WorkspaceBuild"
    now: datetime


BUILDS: Listing[_Row] = Listing(
    [
        Column("build", lambda row: f"{_owner(row.build)}/#{row.build.build_number}"),
        Column("build id", lambda row: str(row.build.id)),
        Column("number", lambda row: str(row.build.build_number)),
        Column("transition", lambda row: row.build.transition.value),
        Column("status", lambda row: row.build.job.status.value),
        Column("reason", lambda row: row.build.reason.value),
        Column("initiator", lambda row: row.build.initiator_name),
        Column("version", lambda row: row.build.template_version_name),
        Column("created", lambda row: ago(row.build.created_at, row.now)),
        Column("duration", lambda row: _duration(row.build, row.now)),
        Column("error", lambda row: row.build.job.error.partition("\n")[0]),
    ],
    ["number", "transition", "status", "reason", "initiator", "version", "created", "duration"],
)


@app.callback()
def group() -> None:
    """See and cancel builds of a workspace."""


@app.command("list")
def list_(
    workspace: WorkspaceName,
    limit: Annotated[
        int, typer.Option("--limit", help="How many; 0 is all of them", metavar="<number>")
    ] = 25,
    columns: Annotated[str, columns_of(BUILDS)] = "",
    output: Output = "table",
) -> None:
    """List the builds of a workspace, newest first."""
    client = config.connect()
    found = find_workspace(client, workspace)
    shown = client.builds(found.id, limit=max(limit, 0))
    now = SystemClock().now()
    rows = [_Row(build, now) for build in shown]
    BUILDS.show(rows, output=output, columns=columns, shapes=shown)


@app.command()
def cancel(workspace: WorkspaceName, yes: Yes = False) -> None:
    """Cancel the build of a workspace that waits or runs."""
    client = config.connect()
    found = find_workspace(client, workspace)
    latest = found.latest_build
    if not latest.job.status.active:
        ui.result(f"Workspace {found.name} is {latest.status}: there is nothing to cancel.")
        return
    if why := why_it_waits(latest):
        ui.note(why)
    builds.asker().confirm(f"Cancel build {latest.build_number} of {found.name!r}?", yes=yes)
    builds.cancel_and_wait(client, found)
    ended = client.build(latest.id)
    ui.result(f"Build {ended.build_number} of workspace {found.name}: {ended.job.status}.")


def _owner(build: "WorkspaceBuild") -> str:
    return f"{build.workspace_owner_name}/{build.workspace_name}"


def _duration(build: "WorkspaceBuild", now: datetime) -> str:
    job = build.job
    return short_span((job.completed_at or now) - job.started_at) if job.started_at else ""
