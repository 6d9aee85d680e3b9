"""``coder external-workspaces``: workspaces on machines that nobody provisions."""

from typing import TYPE_CHECKING, Annotated

import typer

from coder_cli import config, ui
from coder_cli.commands.create import create
from coder_cli.commands.finding import find_workspace
from coder_cli.commands.list import list_
from coder_cli.commands.typed import fixed, new_app
from coder_cli.kit.refused import Refused
from coder_cli.ui.tables import check_output

if TYPE_CHECKING:
    from coder_cli.sdk.client import Client
    from coder_cli.sdk.workspaces import Workspace

app = new_app("Manage workspaces whose machines you bring yourself.")
EXTERNAL = "coder_external_agent"


@app.callback()
def group() -> None:
    """Manage workspaces whose machines you bring yourself."""


app.command("create")(fixed(create, external=True))
app.command("list")(fixed(list_, external=True))


@app.command("agent-instructions")
def agent_instructions(
    workspace: Annotated[
        str,
        typer.Argument(
            metavar="<workspace[.agent]>", help="A name, or owner/name.", show_default=False
        ),
    ],
    output: Annotated[
        str, typer.Option("--output", "-o", help="text or json", metavar="<form>")
    ] = "text",
) -> None:
    """Show what to type on your machine to attach it to a workspace."""
    check_output(output, "text", "json")
    name, _, agent = workspace.partition(".")
    client = config.connect()
    found = find_workspace(client, name)
    told = [_instructions(client, found, chosen) for chosen in _agents(found, agent)]
    if output == "json":
        ui.result_json(told[0] if len(told) == 1 else told)
        return
    for one in told:
        place = found.name if len(told) == 1 else f"{found.name}.{one['agent_name']}"
        ui.result(
            "Please run the following command to attach external agent to the workspace"
            f" {ui.styled(place, 'cyan')}:"
        )
        ui.result(f"\n  {one['init_script']}\n")


def _agents(workspace: "Workspace", name: str) -> list[str]:
    """Return the external agents of a workspace, or the one of that name."""
    known = [
        agent.name
        for resource in workspace.latest_build.resources
        if resource.type == EXTERNAL
        for agent in resource.agents
    ]
    if not known:
        raise Refused(
            f"Workspace {workspace.name!r} has no external agent."
            " Its template needs a coder_external_agent, and its last build must have succeeded."
        )
    if name and name not in known:
        raise Refused(f"There is no external agent {name!r}. There is: {', '.join(known)}.")
    return [name] if name else known


def _instructions(client: "Client", workspace: "Workspace", agent: str) -> dict[str, str]:
    credentials = client.external_agent(workspace.id, agent)
    return {
        "workspace_name": workspace.name,
        "agent_name": agent,
        "auth_type": "token",
        "auth_token": credentials.agent_token,
        "init_script": credentials.command,
    }
