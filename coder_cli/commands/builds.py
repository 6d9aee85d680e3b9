"""Start, stop and delete builds, as several commands do it."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Literal

from coder_cli import config, ui
from coder_cli.commands.following import follow_build, watch_build
from coder_cli.commands.live_parameters import resolve_live
from coder_cli.commands.parameters import Situation, Wanted, resolve
from coder_cli.kit.clock import SystemClock
from coder_cli.kit.refused import Refused
from coder_cli.sdk.client import Client
from coder_cli.sdk.errors import ApiError
from coder_cli.ui.words import timestamp

if TYPE_CHECKING:
    from uuid import UUID

    from coder_cli.sdk.builds import WorkspaceBuild
    from coder_cli.sdk.common import NameValue
    from coder_cli.sdk.forms import DynamicParametersResponse
    from coder_cli.sdk.workspaces import Workspace


def asker() -> ui.Asker:
    """Return who asks questions in this process."""
    return ui.Asker(force_tty=config.current().on("force-tty"))


def values_for(
    client: Client,
    version_id: "UUID",
    wants: Wanted,
    *,
    workspace: "Workspace | None",
    ask: bool,
    owner: str = "me",
) -> "list[NameValue]":
    """Return the parameter values for a build of ``workspace``, or of a new one, on a version."""
    previous: Mapping[str, str] = {}
    if workspace is not None:
        used = client.build_parameters(workspace.latest_build.id)
        previous = {one.name: one.value for one in used}
    force = config.current().on("force-tty")
    situation = Situation(
        previous=previous,
        first=workspace is None,
        ask=ask and ui.can_ask(force=force),
        force_tty=force,
    )
    owner_id = workspace.owner_id if workspace else _owner_id(client, owner)

    def evaluate(inputs: Mapping[str, str]) -> "DynamicParametersResponse":
        return client.evaluate_form(version_id, inputs, owner_id)

    try:
        return resolve_live(evaluate, wants, situation)
    except ApiError as error:
        if error.status != HTTPStatus.NOT_FOUND:
            raise
    # An older server evaluates no forms.
    try:
        asked = client.template_version_parameters(version_id)
    except ApiError as error:
        if error.status != HTTPStatus.NOT_FOUND or workspace is None:
            raise
        raise Refused(
            f"You no longer have access to template {workspace.template_name!r}, without which"
            f" {workspace.name!r} is not started. Stopping and deleting it still work."
        ) from error
    return resolve(asked, wants, situation)


def _owner_id(client: Client, owner: str) -> "UUID | None":
    """Return whom a form is asked for; None is the caller."""
    if owner == "me":
        return None
    try:
        return client.user(owner).id
    except ApiError as error:
        # Who may make workspaces for somebody need not be allowed to look at their account.
        if error.status in {HTTPStatus.NOT_FOUND, HTTPStatus.FORBIDDEN}:
            return None
        raise


def build(
    client: Client,
    workspace: "Workspace",
    transition: Literal["start", "stop", "delete"],
    *,
    version_id: "UUID | None" = None,
    values: "list[NameValue] | None" = None,
    orphan: bool = False,
) -> "WorkspaceBuild":
    """Ask for a build of a workspace."""
    from coder_cli.sdk.builds import CreateWorkspaceBuildRequest, Transition

    request = CreateWorkspaceBuildRequest(
        transition=Transition(transition),
        template_version_id=version_id,
        rich_parameter_values=values or [],
        orphan=orphan,
        reason="cli",
    )
    return client.create_build(workspace.id, request)


def start(
    client: Client, workspace: "Workspace", version_id: "UUID", wants: Wanted, *, yes: bool
) -> "WorkspaceBuild":
    """Start a workspace on a version of its template; parameters are asked for if needed."""
    values = values_for(client, version_id, wants, workspace=workspace, ask=not yes)
    return build(client, workspace, "start", version_id=version_id, values=values)


def stop_and_wait(client: Client, workspace: "Workspace") -> None:
    """Stop a workspace and show how it goes."""
    follow_build(client, build(client, workspace, "stop"))


def cancel_and_wait(client: Client, workspace: "Workspace") -> None:
    """Cancel the build that is on its way, and show how it ends."""
    client.cancel_build(workspace.latest_build.id)
    watch_build(client, workspace.latest_build)


def start_version(workspace: "Workspace") -> "UUID":
    """Return the version on which a plain start builds."""
    if workspace.template_require_active_version or workspace.automatic_updates == "always":
        return workspace.template_active_version_id
    return workspace.latest_build.template_version_id


def refuse_while_building(workspace: "Workspace") -> None:
    """Refuse while another build of the workspace runs.

    Raises:
        Refused: one does.
    """
    if workspace.latest_build.job.status.active:
        name = f"{workspace.owner_name}/{workspace.name}"
        raise Refused(
            f"Workspace {workspace.name!r} is {workspace.latest_build.status} just now."
            f" Watch it with: coder logs --follow {name}"
            f"\nCancel it with: coder builds cancel {name}"
        )


def now() -> str:
    """Return the present moment as closing lines say it."""
    return timestamp(SystemClock().now())


def next_step(build: "WorkspaceBuild", name: str) -> str:
    """Return what one types after a start: a shell, or what brings one's own machine in."""
    if build.has_external_agent:
        return (
            "\nSee what to type on your machine:\n\n"
            f"  coder external-workspaces agent-instructions {name}\n"
        )
    if not build.agents():
        return f"\nIt has no agent to open a shell with. See what it has:\n\n  coder show {name}\n"
    return f"\nOpen a shell in it:\n\n  coder ssh {name}\n"
