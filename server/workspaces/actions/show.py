"""Workspaces and builds as pages show them; the number of queries does not depend on how many."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from coder_cli.sdk.builds import WorkspaceBuild, WorkspaceBuildTimings
from coder_cli.sdk.workspaces import Workspace as WorkspaceShape
from coder_cli.sdk.workspaces import WorkspacesResponse
from server import provisioning
from server.kit.db import Tx
from server.kit.routing import Page
from server.workspaces import convert
from server.workspaces.actions import find
from server.workspaces.model import Build, Workspace, WorkspaceRules, read_search
from server.workspaces.store import builds as build_store
from server.workspaces.store import listing, timings


async def builds(tx: Tx, found: Sequence[Build]) -> list[WorkspaceBuild]:
    """Return builds with their jobs and what they made."""
    job_ids = [build.job_id for build in found]
    jobs = await provisioning.jobs(tx, job_ids)
    made = await provisioning.resources(tx, job_ids)
    return [
        convert.build_to_sdk(build, jobs[build.job_id], made.get(build.job_id, []))
        for build in found
    ]


async def build(tx: Tx, found: Build) -> WorkspaceBuild:
    """Return one build with its job and what it made."""
    return (await builds(tx, [found]))[0]


async def ordered(tx: Tx, found: Build) -> WorkspaceBuild:
    """Return a build just queued, and how many provisioner daemons could take it."""
    shown = await build(tx, found)
    matched = await provisioning.matched_provisioners(tx, found.organization_id, shown.job.tags)
    return shown.model_copy(update={"matched_provisioners": matched})


async def workspaces(
    tx: Tx, found: Sequence[Workspace], rules: WorkspaceRules
) -> list[WorkspaceShape]:
    """Return workspaces with their latest builds, agents and apps."""
    latest = await build_store.by_ids(tx, [workspace.latest_build_id for workspace in found])
    shown = {each.id: each for each in await builds(tx, list(latest.values()))}
    return [convert.workspace_to_sdk(each, shown[each.latest_build_id], rules) for each in found]


async def workspace(tx: Tx, found: Workspace, rules: WorkspaceRules) -> WorkspaceShape:
    """Return one workspace with its latest build."""
    return (await workspaces(tx, [found], rules))[0]


async def created(tx: Tx, found: Workspace, rules: WorkspaceRules) -> WorkspaceShape:
    """Return a workspace just made, and how many provisioner daemons could take its build."""
    latest = await ordered(tx, await find.build(tx, found.latest_build_id))
    return convert.workspace_to_sdk(found, latest, rules)


async def workspace_by_id(
    tx: Tx, workspace_id: UUID, rules: WorkspaceRules, *, include_deleted: bool = False
) -> WorkspaceShape:
    """Return the workspace as it is now.

    Raises:
        NotFound: there is none, or it is hidden.
        WorkspaceGone: it was deleted.
    """
    found = await find.workspace(tx, workspace_id, include_deleted=include_deleted)
    return await workspace(tx, found, rules)


async def search(tx: Tx, q: str, page: Page, rules: WorkspaceRules) -> WorkspacesResponse:
    """Return one page of the workspaces that match ``q`` and the actor may see.

    Raises:
        Invalid: ``q`` has an unknown key, or a value that its key cannot have.
    """
    found, count = await listing.page(
        tx, read_search(q), limit=page.limit or None, offset=page.offset
    )
    return WorkspacesResponse(workspaces=await workspaces(tx, found, rules), count=count)


async def history(
    tx: Tx, workspace_id: UUID, page: Page, since: datetime | None
) -> list[WorkspaceBuild]:
    """Return a workspace's builds, newest first, also of a deleted workspace."""
    of = await find.workspace(tx, workspace_id, include_deleted=True)
    found = await build_store.of_workspace(
        tx, of.id, since=since, after_id=page.after_id, **page.args()
    )
    return await builds(tx, found)


async def build_timings(tx: Tx, of: Build) -> WorkspaceBuildTimings:
    """Return what a build spent its time on: terraform, scripts, and agents connecting."""
    return WorkspaceBuildTimings(
        provisioner_timings=await provisioning.timings(tx, [of.job_id]),
        agent_script_timings=await timings.scripts(tx, of.job_id),
        agent_connection_timings=await timings.connections(tx, of.job_id),
    )


async def parameters(tx: Tx, of: Build) -> dict[str, str]:
    """Return the parameter values a build ran with."""
    return await build_store.parameters(tx, of.id)
