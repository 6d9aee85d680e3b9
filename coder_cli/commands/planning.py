"""What a workspace would be made of: a dry run, shown before anybody says yes."""

from typing import TYPE_CHECKING

from coder_cli import ui
from coder_cli.commands.following import Watch
from coder_cli.kit.refused import Refused
from coder_cli.ui.progress import JobProgress

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from coder_cli.sdk.builds import WorkspaceResource
    from coder_cli.sdk.client import Client
    from coder_cli.sdk.common import NameValue


def show_plan(
    client: "Client", version_id: "UUID", name: str, values: "Sequence[NameValue]"
) -> None:
    """Have a start of a workspace planned with these values, and say what it would make.

    Raises:
        Refused: it cannot be planned, so it could not be built either.
    """
    from coder_cli.sdk.templates import CreateTemplateVersionDryRunRequest

    request = CreateTemplateVersionDryRunRequest(
        workspace_name=name, rich_parameter_values=list(values)
    )
    job = client.create_dry_run(version_id, request)
    watch = Watch(
        client,
        f"/templateversions/{version_id}/dry-run/{job.id}/logs",
        lambda: client.dry_run(version_id, job.id),
        lambda: client.cancel_dry_run(version_id, job.id),
        JobProgress(quiet=True),
    )
    ended = watch.run()
    if ended.status == "canceled":
        raise Refused("Canceled: nothing was changed.")
    if ended.status != "succeeded":
        raise Refused(f"The workspace cannot be planned: {ended.error or ended.status}")
    _show(client.dry_run_resources(version_id, job.id))


def _show(planned: "Sequence[WorkspaceResource]") -> None:
    shown = [one for one in planned if one.workspace_transition == "start" and not one.hide]
    if not shown:
        ui.note("The workspace will have no resources.")
        return
    ui.note("The workspace will have:")
    for resource in shown:
        cost = f", daily cost {resource.daily_cost}" if resource.daily_cost else ""
        ui.note(f"  {resource.type}.{resource.name}{cost}")
        for agent in resource.agents:
            ui.note(f"    agent {agent.name} ({agent.operating_system}, {agent.architecture})")
