"""May this actor do that to a workspace? Reads are filtered in SQL; these are the writes."""

from uuid import UUID

from coder_cli.sdk.builds import Transition
from server.kit.authz import Action, Actor, Kind, Object
from server.kit.errors import Forbidden, Invalid
from server.workspaces.errors import TemplateManagersOnly
from server.workspaces.model import BuildOrder, Workspace, WorkspaceRules

_ACTIONS = {
    Transition.START: Action.START,
    Transition.STOP: Action.STOP,
    Transition.DELETE: Action.DELETE,
}


def may_create(actor: Actor, owner_id: UUID, organization_id: UUID) -> None:
    """Refuse unless the actor may make workspaces for this owner."""
    wanted = Object(Kind.WORKSPACE, owner_id=owner_id, organization_id=organization_id)
    actor.require(Action.CREATE, wanted)


def may_use_template(actor: Actor, template: Object, name: str) -> None:
    """Refuse unless the actor may make workspaces from this template."""
    if not actor.can(Action.USE, template):
        raise Forbidden(f'Unauthorized access to use the template "{name}".')


def may_build(actor: Actor, workspace: Workspace, order: BuildOrder) -> None:
    """Refuse unless the actor may have this build run."""
    actor.require(_ACTIONS[order.transition], workspace.object)
    if order.state is not None:
        manages_template(actor, workspace, "provide custom state")
    if order.orphan:
        manages_template(actor, workspace, "orphan a workspace")
    if order.log_level:
        manages_template(actor, workspace, "set a custom log level")


def may_debug(order: BuildOrder, rules: WorkspaceRules) -> None:
    """Refuse Terraform's debug messages where the deployment does not have them.

    Raises:
        Invalid: it does not.
    """
    if order.log_level and not rules.terraform_debug:
        raise Invalid(
            "Terraform debug mode is disabled in the deployment configuration.",
            detail="Start the server with --enable-terraform-debug-mode to have it.",
        )


def may_update(actor: Actor, workspace: Workspace) -> None:
    """Refuse unless the actor may change this workspace."""
    actor.require(Action.UPDATE, workspace.object)


def may_cancel(actor: Actor, workspace: Workspace) -> None:
    """Refuse unless the actor may stop what runs; a template can reserve that to its managers."""
    may_update(actor, workspace)
    if not workspace.template_allow_user_cancel_workspace_jobs and not is_template_manager(
        actor, workspace
    ):
        raise Forbidden(
            "User is not allowed to cancel workspace builds.",
            detail="The template leaves that to those who may update it.",
        )


def may_favorite(actor: Actor, workspace: Workspace) -> None:
    """Refuse unless it is the actor's own."""
    if actor.id != workspace.owner_id:
        raise Forbidden("You can only favorite workspaces that you own.")


def is_template_manager(actor: Actor, workspace: Workspace) -> bool:
    """Tell whether the actor may update the template that the workspace is made from."""
    return actor.can(Action.UPDATE, workspace.template)


def manages_template(actor: Actor, workspace: Workspace, what: str) -> None:
    """Refuse unless the actor may update the template.

    Raises:
        TemplateManagersOnly: it may not; ``what`` says what it tried.
    """
    if not is_template_manager(actor, workspace):
        raise TemplateManagersOnly(what)
