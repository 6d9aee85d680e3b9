"""A new workspace and its first start, in one transaction."""

from uuid import UUID, uuid4

from coder_cli.sdk.builds import Transition
from server import identity, templates
from server.kit.db import Tx
from server.kit.errors import Invalid, NotFound
from server.workspaces import policy
from server.workspaces.actions import build, find, timetable
from server.workspaces.errors import invalid_field
from server.workspaces.model import BuildOrder, NewWorkspace, Workspace, WorkspaceOrder
from server.workspaces.model.order import Answers
from server.workspaces.store import workspaces


async def create(
    tx: Tx,
    who: str,
    wanted: WorkspaceOrder,
    organization: str | None = None,
    answers: Answers | None = None,
) -> Workspace:
    """Make a workspace for the user called ``who`` and queue its first start.

    ``answers`` are what ``asking`` learned of the form.

    Raises:
        NotFound: no such user, or hidden.
        NameTaken: they have a workspace of this name.
        Forbidden: the actor may not do this, or not with this template.
        BadParameters: with one FieldError for each value.
        Invalid: another part of the order makes no sense.
    """
    owner = await identity.resolve_user(tx, who)
    template, version_id = await template_of(tx, wanted)
    if organization is not None:
        await _same(tx, organization, template)
    policy.may_create(tx.actor, owner.id, template.organization_id)
    policy.may_use_template(tx.actor, template.object, template.name)
    _check(template, owner)
    new = NewWorkspace(
        id=uuid4(),
        owner_id=owner.id,
        organization_id=template.organization_id,
        template_id=template.id,
        name=wanted.name,
        autostart_schedule=wanted.autostart_schedule or None,
        ttl_ms=timetable.first_ttl(template, wanted.ttl_ms),
        automatic_updates=wanted.automatic_updates,
        next_start_at=timetable.first_start(tx.now, template, wanted.autostart_schedule),
    )
    await workspaces.insert(tx, new)
    start = BuildOrder(
        Transition.START,
        version_id=version_id,
        preset_id=wanted.preset_id,
        parameters=wanted.parameters,
    )
    # It has no latest build yet; ordering the first one does not ask for it.
    await build.queue(tx, await find.workspace(tx, new.id), start, answers)
    return await find.workspace(tx, new.id)


async def template_of(tx: Tx, wanted: WorkspaceOrder) -> tuple[templates.Template, UUID | None]:
    """Return the template, and the version if one was asked for.

    Raises:
        Invalid: there is none, or it is hidden.
    """
    template_id = wanted.template_id
    if wanted.version_id is not None:
        try:
            template_id = (await templates.version(tx, wanted.version_id)).template_id
        except NotFound:
            template_id = None
        if template_id is None:
            raise invalid_field(
                f'Template version "{wanted.version_id}" doesn\'t exist.',
                "template_version_id",
                "template version not found",
            )
    assert template_id is not None, "an order names a template or a version"
    try:
        return await templates.template(tx, template_id), wanted.version_id
    except NotFound:
        raise invalid_field(
            f'Template "{template_id}" doesn\'t exist.', "template_id", "template not found"
        ) from None


async def _same(tx: Tx, organization: str, template: templates.Template) -> None:
    found = await identity.resolve_organization(tx, organization)
    if template.organization_id != found.id:
        raise invalid_field(
            f'Template is not in organization "{found.name}".',
            "template_id",
            "template not found",
        )


def _check(template: templates.Template, owner: identity.User) -> None:
    if template.deprecated:
        raise Invalid(
            f'Template "{template.name}" has been deprecated, '
            "and cannot be used to create a new workspace.",
            detail=template.deprecated,
        )
    if template.organization_id not in owner.organization_ids:
        raise Invalid(
            f'User "{owner.username}" is not a member of organization '
            f'"{template.organization_name}".'
        )
    if owner.status == "suspended":
        raise Invalid(f'User "{owner.username}" is suspended.')
