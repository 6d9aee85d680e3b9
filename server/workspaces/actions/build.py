"""One more build: what it stands on, which version and values it runs with, and its job."""

from collections.abc import Mapping
from dataclasses import replace
from uuid import UUID, uuid4

from coder_cli.sdk.builds import Transition
from server import provisioning, templates
from server.kit.db import Tx
from server.kit.errors import Invalid, NotFound
from server.workspaces import policy
from server.workspaces.actions import finish
from server.workspaces.errors import (
    BuildActive,
    ChangedMeanwhile,
    Dormant,
    NotImported,
    TemplateManagersOnly,
    WorkspaceGone,
    invalid_field,
)
from server.workspaces.events import WorkspaceChanged
from server.workspaces.model import BuildOrder, LastBuild, NewBuild, Workspace
from server.workspaces.model.order import Answers
from server.workspaces.store import builds, workspaces


async def order(
    tx: Tx, workspace: Workspace, wanted: BuildOrder, answers: Answers | None = None
) -> UUID:
    """Queue a build of a workspace that the actor was shown; return its id.

    Of two that come at the same moment one waits for the other, and is refused. ``answers`` are
    what ``asking`` learned of the form; without them the stored parameters are the rule.

    Raises:
        BuildActive: another build has not ended.
        Dormant: it must be activated before it is started.
        Forbidden: the actor may not do this to the workspace.
        BadParameters: with one FieldError for each value.
        Invalid: another part of the order makes no sense.
    """
    if workspace.dormant_at is not None and wanted.transition is Transition.START:
        raise Dormant
    policy.may_build(tx.actor, workspace, wanted)
    return await queue(tx, workspace, wanted, answers)


async def queue(
    tx: Tx, workspace: Workspace, wanted: BuildOrder, answers: Answers | None = None
) -> UUID:
    """Queue a build; the caller asked who may do so. See ``order``."""
    if not await workspaces.lock(tx, workspace.id):
        raise WorkspaceGone(workspace.id)
    last = await builds.last(tx, workspace.id)
    if last is not None and last.active:
        raise BuildActive
    version = await version_of(tx, workspace, wanted, last)
    if answers is None:
        preset = await preset_values(tx, version.id, wanted.preset_id)
        values = await _values(tx, version.id, wanted, preset, last)
    else:
        if (answers.version_id, answers.after) != (version.id, last.id if last else None):
            raise ChangedMeanwhile
        values = answers.values
        version = replace(version, workspace_tags=dict(answers.workspace_tags))
    build = await _write(tx, workspace, wanted, version, last, values)
    await tx.announce(WorkspaceChanged(workspace_id=workspace.id, owner_id=workspace.owner_id))
    return build


async def _write(
    tx: Tx,
    workspace: Workspace,
    wanted: BuildOrder,
    version: templates.Version,
    last: LastBuild | None,
    values: Mapping[str, str],
) -> UUID:
    build_id = uuid4()
    initiator = tx.actor.id or workspace.owner_id
    job = await provisioning.enqueue(
        tx,
        provisioning.NewJob(
            type=provisioning.JobType.WORKSPACE_BUILD,
            organization_id=workspace.organization_id,
            initiator_id=initiator,
            file_id=version.file_id,
            input={"workspace_build_id": str(build_id)},
            tags=provisioning.job_tags(
                {**version.tags, **version.workspace_tags}, workspace.owner_id
            ),
        ),
    )
    new = NewBuild(
        id=build_id,
        workspace_id=workspace.id,
        build_number=last.build_number + 1 if last else 1,
        template_version_id=version.id,
        transition=wanted.transition,
        reason=wanted.reason,
        initiator_id=initiator,
        job_id=job.id,
        preset_id=wanted.preset_id,
        orphan=wanted.orphan,
        log_level=wanted.log_level,
        state=wanted.state,
    )
    await builds.insert(tx, new, values)
    await workspaces.set_running(tx, workspace.id, running=False)
    if wanted.transition is Transition.START:
        await workspaces.use(tx, workspace.id)
    if wanted.transition is Transition.DELETE and await _asks_nobody(tx, new, job):
        await provisioning.settle(tx, job.id)
        await finish.forgotten(tx, job, workspace)
    return build_id


