"""What may be changed about a workspace without building it."""

from uuid import UUID

from server import provisioning
from server.kit.db import Tx
from server.kit.errors import Invalid, PreconditionFailed
from server.workspaces import policy
from server.workspaces.actions import find, timetable
from server.workspaces.errors import BuildActive, invalid_field
from server.workspaces.events import BuildFinished, WorkspaceChanged
from server.workspaces.model import Workspace, WorkspaceRules
from server.workspaces.store import agents, builds, workspaces


async def rename(tx: Tx, workspace_id: UUID, name: str, rules: WorkspaceRules) -> None:
    """Give a workspace another name, where the deployment allows that.

    Raises:
        Invalid: it does not.
        NameTaken: the owner has one of that name.
    """
    workspace = await find.workspace(tx, workspace_id)
    policy.may_update(tx.actor, workspace)
    if name in ("", workspace.name):
        return
    if not rules.allow_renames:
        raise Invalid("Workspace renames are not allowed.")
    await workspaces.rename(tx, workspace.id, name)
    await _changed(tx, workspace)


async def set_favorite(tx: Tx, workspace_id: UUID, *, favorite: bool) -> None:
    """Have the owner see the workspace first, or no longer.

    Raises:
        Forbidden: it is somebody else's.
    """
    workspace = await find.workspace(tx, workspace_id)
    policy.may_favorite(tx.actor, workspace)
    await workspaces.set_favorite(tx, workspace.id, favorite=favorite)


async def set_updates(tx: Tx, workspace_id: UUID, updates: str) -> None:
    """Say whether starts move to the template's active version."""
    workspace = await find.workspace(tx, workspace_id)
    policy.may_update(tx.actor, workspace)
    await workspaces.set_updates(tx, workspace.id, updates)
    await _changed(tx, workspace)


async def set_dormant(tx: Tx, workspace_id: UUID, *, dormant: bool) -> bool:
    """Put a workspace to sleep, or wake it; return False when it is so already."""
    workspace = await find.workspace(tx, workspace_id)
    policy.may_update(tx.actor, workspace)
    if (workspace.dormant_at is not None) == dormant:
        return False
    await workspaces.set_dormant(tx, workspace.id, tx.now if dormant else None)
    await _changed(tx, workspace)
    return True


async def post_usage(tx: Tx, workspace_id: UUID, agent_id: UUID | None, app_name: str) -> None:
    """Take note of a use that a client tells of.

    Raises:
        Invalid: an agent without an app, the other way round, or another workspace's agent.
    """
    workspace = await find.workspace(tx, workspace_id)
    policy.may_update(tx.actor, workspace)
    if (agent_id is None) != (not app_name):
        missing = "agent_id" if agent_id is None else "app_name"
        other = "app_name" if agent_id is None else "agent_id"
        raise invalid_field("Invalid request", missing, f"must be set when {other} is set")
    if agent_id is not None:
        used = await agents.agent(tx, agent_id)
        if used is None or used.workspace_id != workspace.id:
            raise invalid_field("Invalid request", "agent_id", "is no agent of this workspace")
    await timetable.use(tx, workspace.id)


async def cancel(tx: Tx, build_id: UUID, expected: str = "") -> None:
    """Stop a build that is queued or running.

    Raises:
        Forbidden: the template leaves that to its managers.
        PreconditionFailed: it has ended, was cancelled before, or is not as ``expected``.
    """
    build, workspace = await find.build_of(tx, build_id)
    policy.may_cancel(tx.actor, workspace)
    if expected:
        status = (await provisioning.job(tx, build.job_id)).status
        _expect(expected, status)
    job = await provisioning.cancel(tx, build.job_id)
    if job.state is not provisioning.State.CANCELED:
        if expected == "pending":
            # A worker took it after it was looked at.
            _expect(expected, "running")
        await _changed(tx, workspace)
        return
    await builds.keep_state(tx, build.id)
    finished = BuildFinished(
        workspace_id=workspace.id, owner_id=workspace.owner_id, build_id=build.id
    )
    await tx.announce(finished)


def _expect(expected: str, actual: str) -> None:
    if expected != actual:
        raise PreconditionFailed(
            f'Job is not in the expected state. Expected: "{expected}", actual: "{actual}".'
        )


async def state(tx: Tx, build_id: UUID) -> bytes:
    """Return the Terraform state after a build: secrets and all, so for template managers only."""
    build, workspace = await find.build_of(tx, build_id)
    policy.manages_template(tx.actor, workspace, "read Terraform state")
    return await builds.state(tx, build.id)


async def set_state(tx: Tx, build_id: UUID, content: bytes) -> None:
    """Replace the Terraform state after a build, for repairs.

    Raises:
        BuildActive: the build is about to write its own.
    """
    build, workspace = await find.build_of(tx, build_id)
    policy.manages_template(tx.actor, workspace, "provide custom state")
    policy.may_update(tx.actor, workspace)
    await workspaces.lock(tx, workspace.id)
    if (await provisioning.job(tx, build.job_id)).status.active:
        raise BuildActive
    await builds.save_state(tx, build.id, content)


async def _changed(tx: Tx, workspace: Workspace) -> None:
    await tx.announce(WorkspaceChanged(workspace_id=workspace.id, owner_id=workspace.owner_id))
