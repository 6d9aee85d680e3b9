"""Who may use a template and who may change it, as lists that its administrators keep."""

from collections.abc import Mapping
from uuid import UUID

from coder_cli.sdk import template_access as sdk
from server import identity
from server.kit.db import Tx
from server.kit.errors import FieldError, Invalid
from server.kit.routing import Page
from server.templates import policy
from server.templates.actions.read import template
from server.templates.model import access as lists
from server.templates.model.templates import Template
from server.templates.store import access, templates


async def show(tx: Tx, template_id: UUID) -> sdk.TemplateACL:
    """Return a template's list of access.

    Raises:
        Forbidden: the actor may not change the template.
    """
    of = await _changeable(tx, template_id)
    people = await identity.anybody_in(tx, of.organization_id, [UUID(who) for who in of.user_acl])
    users = [
        sdk.TemplateUser(
            **identity.user_to_sdk(person).model_dump(),
            role=sdk.TemplateRole(of.user_acl[str(person.id)]),
        )
        for person in people
    ]
    role = of.group_acl.get(str(of.organization_id))
    if role is None:
        return sdk.TemplateACL(users=users)
    organization = await identity.resolve_organization(tx, of.organization_id)
    everyone = await identity.everyone_group(tx, organization)
    group = sdk.TemplateGroup(**everyone.model_dump(), role=sdk.TemplateRole(role))
    return sdk.TemplateACL(users=users, group=[group])


async def available(tx: Tx, template_id: UUID, search: str, page: Page) -> sdk.ACLAvailable:
    """Return whom a template could be shared with.

    Raises:
        Forbidden: the actor may not change the template.
    """
    of = await _changeable(tx, template_id)
    organization = await identity.resolve_organization(tx, of.organization_id)
    return sdk.ACLAvailable(
        users=await identity.available_users(tx, of.organization_id, search, page),
        groups=[await identity.everyone_group(tx, organization)],
    )


async def change(tx: Tx, template_id: UUID, request: sdk.UpdateTemplateACL) -> None:
    """Give and take roles on a template.

    Raises:
        Forbidden: the actor may not change the template.
        Invalid: an id that is none, or that does not belong to the organization.
    """
    await _changeable(tx, template_id)
    await templates.lock(tx, template_id)
    of = await template(tx, template_id)
    users, groups = _read(request)
    present = await identity.anybody_in(tx, of.organization_id, users)
    wrong = [
        *lists.strangers("user_perms", users, [person.id for person in present]),
        *lists.strangers("group_perms", groups, [of.organization_id]),
    ]
    if wrong:
        raise _refusal(wrong)
    after = lists.with_roles(of.user_acl, users), lists.with_roles(of.group_acl, groups)
    await access.save(tx, of.id, *after)


async def _changeable(tx: Tx, template_id: UUID) -> Template:
    of = await template(tx, template_id)
    policy.may_update(tx.actor, of)
    return of


def _read(
    request: sdk.UpdateTemplateACL,
) -> tuple[Mapping[UUID, sdk.TemplateRole], Mapping[UUID, sdk.TemplateRole]]:
    users = lists.ids("user_perms", request.user_perms)
    groups = lists.ids("group_perms", request.group_perms)
    wrong = [found for found in (users, groups) if isinstance(found, FieldError)]
    if isinstance(users, FieldError) or isinstance(groups, FieldError):
        raise _refusal(wrong)
    return users, groups


def _refusal(wrong: list[FieldError]) -> Invalid:
    return Invalid("Invalid request to update template acl!", fields=wrong)