async def _asks_nobody(tx: Tx, new: NewBuild, job: provisioning.Job) -> bool:
    """Tell whether a delete has nothing to destroy, and nobody who could come to that conclusion.

    Otherwise a workspace whose provisioner is gone for good could never be deleted.
    """
    if not new.orphan:
        build = await builds.running(tx, new.id)
        if build is None or build.state:
            return False
    matched = await provisioning.matched_provisioners(tx, job.organization_id, job.tags)
    return matched.available == 0


async def version_of(
    tx: Tx, workspace: Workspace, wanted: BuildOrder, last: LastBuild | None
) -> templates.Version:
    """Return the version to build with: the one asked for, else the right one for this start.

    Raises:
        Forbidden: the actor may not build with it.
        Invalid: it is another template's, or its import has not succeeded.
    """
    active = workspace.template_active_version_id
    starts = wanted.transition is Transition.START
    manager = policy.is_template_manager(tx.actor, workspace)
    must_be_active = workspace.template_require_active_version and starts and not manager
    if wanted.version_id is not None:
        version_id = wanted.version_id
    elif last is None or must_be_active or (starts and workspace.automatic_updates == "always"):
        version_id = active
    else:
        version_id = last.template_version_id
    if starts:
        policy.may_use_template(tx.actor, workspace.template, workspace.template_name)
    if version_id == (last.template_version_id if last else None):
        # It was built with: stopping and deleting work for whoever lost the template since.
        version = await templates.built_version(tx, version_id)
    else:
        version = await _known_version(tx, version_id)
    if version.template_id != workspace.template_id:
        raise invalid_field(
            "The template version does not belong to the workspace's template.",
            "template_version_id",
            "template version doesn't match template",
        )
    if must_be_active and version_id != active:
        raise TemplateManagersOnly("build with a version that is not the active one")
    if not version.imported:
        raise NotImported(version.name, version.job_state)
    return version


async def _known_version(tx: Tx, version_id: UUID) -> templates.Version:
    try:
        return await templates.version(tx, version_id)
    except NotFound:
        raise invalid_field(
            f'Template version "{version_id}" doesn\'t exist.',
            "template_version_id",
            "template version not found",
        ) from None


async def preset_values(tx: Tx, version_id: UUID, preset_id: UUID | None) -> Mapping[str, str]:
    """Return the values of a version's preset, none for no preset.

    Raises:
        Invalid: the version has no such preset.
    """
    if preset_id is None:
        return {}
    for preset in await templates.presets(tx, version_id):
        if preset.id == preset_id:
            return preset.parameters
    raise invalid_field(
        "The preset does not belong to the template version.",
        "template_version_preset_id",
        "preset not found",
    )


async def _values(
    tx: Tx,
    version_id: UUID,
    wanted: BuildOrder,
    preset: Mapping[str, str],
    last: LastBuild | None,
) -> Mapping[str, str]:
    """Return the parameters' values.

    Stopping and deleting must work whatever became of the template's parameters: values that
    no longer pass are taken as they were, unless the order brings values of its own.
    """
    previous = await builds.parameters(tx, last.id) if last else {}
    if last is not None and not asks(wanted):
        return previous
    parameters = await templates.version_parameters(tx, version_id)
    values = templates.Values(
        previous=previous, given=wanted.parameters, preset=preset, first_build=last is None
    )
    try:
        return templates.resolve_parameters(parameters, values)
    except templates.BadParameters:
        if wanted.transition is Transition.START or wanted.parameters or preset:
            raise
        return previous


def asks(wanted: BuildOrder) -> bool:
    """Tell whether a build's values are asked for anew; otherwise it runs with those before."""
    new_values = bool(wanted.parameters) or wanted.preset_id is not None
    return new_values or wanted.transition is Transition.START


async def would_move(tx: Tx, workspace: Workspace) -> bool:
    """Tell whether an automatic start would be the first one on the active version."""
    if workspace.automatic_updates != "always":
        return False
    last = await builds.last(tx, workspace.id)
    return last is not None and last.template_version_id != workspace.template_active_version_id


async def mismatch(tx: Tx, workspace: Workspace) -> bool:
    """Tell whether the stored parameters of the active version refuse the last build's values."""
    last = await builds.last(tx, workspace.id)
    start = BuildOrder(Transition.START)
    try:
        await _values(tx, workspace.template_active_version_id, start, {}, last)
    except Invalid:
        return True
    return False
