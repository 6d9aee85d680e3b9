"""``coder restart``."""

from coder_cli import config, ui
from coder_cli.commands import builds, parameters
from coder_cli.commands.finding import find_workspace
from coder_cli.commands.flags import WorkspaceName, Yes
from coder_cli.commands.following import follow_build
from coder_cli.commands.parameters import AlwaysPrompt, Defaults, Ephemeral, ValueFile, Values
from coder_cli.commands.typed import new_app

app = new_app()


@app.command()
def restart(
    workspace: WorkspaceName,
    parameter: Values = [],  # noqa: B006 - Typer copies it
    parameter_default: Defaults = [],  # noqa: B006 - Typer copies it
    ephemeral_parameter: Ephemeral = [],  # noqa: B006 - Typer copies it
    rich_parameter_file: ValueFile = "",
    always_prompt: AlwaysPrompt = False,
    yes: Yes = False,
) -> None:
    """Stop a workspace and start it again."""
    wants = parameters.wanted(
        parameter,
        parameter_default,
        ephemeral_parameter,
        rich_parameter_file,
        always_prompt=always_prompt,
    )
    client = config.connect()
    found = find_workspace(client, workspace)
    version = builds.start_version(found)
    # Ask before anything stops: a question half way would leave the workspace down.
    values = builds.values_for(client, version, wants, workspace=found, ask=not yes)
    builds.asker().confirm(f"Restart workspace {found.name!r}?", yes=yes)
    builds.refuse_while_building(found)
    builds.stop_and_wait(client, found)
    build = builds.build(client, found, "start", version_id=version, values=values)
    follow_build(client, build)
    ui.result(f"Workspace {ui.styled(found.name, 'cyan')} has been restarted at {builds.now()}.")
    ui.note(builds.shell_hint(workspace))
