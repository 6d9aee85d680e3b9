"""``coder create``: a new workspace."""

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from coder_cli import config, ui
from coder_cli.commands import presets
from coder_cli.commands.builds import asker, next_step, now, values_for
from coder_cli.commands.finding import find_template, find_workspace, split_owner
from coder_cli.commands.flags import Org, Yes
from coder_cli.commands.following import follow_build
from coder_cli.commands.parameter_flags import takes_parameters
from coder_cli.commands.parameters import Wanted
from coder_cli.commands.planning import show_plan
from coder_cli.commands.schedules import cron_of
from coder_cli.commands.templates.pulling import find_version
from coder_cli.commands.typed import new_app
from coder_cli.kit import names
from coder_cli.kit.durations import parse_duration
from coder_cli.kit.refused import Refused
from coder_cli.sdk.client import Client
from coder_cli.sdk.errors import ApiError

if TYPE_CHECKING:
    from uuid import UUID

    from coder_cli.sdk.templates import Template
    from coder_cli.sdk.workspaces import CreateWorkspaceRequest, Workspace

app = new_app()


@app.command()
@takes_parameters
def create(
    workspace: Annotated[
        str,
        typer.Argument(metavar="[name]", help="Its name, or user/name.", show_default=False),
    ] = "",
    template: Annotated[
        str,
        typer.Option(
            "--template", "-t", envvar="CODER_TEMPLATE_NAME", help="Of what", metavar="<name>"
        ),
    ] = "",
    template_version: Annotated[
        str,
        typer.Option(
            envvar="CODER_TEMPLATE_VERSION", help="Not the active version", metavar="<name>"
        ),
    ] = "",
    start_at: Annotated[
        str,
        typer.Option(
            envvar="CODER_WORKSPACE_START_AT",
            help="When it starts by itself: '9:00am Mon-Fri Europe/Berlin'",
            metavar="<schedule>",
        ),
    ] = "",
    stop_after: Annotated[
        str,
        typer.Option(
            envvar="CODER_WORKSPACE_STOP_AFTER",
            help="How long it runs after a start: 8h",
            metavar="<span>",
        ),
    ] = "",
    automatic_updates: Annotated[
        str,
        typer.Option(
            envvar="CODER_WORKSPACE_AUTOMATIC_UPDATES",
            help="always or never move to new versions at a start",
            metavar="<when>",
        ),
    ] = "never",
    copy_parameters_from: Annotated[
        str,
        typer.Option(
            envvar="CODER_WORKSPACE_COPY_PARAMETERS_FROM",
            help="Take values from this workspace",
            metavar="<workspace>",
        ),
    ] = "",
    preset: Annotated[
        str,
        typer.Option(
            envvar="CODER_PRESET_NAME",
            help="A set of values that the template offers, or none",
            metavar="<name|none>",
            show_default=False,
        ),
    ] = "",
    yes: Yes = False,
    org: Org = "",
    external: Annotated[bool, typer.Option("--external", hidden=True)] = False,
    *,
    wants: Wanted,
) -> None:
    """Create a workspace and show how it is built."""
    from coder_cli.sdk.workspaces import AutomaticUpdates, CreateWorkspaceRequest

    if automatic_updates not in {"always", "never"}:
        raise Refused("--automatic-updates is always or never.")
    schedule, ttl = _schedule(start_at), _milliseconds(stop_after)
    client = config.connect()
    owner, name = _free_name(client, workspace)
    source = find_workspace(client, copy_parameters_from) if copy_parameters_from else None
    chosen = _template(client, org, template, source)
    version_id = _version(client, chosen, template_version, source)
    if external and not client.template_version(version_id).has_external_agent:
        raise Refused(
            f"Template {chosen.name!r} has no external agents: its workspaces are provisioned."
            f" Create one with: coder create {name} --template {chosen.name}"
        )
    # Who wants what another workspace has is not asked for a preset.
    named = preset or (presets.NONE if source else "")
    picked = presets.choose(client, version_id, named, wants, ask=not yes)
    wants = _with_copies(client, picked.wants, source)
    values = values_for(client, version_id, wants, workspace=None, ask=not yes, owner=owner)
    if not yes:
        if owner == "me":
            # Plans are made for who asks; what another owner would get may differ.
            show_plan(client, version_id, name, values)
        asker().confirm(f"Create workspace {name!r}?", yes=yes, default=True)
    request = CreateWorkspaceRequest(
        name=name,
        template_version_id=version_id if template_version or source else None,
        template_id=None if template_version or source else chosen.id,
        template_version_preset_id=picked.preset_id,
        autostart_schedule=schedule,
        ttl_ms=ttl,
        rich_parameter_values=values,
        automatic_updates=AutomaticUpdates(automatic_updates),
    )
    created = _created(client, owner, request)
    ended = follow_build(client, created.latest_build)
    full = name if owner == "me" else f"{owner}/{name}"
    ui.result(f"Workspace {ui.styled(full, 'cyan')} has been created at {now()}.")
    ui.note(next_step(ended, full))


