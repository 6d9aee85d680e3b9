"""How a build ends: what it made, the state it left, and what that means for its workspace."""

from coder_cli.sdk.builds import Transition
from server import identity, provisioning
from server.kit.db import Tx
from server.terraform import Built
from server.terraform import Transition as TerraformTransition
from server.workspaces.events import BuildFinished, WorkspaceChanged
from server.workspaces.model import (
    BadSchedule,
    RunningBuild,
    Workspace,
    parse_weekly,
    session_token_name,
    started_deadline,
)
from server.workspaces.store import builds, workspaces


async def succeeded(tx: Tx, job: provisioning.Job, built: Built) -> None:
    """Write resources, agents, state and deadline; a delete frees the workspace's name."""
    build = await _build(tx, job)
    if build is None:
        return
    # Whoever changes both rows takes the workspace first; see ``timetable``.
    await workspaces.lock(tx, build.workspace_id)
    await builds.save_state(tx, build.build_id, built.state)
    await provisioning.save_timings(tx, job.id, built.timings)
    transition = TerraformTransition(build.transition)
    await provisioning.save_resources(tx, job.id, transition, built.resources)
    starts = build.transition == Transition.START
    await builds.finish(
        tx,
        build.build_id,
        deadline=started_deadline(tx.now, build.ttl_ms, build.rules, build.max_deadline)
        if starts
        else None,
        daily_cost=sum(resource.daily_cost for resource in built.resources),
        has_ai_task=bool(built.ai_tasks),
        has_external_agent=built.has_external_agent,
    )
    await _settle(tx, build, starts=starts)
    await _announce(tx, build)


async def failed(tx: Tx, job: provisioning.Job, built: Built | None) -> None:
    """Write the state that a failed or cancelled build left, else carry on the one before it."""
    build = await _build(tx, job)
    if build is None:
        return
    if built is not None:
        await provisioning.save_timings(tx, job.id, built.timings)
    await _keep(tx, build, built)
    await _announce(tx, build)


async def released(tx: Tx, job: provisioning.Job, built: Built | None) -> None:
    """Write the state that an interrupted build left; its next run begins there."""
    build = await _build(tx, job)
    if build is None:
        return
    await _keep(tx, build, built)
    await changed(tx, build)


async def forgotten(tx: Tx, job: provisioning.Job, workspace: Workspace) -> None:
    """Delete the record of a workspace that left nothing to destroy, without any worker."""
    name = session_token_name(workspace.owner_id, workspace.id)
    await identity.revoke_key(tx, workspace.owner_id, name)
    await succeeded(tx, job, Built())


async def changed(tx: Tx, build: RunningBuild) -> None:
    """Tell whoever watches the workspace to look again."""
    await tx.announce(WorkspaceChanged(workspace_id=build.workspace_id, owner_id=build.owner_id))


async def _build(tx: Tx, job: provisioning.Job) -> RunningBuild | None:
    return await builds.running(tx, job.input_id("workspace_build_id"))


async def _keep(tx: Tx, build: RunningBuild, built: Built | None) -> None:
    if built is not None and built.state is not None:
        await builds.save_state(tx, build.build_id, built.state)
    else:
        await builds.keep_state(tx, build.build_id)


async def _settle(tx: Tx, build: RunningBuild, *, starts: bool) -> None:
    if build.transition == Transition.DELETE:
        await workspaces.delete(tx, build.workspace_id)
        return
    await workspaces.set_running(tx, build.workspace_id, running=starts)
    if build.autostart_schedule:
        try:
            due = parse_weekly(build.autostart_schedule).after(tx.now, build.autostart_days)
        except BadSchedule:
            # Zones leave the zone database; such a workspace is started by hand.
            due = None
        await workspaces.set_next_start(tx, build.workspace_id, due)


async def _announce(tx: Tx, build: RunningBuild) -> None:
    await tx.announce(
        BuildFinished(
            workspace_id=build.workspace_id, owner_id=build.owner_id, build_id=build.build_id
        )
    )
