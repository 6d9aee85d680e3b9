"""Workspaces and builds as the wire shows them."""

from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from coder_cli.sdk.agents import WorkspaceAgent, WorkspaceAppStatus
from coder_cli.sdk.builds import (
    BuildReason,
    CreateWorkspaceBuildRequest,
    Transition,
    WorkspaceBuild,
    WorkspaceResource,
)
from coder_cli.sdk.common import NameValue
from coder_cli.sdk.jobs import ProvisionerJob
from coder_cli.sdk.templates import PortShareLevel
from coder_cli.sdk.workspaces import (
    AutomaticUpdates,
    CreateWorkspaceRequest,
    PortShareProtocol,
    SharedWorkspaceActor,
    UpdateWorkspaceACL,
    UpsertWorkspaceAgentPortShareRequest,
    WorkspaceACL,
    WorkspaceAgentPortShare,
    WorkspaceGroup,
    WorkspaceHealth,
    WorkspaceRole,
    WorkspaceUser,
)
from coder_cli.sdk.workspaces import Workspace as WorkspaceShape
from server.kit.errors import FieldError, Invalid
from server.workspaces.errors import invalid_field
from server.workspaces.model import (
    Build,
    BuildOrder,
    PortShare,
    ShareOrder,
    Sharers,
    Workspace,
    WorkspaceOrder,
    WorkspaceRules,
    workspace_status,
)


def build_to_sdk(
    build: Build, job: ProvisionerJob, resources: Sequence[WorkspaceResource]
) -> WorkspaceBuild:
    """Return a build as clients see it."""
    transition = Transition(build.transition)
    return WorkspaceBuild(
        id=build.id,
        created_at=build.created_at,
        updated_at=build.updated_at,
        workspace_id=build.workspace_id,
        workspace_name=build.workspace_name,
        workspace_owner_id=build.owner_id,
        workspace_owner_name=build.owner_name,
        workspace_owner_avatar_url=build.owner_avatar_url,
        template_version_id=build.template_version_id,
        template_version_name=build.template_version_name,
        build_number=build.build_number,
        transition=transition,
        initiator_id=build.initiator_id,
        initiator_name=build.initiator_name,
        job=job,
        reason=BuildReason(build.reason),
        resources=list(resources),
        deadline=build.deadline,
        max_deadline=build.max_deadline,
        status=workspace_status(transition, job.status),
        daily_cost=build.daily_cost,
        template_version_preset_id=build.preset_id,
        has_ai_task=build.has_ai_task,
        has_external_agent=build.has_external_agent,
    )


def workspace_to_sdk(
    workspace: Workspace, latest: WorkspaceBuild, rules: WorkspaceRules, sharers: Sharers
) -> WorkspaceShape:
    """Return a workspace as clients see it; ``sharers`` are those that its lists name."""
    return WorkspaceShape(
        id=workspace.id,
        created_at=workspace.created_at,
        updated_at=workspace.updated_at,
        owner_id=workspace.owner_id,
        owner_name=workspace.owner_name,
        owner_avatar_url=workspace.owner_avatar_url,
        organization_id=workspace.organization_id,
        organization_name=workspace.organization_name,
        template_id=workspace.template_id,
        template_name=workspace.template_name,
        template_display_name=workspace.template_display_name,
        template_icon=workspace.template_icon,
        template_allow_user_cancel_workspace_jobs=(
            workspace.template_allow_user_cancel_workspace_jobs
        ),
        template_active_version_id=workspace.template_active_version_id,
        template_require_active_version=workspace.template_require_active_version,
        template_use_classic_parameter_flow=workspace.template_use_classic_parameter_flow,
        latest_build=latest,
        latest_app_status=_latest_app_status(latest.agents()),
        outdated=latest.template_version_id != workspace.template_active_version_id,
        name=workspace.name,
        autostart_schedule=workspace.autostart_schedule,
        ttl_ms=workspace.ttl_ms,
        last_used_at=workspace.last_used_at,
        deleting_at=workspace.deleting_at,
        dormant_at=workspace.dormant_at,
        health=health(latest.agents()),
        automatic_updates=AutomaticUpdates(workspace.automatic_updates),
        allow_renames=rules.allow_renames,
        favorite=workspace.favorite,
        next_start_at=workspace.next_start_at,
        shared_with=_shared_with(workspace, sharers),
    )


def _shared_with(workspace: Workspace, sharers: Sharers) -> list[SharedWorkspaceActor]:
    roles = {**workspace.user_acl, **workspace.group_acl}
    return [
        SharedWorkspaceActor(
            id=one.id,
            name=one.name,
            avatar_url=one.avatar_url,
            actor_type="group" if one.group else "user",
            roles=[WorkspaceRole(roles[who])],
        )
        for who, one in sharers.items()
        if who in roles
    ]


