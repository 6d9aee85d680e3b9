"""Who may make and change templates and versions."""

from uuid import UUID

from coder_cli.sdk.jobs import ProvisionerJob
from server.kit.authz import Action, Actor, Kind, Object
from server.templates.model.templates import Template, Version


def may_create(actor: Actor, organization_id: UUID) -> None:
    """Refuse unless the actor may make templates in an organization.

    Raises:
        Forbidden: it may not.
    """
    actor.require(Action.CREATE, Object(Kind.TEMPLATE, organization_id=organization_id))


def may_update(actor: Actor, template: Template) -> None:
    """Refuse unless the actor may change a template that it sees.

    Raises:
        Forbidden: it may not.
    """
    actor.require(Action.UPDATE, template.object)


def may_see_usage(actor: Actor, template: Template) -> None:
    """Refuse unless the actor may know who uses a template, or may change it.

    Raises:
        Forbidden: it may not.
    """
    if not actor.can(Action.UPDATE, template.object):
        actor.require(Action.VIEW_INSIGHTS, template.object)


def may_delete(actor: Actor, template: Template) -> None:
    """Refuse unless the actor may delete a template that it sees.

    Raises:
        Forbidden: it may not.
    """
    actor.require(Action.DELETE, template.object)


def may_update_version(actor: Actor, version: Version) -> None:
    """Refuse unless the actor may change a version's template, or made the draft.

    Raises:
        Forbidden: it may not.
    """
    own_draft = version.template_id is None and version.created_by == actor.id
    actor.require(Action.CREATE if own_draft else Action.UPDATE, version.object)


def may_upload(actor: Actor) -> None:
    """Refuse unless the actor may store archives.

    Raises:
        Forbidden: it may not.
    """
    actor.require(Action.CREATE, Object(Kind.FILE, owner_id=actor.id))


def may_dry_run(actor: Actor, version: Version) -> None:
    """Refuse unless the actor may make a workspace of a version.

    Raises:
        Forbidden: it may not.
    """
    actor.require(Action.USE, version.object)
    own = Object(Kind.WORKSPACE, owner_id=actor.user_id, organization_id=version.organization_id)
    actor.require(Action.CREATE, own)


def may_ask_for(actor: Actor, owner_id: UUID, version: Version) -> None:
    """Refuse unless the actor may see a version's form as an owner would.

    A form tells what its template makes of the owner: name, groups, roles.

    Raises:
        Forbidden: it is somebody else, for whom the actor may not make workspaces.
    """
    if owner_id != actor.id:
        theirs = Object(Kind.WORKSPACE, owner_id=owner_id, organization_id=version.organization_id)
        actor.require(Action.CREATE, theirs)


def sees_dry_run(actor: Actor, version: Version, job: ProvisionerJob) -> bool:
    """Tell whether the actor began a dry run, or may change the template."""
    return job.initiator_id == actor.id or actor.can(Action.UPDATE, version.object)
