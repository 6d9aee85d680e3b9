"""Workspaces and builds as pages show them; the number of queries does not depend on how many."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from coder_cli.sdk.builds import Transition, WorkspaceBuild, WorkspaceBuildTimings
from coder_cli.sdk.jobs import JobStatus
from coder_cli.sdk.workspaces import Workspace as WorkspaceShape
from coder_cli.sdk.workspaces import WorkspaceBuildUpdate, WorkspacesResponse
from server import provisioning
from server.kit.db import Tx
from server.kit.routing import Page
from server.workspaces import convert
from server.workspaces.actions import find
from server.workspaces.model import Build, Sharers, Workspace, WorkspaceRules, read_search
from server.workspaces.store import builds as build_store
from server.workspaces.store import listing, sharing, timings


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
    """Return one build with its job and what it made.

    As long as it waits, it says how many provisioner daemons could take it.
    """
    shown = (await builds(tx, [found]))[0]
    if shown.job.status is not JobStatus.PENDING:
        return shown
    matched = await provisioning.matched_provisioners(tx, found.organization_id, shown.job.tags)
    return shown.model_copy(update={"matched_provisioners": matched})


async def update(tx: Tx, workspace_id: UUID) -> WorkspaceBuildUpdate:
    """Return how the latest build of a workspace stands, in few words.

    Raises:
        NotFound: there is none, or it is hidden.
    """
    of = await find.workspace(tx, workspace_id, include_deleted=True)
    latest = await find.build(tx, of.latest_build_id)
    job = await provisioning.job(tx, latest.job_id)
    return WorkspaceBuildUpdate(
        workspace_id=of.id,
        workspace_name=of.name,
        build_id=latest.id,
        build_number=latest.build_number,
        transition=Transition(latest.transition),
        job_status=job.status,
    )


async def workspaces(
    tx: Tx, found: Sequence[Workspace], rules: WorkspaceRules
) -> list[WorkspaceShape]:
    """Return workspaces with their latest builds, agents and apps."""
    latest = await build_store.by_ids(tx, [workspace.latest_build_id for workspace in found])
    shown = {each.id: each for each in await builds(tx, list(latest.values()))}
    sharers = await _sharers(tx, found)
    return [
        convert.workspace_to_sdk(each, shown[each.latest_build_id], rules, sharers)
        for each in found
    ]


async def workspace(tx: Tx, found: Workspace, rules: WorkspaceRules) -> WorkspaceShape:
    """Return one workspace with its latest build."""
    latest = await build(tx, await find.build(tx, found.latest_build_id))
    return convert.workspace_to_sdk(found, latest, rules, await _sharers(tx, [found]))


async def _sharers(tx: Tx, found: Sequence[Workspace]) -> Sharers:
    """Return whom the workspaces' lists of access name: most have none, and cost no query."""
    users = (who for each in found for who in each.user_acl)
    groups = (who for each in found for who in each.group_acl)
    return await sharing.sharers(tx, users, groups)


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