def acl_to_sdk(workspace: Workspace, sharers: Sharers) -> WorkspaceACL:
    """Return whom a workspace is shared with; who is gone by now is left out."""
    return WorkspaceACL(
        users=[
            WorkspaceUser(
                id=one.id,
                username=one.name,
                name=one.display_name,
                avatar_url=one.avatar_url,
                role=WorkspaceRole(workspace.user_acl[who]),
            )
            for who, one in sharers.items()
            if not one.group and who in workspace.user_acl
        ],
        groups=[
            WorkspaceGroup(
                id=one.id,
                name=one.name,
                organization_id=workspace.organization_id,
                organization_name=workspace.organization_name,
                organization_display_name=one.display_name,
                total_member_count=one.members,
                role=WorkspaceRole(workspace.group_acl[who]),
            )
            for who, one in sharers.items()
            if one.group and who in workspace.group_acl
        ],
    )


def share_order(request: UpdateWorkspaceACL) -> ShareOrder:
    """Return what a request changes about whom a workspace is shared with."""
    return ShareOrder(users=dict(request.user_roles), groups=dict(request.group_roles))


def port_share(workspace_id: UUID, request: UpsertWorkspaceAgentPortShareRequest) -> PortShare:
    """Return the port that a request opens."""
    return PortShare(
        workspace_id, request.agent_name, request.port, request.share_level, request.protocol
    )


def port_to_sdk(share: PortShare) -> WorkspaceAgentPortShare:
    """Return an open port as clients see it."""
    return WorkspaceAgentPortShare(
        workspace_id=share.workspace_id,
        agent_name=share.agent_name,
        port=share.port,
        share_level=PortShareLevel(share.share_level),
        protocol=PortShareProtocol(share.protocol),
    )


def health(agents: Iterable[WorkspaceAgent]) -> WorkspaceHealth:
    """Return whether every agent is well; those in containers do not count."""
    failing = [agent.id for agent in agents if agent.parent_id is None and not agent.health.healthy]
    return WorkspaceHealth(healthy=not failing, failing_agents=failing)


def _latest_app_status(agents: Iterable[WorkspaceAgent]) -> WorkspaceAppStatus | None:
    statuses = [status for agent in agents for app in agent.apps for status in app.statuses]
    return max(statuses, key=lambda status: status.created_at, default=None)


def workspace_order(request: CreateWorkspaceRequest) -> WorkspaceOrder:
    """Return what a request for a new workspace asks for.

    Raises:
        Invalid: it names neither a template nor a version, or both, or a parameter twice.
    """
    if (request.template_id is None) == (request.template_version_id is None):
        detail = "Give either template_id or template_version_id."
        fields = [FieldError("template_id", detail), FieldError("template_version_id", detail)]
        raise Invalid("Validation failed.", fields=fields)
    return WorkspaceOrder(
        name=request.name,
        template_id=request.template_id,
        version_id=request.template_version_id,
        preset_id=request.template_version_preset_id,
        parameters=_values(request.rich_parameter_values),
        autostart_schedule=request.autostart_schedule or "",
        ttl_ms=request.ttl_ms,
        automatic_updates=request.automatic_updates or AutomaticUpdates.NEVER,
    )


def build_order(request: CreateWorkspaceBuildRequest, state: bytes | None) -> BuildOrder:
    """Return what a request for a build asks for.

    Raises:
        Invalid: the parts of the request do not go together.
    """
    if request.dry_run:
        raise invalid_field(
            "Validation failed.",
            "dry_run",
            "Builds cannot be tried out; use the dry-run of the template version.",
        )
    if request.orphan and request.transition is not Transition.DELETE:
        raise Invalid("Orphan is only permitted when deleting a workspace.")
    if request.orphan and state is not None:
        raise Invalid(
            "ProvisionerState cannot be set alongside Orphan since state intent is unclear."
        )
    return BuildOrder(
        transition=request.transition,
        version_id=request.template_version_id,
        preset_id=request.template_version_preset_id,
        parameters=_values(request.rich_parameter_values),
        reason=request.reason or BuildReason.INITIATOR,
        state=state,
        orphan=request.orphan,
        log_level=request.log_level,
    )


def _values(given: Sequence[NameValue]) -> Mapping[str, str]:
    values = {each.name: each.value for each in given}
    if len(values) < len(given):
        raise invalid_field(
            "Validation failed.", "rich_parameter_values", "A parameter is named twice."
        )
    return values


def values_to_sdk(values: Mapping[str, str]) -> list[NameValue]:
    """Return parameter values as clients see them."""
    return [NameValue(name=name, value=value) for name, value in values.items()]
