"""``coder logs``: what a build said, then what the agents' scripts said."""

from threading import Thread
from typing import TYPE_CHECKING, Annotated

import typer

from coder_cli import config, ui
from coder_cli.commands.finding import find_workspace
from coder_cli.commands.flags import WorkspaceName
from coder_cli.commands.following import watch_build
from coder_cli.commands.typed import new_app
from coder_cli.kit.refused import Refused
from coder_cli.sdk.client import Client

if TYPE_CHECKING:
    from coder_cli.sdk.agents import WorkspaceAgent, WorkspaceAgentLog
    from coder_cli.sdk.builds import WorkspaceBuild
    from coder_cli.sdk.workspaces import Workspace

app = new_app()


@app.command()
def logs(
    workspace: WorkspaceName,
    build_number: Annotated[
        int,
        typer.Option(
            "--build-number",
            "-n",
            help="Which build; 0 is the latest, -1 the one before",
            metavar="<number>",
        ),
    ] = 0,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on as long as something comes")
    ] = False,
) -> None:
    """Show the logs of a build and of the agents it made."""
    client = config.connect()
    found = find_workspace(client, workspace)
    build = _build(client, found, build_number)
    if follow and build.job.status.active:
        # Whoever only looks does not cancel by leaving.
        build = watch_build(client, build)
    else:
        for line in client.build_logs(build.id):
            ui.result(f"{line.created_at:%Y-%m-%dT%H:%M:%SZ} [{line.stage}] {line.output}")
    agents = build.agents()
    for agent in agents:
        _show(agent, client.agent_logs(agent.id), several=len(agents) > 1)
    if follow and agents and build.transition == "start":
        _follow_agents(client, agents)


def _build(client: Client, workspace: "Workspace", number: int) -> "WorkspaceBuild":
    latest = workspace.latest_build
    if number == 0:
        return latest
    wanted = number if number > 0 else latest.build_number + number
    if not 1 <= wanted <= latest.build_number:
        raise Refused(
            f"Workspace {workspace.name!r} has builds 1 to {latest.build_number}; there is no"
            f" {wanted}."
        )
    return client.build_by_number(workspace.owner_name, workspace.name, wanted)


def _show(agent: "WorkspaceAgent", lines: "list[WorkspaceAgentLog]", *, several: bool) -> None:
    names = {source.id: source.display_name for source in agent.log_sources}
    for line in lines:
        source = names.get(line.source_id, "")
        origin = f"{agent.name}.{source}" if several else source or agent.name
        ui.result(f"{line.created_at:%Y-%m-%dT%H:%M:%SZ} [{origin}] {line.output}")


def _follow_agents(client: Client, agents: "list[WorkspaceAgent]") -> None:
    # Daemon threads: ctrl-c must end the command although they are waiting for the network.
    threads = [
        Thread(target=_follow_agent, args=(client, agent, len(agents) > 1), daemon=True)
        for agent in agents
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        while thread.is_alive():
            thread.join(0.2)


def _follow_agent(client: Client, agent: "WorkspaceAgent", several: bool) -> None:
    from pydantic_core import from_json
    from websockets.exceptions import ConnectionClosed

    from coder_cli.sdk.agents import WorkspaceAgentLog

    seen = max((line.id for line in client.agent_logs(agent.id)), default=0)
    path = f"/workspaceagents/{agent.id}/logs"
    with client.follow(path, follow=True, after=seen or None) as stream:
        try:
            for frame in stream:
                rows: list[object] = from_json(frame)
                lines = [WorkspaceAgentLog.model_validate(row) for row in rows]
                _show(agent, lines, several=several)
        except ConnectionClosed:
            return