def _created(client: Client, owner: str, request: "CreateWorkspaceRequest") -> "Workspace":
    try:
        return client.create_workspace(owner, request)
    except ApiError as error:
        if error.status != 404 or owner == "me":
            raise
        raise Refused(
            f"There is no user {owner!r}, or you may not create workspaces for them:"
            f" leave {owner}/ out to create one of your own."
        ) from error


def _free_name(client: Client, text: str) -> tuple[str, str]:
    """Return owner and name of the workspace to be, which must not exist yet."""
    if not text:
        text = asker().text(
            "What is its name?", flag="the name as an argument", check=names.check_name
        )
    owner, name = split_owner(text)
    complaint = names.check_name(name)
    if complaint is not None:
        raise Refused(f"{name!r} cannot be a workspace's name: {complaint}.")
    try:
        client.workspace_by_name(owner, name)
    except ApiError as error:
        if error.status == 404:
            return owner, name
        raise
    raise Refused(f"A workspace {name!r} exists already. Start it with: coder start {text}")


def _template(client: Client, org: str, name: str, source: "Workspace | None") -> "Template":
    if source is not None and not name:
        return client.template(source.template_id)
    if name:
        return find_template(client, org, name)
    offered = client.templates(org)
    if not offered:
        raise Refused("There are no templates yet. Make one with: coder templates init")
    if len(offered) == 1 and not ui.can_ask(force=config.current().on("force-tty")):
        return offered[0]
    options = [
        (str(one.id), f"{one.name}: {one.description or one.display_name}".rstrip(": "))
        for one in sorted(offered, key=lambda one: one.name)
    ]
    chosen = asker().select("Which template?", options, flag="--template <name>")
    return next(one for one in offered if str(one.id) == chosen)


def _version(client: Client, template: "Template", name: str, source: "Workspace | None") -> "UUID":
    if name:
        return find_version(client, template, name).id
    if source is not None and source.template_id == template.id:
        return source.latest_build.template_version_id
    return template.active_version_id


def _with_copies(client: Client, wants: Wanted, source: "Workspace | None") -> Wanted:
    if source is None:
        return wants
    copied = {one.name: one.value for one in client.build_parameters(source.latest_build.id)}
    borrowed = wants.borrowed | (copied.keys() - wants.values.keys())
    return replace(wants, values={**copied, **wants.values}, borrowed=borrowed)


def _milliseconds(span: str) -> int | None:
    if not span:
        return None
    try:
        return parse_duration(span) // timedelta(milliseconds=1)
    except ValueError as error:
        raise Refused(f"--stop-after: {error}") from error


def _schedule(text: str) -> str | None:
    if not text:
        return None
    try:
        return cron_of(text.split())
    except ValueError as error:
        raise Refused(f"--start-at: {error}") from error
