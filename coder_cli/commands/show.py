"""``coder show``."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from coder_cli import config, ui
from coder_cli.commands.builds import next_step
from coder_cli.commands.finding import find_workspace
from coder_cli.commands.flags import WorkspaceName
from coder_cli.commands.typed import new_app
from coder_cli.ui.tables import show_table

if TYPE_CHECKING:
    from coder_cli.sdk.agents import WorkspaceAgent
    from coder_cli.sdk.builds import WorkspaceBuild

app = new_app()


@app.command()
def show(
    workspace: WorkspaceName,
    details: Annotated[bool, typer.Option("--details", help="Apps and hidden things, too")] = False,
) -> None:
    """Show what a workspace is made of, and how its agents are."""
    found = find_workspace(config.connect(), workspace)
    build = found.latest_build
    version = build.template_version_name + (" (outdated)" if found.outdated else "")
    ui.result(f"{found.owner_name}/{found.name}: {build.status}")
    ui.result(f"template {found.template_name}, version {version}, build {build.build_number}\n")
    rows = _rows(build, details=details)
    if rows:
        show_table(["RESOURCE", "STATUS", "HEALTH", "VERSION"], rows)
    agents = build.agents()
    if build.status == "running" and build.has_external_agent and not _connected(agents):
        ui.note(next_step(build, workspace))
    elif build.status == "running" and agents:
        name = found.name if len(agents) == 1 else f"{found.name}.{agents[0].name}"
        ui.note(f"\nOpen a shell in it:\n\n  coder ssh {name}\n")
    elif build.status in {"stopped", "failed", "canceled"}:
        ui.note(f"\nStart it:\n\n  coder start {workspace}\n")


def _connected(agents: "Sequence[WorkspaceAgent]") -> bool:
    return any(agent.status == "connected" for agent in agents)


def _rows(build: "WorkspaceBuild", *, details: bool) -> list[list[str]]:
    rows: list[list[str]] = []
    for resource in build.resources:
        if resource.hide and not details:
            continue
        rows.append([f"{resource.type}.{resource.name}", "", "", ""])
        for place, agent in enumerate(resource.agents, 1):
            rows.append(_agent_row(agent, last=place == len(resource.agents)))
            if details:
                rows += [[f"   app {app.slug}", app.health.value, "", ""] for app in agent.apps]
        if details:
            rows += [
                [f"   {one.key} = {'***' if one.sensitive else one.value}", "", "", ""]
                for one in resource.metadata
            ]
    return rows


def _agent_row(agent: "WorkspaceAgent", *, last: bool) -> list[str]:
    system = f"{agent.operating_system}, {agent.architecture}"
    return [
        f"{'└─' if last else '├─'} {agent.name} ({system})",
        f"{agent.status}, {agent.lifecycle_state}",
        "healthy" if agent.health.healthy else f"unhealthy: {agent.health.reason}",
        agent.version,
    ]
