"""``coder create``: a new workspace."""

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from coder_cli import config, ui
from coder_cli.commands import parameters
from coder_cli.commands.builds import asker, now, shell_hint, values_for
from coder_cli.commands.finding import find_template, find_workspace, split_owner
from coder_cli.commands.flags import Org, Yes
from coder_cli.commands.following import follow_build
from coder_cli.commands.parameters import AlwaysPrompt, Defaults, Ephemeral, ValueFile, Values
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
    from coder_cli.sdk.workspaces import Workspace

app = new_app()


@app.command()
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
    parameter: Values = [],  # noqa: B006 - Typer copies it
    parameter_default: Defaults = [],  # noqa: B006 - Typer copies it
    ephemeral_parameter: Ephemeral = [],  # noqa: B006 - Typer copies it
    rich_parameter_file: ValueFile = "",
    always_prompt: AlwaysPrompt = False,
    yes: Yes = False,
    org: Org = "",
) -> None:
    """Create a workspace and show how it is built."""
    from coder_cli.sdk.workspaces import AutomaticUpdates, CreateWorkspaceRequest

    if automatic_updates not in {"always", "never"}:
        raise Refused("--automatic-updates is always or never.")
    schedule, ttl = _schedule(start_at), _milliseconds(stop_after)
    wants = parameters.wanted(
        parameter,
        parameter_default,
        ephemeral_parameter,
        rich_parameter_file,
        always_prompt=always_prompt,
    )
    client = config.connect()
    owner, name = _free_name(client, workspace)
    source = find_workspace(client, copy_parameters_from) if copy_parameters_from else None
    chosen = _template(client, org, template, source)
    version_id = _version(client, chosen, template_version, source)
    wants = _with_copies(client, wants, source)
    values = values_for(client, version_id, wants, workspace=None, ask=not yes)
    if not yes:
        _show_plan(client, version_id)
        asker().confirm(f"Create workspace {name!r}?", yes=yes, default=True)
    request = CreateWorkspaceRequest(
        name=name,
        template_version_id=version_id if template_version or source else None,
        template_id=None if template_version or source else chosen.id,
        autostart_schedule=schedule,
        ttl_ms=ttl,
        rich_parameter_values=values,
        automatic_updates=AutomaticUpdates(automatic_updates),
    )
    created = client.create_workspace(owner, request)
    follow_build(client, created.latest_build)
    ui.result(f"Workspace {ui.styled(name, 'cyan')} has been created at {now()}.")
    ui.note(shell_hint(name if owner == "me" else f"{owner}/{name}"))


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


def _with_copies(
    client: Client, wants: parameters.Wanted, source: "Workspace | None"
) -> parameters.Wanted:
    if source is None:
        return wants
    copied = {one.name: one.value for one in client.build_parameters(source.latest_build.id)}
    return parameters.Wanted(
        values={**copied, **wants.values},
        defaults=wants.defaults,
        ephemeral=wants.ephemeral,
        always_prompt=wants.always_prompt,
    )


def _show_plan(client: Client, version_id: "UUID") -> None:
    """Say what the workspace will be made of, as the import planned it."""
    planned = client.template_version_resources(version_id)
    shown = [one for one in planned if one.workspace_transition == "start" and not one.hide]
    if not shown:
        return
    ui.note("The workspace will have:")
    for resource in shown:
        ui.note(f"  {resource.type}.{resource.name}")
        for agent in resource.agents:
            ui.note(f"    agent {agent.name} ({agent.operating_system}, {agent.architecture})")


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
