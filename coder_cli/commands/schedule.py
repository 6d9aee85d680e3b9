"""``coder schedule``: when workspaces start and stop by themselves."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from coder_cli import config, ui
from coder_cli.commands.finding import find_workspace
from coder_cli.commands.flags import Output, WorkspaceName, columns_of
from coder_cli.commands.schedules import cron_of, in_words, next_times
from coder_cli.commands.typed import new_app
from coder_cli.kit.clock import SystemClock
from coder_cli.kit.durations import parse_duration
from coder_cli.kit.refused import Refused
from coder_cli.ui.tables import Column, Listing
from coder_cli.ui.words import short_span, timestamp

if TYPE_CHECKING:
    from uuid import UUID

    from coder_cli.sdk.client import Client
    from coder_cli.sdk.workspaces import Workspace

app = new_app("Say when workspaces start and stop by themselves.")
MANUAL = "manual"
SHOWN_STARTS = 3


class _Row(NamedTuple):
    workspace: "Workspace"
    now: datetime


SCHEDULES: Listing[_Row] = Listing(
    [
        Column("workspace", lambda row: f"{row.workspace.owner_name}/{row.workspace.name}"),
        Column("starts at", lambda row: in_words(row.workspace.autostart_schedule)),
        Column("starts next", lambda row: _moment(row.workspace.next_start_at)),
        Column("stops after", lambda row: _span(row.workspace.ttl_ms)),
        Column("stops next", lambda row: _stops(row.workspace, row.now)),
    ],
    ["workspace", "starts at", "starts next", "stops after", "stops next"],
    "No workspaces found! Create one with: coder create <name>",
)
Columns = Annotated[str, columns_of(SCHEDULES)]


@app.callback()
def group() -> None:
    """Say when workspaces start and stop by themselves."""


@app.command()
def show(
    workspace: Annotated[
        str,
        typer.Argument(metavar="[workspace]", help="A name, or owner/name.", show_default=False),
    ] = "",
    everyone: Annotated[bool, typer.Option("--all", "-a", help="Those of all users")] = False,
    search: Annotated[
        str, typer.Option(help="A query, such as: owner:me status:running", metavar="<query>")
    ] = "owner:me",
    columns: Columns = "",
    output: Output = "table",
) -> None:
    """Show when workspaces start and stop by themselves."""
    client = config.connect()
    if workspace:
        found: Sequence[Workspace] = [find_workspace(client, workspace)]
    else:
        found = client.workspaces("" if everyone and search == "owner:me" else search).workspaces
    _list(found, columns, output)


@app.command()
def start(
    workspace: WorkspaceName,
    schedule: Annotated[
        list[str],
        typer.Argument(
            metavar="<time> [days] [zone] | manual",
            help="9:00am Mon-Fri Europe/Berlin; days default to all, the zone to yours.",
            show_default=False,
        ),
    ],
    columns: Columns = "",
    output: Output = "table",
) -> None:
    """Have a workspace start by itself, or no longer."""
    line = ""
    if [word.lower() for word in schedule] != [MANUAL]:
        try:
            line = cron_of(" ".join(schedule).split())
        except ValueError as error:
            raise Refused(str(error)) from error
    client = config.connect()
    found = find_workspace(client, workspace)
    client.set_autostart(found.id, line)
    if line:
        _tell_starts(client, found, line)
    _again(client, found.id, columns, output)


@app.command()
def stop(
    workspace: WorkspaceName,
    span: Annotated[
        str,
        typer.Argument(
            metavar="<span> | manual", help="How long it runs after a start: 8h", show_default=False
        ),
    ],
    columns: Columns = "",
    output: Output = "table",
) -> None:
    """Have a workspace stop some time after each start, or only by hand."""
    ttl = None if span.lower() == MANUAL else _duration(span)
    client = config.connect()
    found = find_workspace(client, workspace)
    client.set_ttl(found.id, ttl)
    if ttl is not None and found.latest_build.status == "running":
        ui.note("This takes effect at the next start.")
        if found.latest_build.deadline is not None:
            ui.note(f"Move the present stop with: coder schedule extend {workspace} {span}")
    _again(client, found.id, columns, output)


@app.command()
def extend(
    workspace: WorkspaceName,
    span: Annotated[
        str, typer.Argument(metavar="<span>", help="From now on: 3h", show_default=False)
    ],
    columns: Columns = "",
    output: Output = "table",
) -> None:
    """Move when a running workspace stops, counted from now."""
    client = config.connect()
    found = find_workspace(client, workspace)
    client.extend(found.id, SystemClock().now() + _duration(span))
    _again(client, found.id, columns, output)


@app.command("override-stop", hidden=True)
def override_stop(workspace: WorkspaceName, span: str) -> None:
    """Do what ``extend`` does; its old name."""
    extend(workspace, span)


def _tell_starts(client: "Client", workspace: "Workspace", line: str) -> None:
    """Say what a schedule means: the next times, in its own zone."""
    days = client.template(workspace.template_id).autostart_requirement.days_of_week
    due = next_times(line, SystemClock().now(), SHOWN_STARTS, days)
    if due:
        ui.note(f"It starts by itself, if it is stopped then: {', '.join(due)} …")
    else:
        allowed = ", ".join(days) or "no day"
        ui.warn(f"The template lets workspaces start by themselves on {allowed}: it never does.")


def _again(client: "Client", workspace_id: "UUID", columns: str, output: str) -> None:
    """Show the workspace as it is now."""
    _list([client.workspace(workspace_id)], columns, output)


def _list(found: "Sequence[Workspace]", columns: str, output: str) -> None:
    now = SystemClock().now()
    rows = [_Row(one, now) for one in found]
    SCHEDULES.show(rows, output=output, columns=columns, shapes=found)


def _duration(text: str) -> timedelta:
    try:
        return parse_duration(text)
    except ValueError as error:
        raise Refused(str(error)) from error


def _moment(moment: datetime | None) -> str:
    return timestamp(moment) if moment else ""


def _span(milliseconds: int | None) -> str:
    return short_span(timedelta(milliseconds=milliseconds)) if milliseconds else ""


def _stops(workspace: "Workspace", now: datetime) -> str:
    """Return when a running workspace stops, and how long that is from now."""
    deadline = workspace.latest_build.deadline
    if deadline is None or workspace.latest_build.status != "running":
        return ""
    left = deadline - now
    return f"{timestamp(deadline)} (in {short_span(left)})" if left > timedelta(0) else "now"
