"""``coder update``."""

from coder_cli import config, ui
from coder_cli.commands import builds, parameters
from coder_cli.commands.finding import find_workspace
from coder_cli.commands.flags import WorkspaceName
from coder_cli.commands.following import follow_build
from coder_cli.commands.parameters import AlwaysPrompt, Defaults, Ephemeral, ValueFile, Values
from coder_cli.commands.typed import new_app

app = new_app()


@app.command()
def update(
    workspace: WorkspaceName,
    parameter: Values = [],  # noqa: B006 - Typer copies it
    parameter_default: Defaults = [],  # noqa: B006 - Typer copies it
    ephemeral_parameter: Ephemeral = [],  # noqa: B006 - Typer copies it
    rich_parameter_file: ValueFile = "",
    always_prompt: AlwaysPrompt = False,
) -> None:
    """Move a workspace to its template's active version, and start it there."""
    wants = parameters.wanted(
        parameter,
        parameter_default,
        ephemeral_parameter,
        rich_parameter_file,
        always_prompt=always_prompt,
    )
    client = config.connect()
    found = find_workspace(client, workspace)
    if not found.outdated and not wants.always_prompt and not wants.values:
        ui.result(f"Workspace {found.name} is up to date.")
        return
    version = found.template_active_version_id
    values = builds.values_for(client, version, wants, workspace=found, ask=True)
    builds.refuse_while_building(found)
    if found.latest_build.transition == "start":
        builds.stop_and_wait(client, found)
    build = builds.build(client, found, "start", version_id=version, values=values)
    finished = follow_build(client, build)
    ui.result(f"Workspace {found.name} now runs version {finished.template_version_name}.")
    ui.note(builds.shell_hint(workspace))
