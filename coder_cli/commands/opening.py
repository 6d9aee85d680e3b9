"""``coder open``: a workspace in an editor, or one of its apps in a browser."""

from typing import TYPE_CHECKING, Annotated
from urllib.parse import quote, urlencode

import typer

from coder_cli import config, ui
from coder_cli.commands.finding import find_workspace
from coder_cli.commands.flags import WorkspaceName
from coder_cli.commands.typed import new_app
from coder_cli.kit.refused import Refused
from coder_cli.ui import browser

if TYPE_CHECKING:
    from coder_cli.sdk.agents import WorkspaceAgent, WorkspaceApp
    from coder_cli.sdk.client import Client
    from coder_cli.sdk.workspaces import Workspace

app = new_app("Open a workspace in an editor or browser.")
ABSOLUTE = ("/", "~")


@app.callback()
def group() -> None:
    """Open a workspace in an editor or browser."""


@app.command()
def vscode(
    workspace: Annotated[
        str,
        typer.Argument(
            metavar="<workspace[.agent]>", help="A name, or owner/name.", show_default=False
        ),
    ],
    directory: Annotated[
        str,
        typer.Argument(metavar="[directory]", help="In the workspace.", show_default=False),
    ] = "",
    generate_token: Annotated[
        bool, typer.Option("--generate-token", help="Show a link that logs in, too; keep it secret")
    ] = False,
) -> None:
    """Open a workspace in VS Code on this machine; show the link where that cannot be done."""
    client = config.connect()
    found, agent = _running(client, workspace)
    query = {
        "owner": found.owner_name,
        "workspace": found.name,
        "agent": agent.name,
        "url": client.url,
        "folder": _folder(agent, directory),
    }
    link = f"vscode://coder.coder-remote/open?{urlencode({k: v for k, v in query.items() if v})}"
    if generate_token:
        # Shown, never opened: what opens a link tells it to every process of this machine.
        ui.result(f"{link}&token={quote(client.create_session_key())}")
    elif _shown(link):
        ui.note("Opened in VS Code.")
    else:
        ui.result(link)


@app.command("app")
def app_(
    workspace: WorkspaceName,
    slug: Annotated[
        str,
        typer.Argument(
            metavar="[app]", help="Its slug; all are listed without.", show_default=False
        ),
    ] = "",
) -> None:
    """Open an app of a workspace in the browser; show its URL where that cannot be done."""
    client = config.connect()
    found, agent = _running(client, workspace)
    apps = [one for one in agent.apps if not one.command]
    chosen = next((one for one in apps if one.slug == slug), None)
    if chosen is None:
        names = ", ".join(one.slug for one in apps) or "none"
        what = f"There is no app {slug!r}." if slug else "Which app?"
        raise Refused(f"{what} Agent {agent.name!r} has: {names}.")
    address = _address(client, found, agent, chosen)
    if not _shown(address):
        ui.result(address)


def _running(client: "Client", text: str) -> "tuple[Workspace, WorkspaceAgent]":
    name, _, wanted = text.partition(".")
    found = find_workspace(client, name)
    if found.latest_build.status != "running":
        raise Refused(
            f"Workspace {found.name!r} is {found.latest_build.status}."
            f" Start it with: coder start {name}"
        )
    agents = found.latest_build.agents()
    chosen = [one for one in agents if not wanted or one.name == wanted]
    match chosen:
        case [only]:
            return found, only
        case []:
            names = ", ".join(one.name for one in agents) or "none"
            raise Refused(f"Workspace {found.name!r} has no agent {wanted!r}; it has: {names}.")
        case _:
            names = ", ".join(f"{found.name}.{one.name}" for one in agents)
            raise Refused(f"Workspace {found.name!r} has several agents. Choose one: {names}.")


def _folder(agent: "WorkspaceAgent", directory: str) -> str:
    if not directory or directory.startswith(ABSOLUTE):
        return directory or agent.expanded_directory
    if not agent.expanded_directory:
        raise Refused("The agent does not say where it is: give the whole path of the directory.")
    return f"{agent.expanded_directory.rstrip('/')}/{directory}"


def _address(
    client: "Client", workspace: "Workspace", agent: "WorkspaceAgent", one: "WorkspaceApp"
) -> str:
    if one.external:
        return one.url
    place = f"{workspace.name}.{agent.name}/apps/{one.slug}"
    return f"{client.url}/@{workspace.owner_name}/{place}/"


def _shown(address: str) -> bool:
    """Try to open an address on this machine; False where nobody would see it."""
    options = config.current()
    if options.on("no-open") or not ui.can_ask(force=options.on("force-tty")):
        return False
    return browser.opened(address)
