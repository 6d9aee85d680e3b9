"""Make, change, find and delete templates."""

from typing import Any
from uuid import UUID, uuid4

from coder_cli.sdk import templates as sdk
from server import identity
from server.kit.db import Tx
from server.kit.errors import FieldError, Invalid
from server.templates import convert, policy
from server.templates.actions.read import found, template, template_named, version
from server.templates.errors import VersionNotImported
from server.templates.model.search import wanted
from server.templates.model.settings import changed, settings
from server.templates.model.templates import Template
from server.templates.store import lifecycles, templates, versions


async def create(tx: Tx, organization: str, request: sdk.CreateTemplateRequest) -> Template:
    """Make a template of a draft that was imported.

    Raises:
        Forbidden: the actor may not make templates here.
        Invalid: the version belongs to something else.
        VersionNotImported: its import has not succeeded.
        TemplateNameTaken: the organization has a template of this name.
    """
    organization_id = (await identity.resolve_organization(tx, organization)).id
    policy.may_create(tx.actor, organization_id)
    draft = await version(tx, request.template_version_id)
    if draft.template_id is not None or draft.organization_id != organization_id:
        detail = "The version belongs to another template or organization."
        raise Invalid("Invalid version.", fields=[FieldError("template_version_id", detail)])
    if not draft.imported:
        raise VersionNotImported
    template_id = uuid4()
    await templates.insert(tx, template_id, organization_id, request.name, draft.id)
    if not await versions.adopt(tx, draft.id, template_id):
        raise Invalid("The version has just been given to another template.")
    fresh = found(await templates.unfiltered(tx, template_id))
    await templates.update(tx, template_id, changed(fresh, request))
    return await template(tx, template_id)


async def update(tx: Tx, template_id: UUID, request: sdk.UpdateTemplateMeta) -> Template | None:
    """Change a template's settings; return None when nothing changes.

    Raises:
        Forbidden: the actor may not change it.
        TemplateNameTaken: the organization has another template of this name.
    """
    policy.may_update(tx.actor, await template(tx, template_id))
    await templates.lock(tx, template_id)
    old = await template(tx, template_id)
    after = changed(old, request)
    touched = request.update_workspace_last_used_at or request.update_workspace_dormant_at
    if after == settings(old) and not touched:
        return None
    await templates.update(tx, old.id, after)
    await _follow(tx, old, after, request)
    return await template(tx, template_id)


async def _follow(
    tx: Tx, old: Template, after: dict[str, Any], request: sdk.UpdateTemplateMeta
) -> None:
    """Carry the new rules over to workspaces that exist already."""
    if request.update_workspace_last_used_at:
        await lifecycles.use_all(tx, old.id)
    if request.update_workspace_dormant_at:
        await lifecycles.begin_dormancy_anew(tx, old.id)
    rest_ms = after["time_til_dormant_autodelete_ms"]
    if request.update_workspace_dormant_at or rest_ms != old.time_til_dormant_autodelete_ms:
        await lifecycles.set_deletion(tx, old.id, rest_ms)


async def delete(tx: Tx, template_id: UUID) -> None:
    """Delete a template that no workspace uses.

    Raises:
        Forbidden: the actor may not delete it.
        Invalid: workspaces use it.
    """
    old = await template(tx, template_id)
    policy.may_delete(tx.actor, old)
    await templates.lock(tx, old.id)
    if await templates.workspaces(tx, old.id):
        raise Invalid("All workspaces must be deleted before a template can be removed.")
    await templates.delete(tx, old.id)


async def show(tx: Tx, template_id: UUID) -> sdk.Template:
    """Return a template as clients see it."""
    return (await _shown(tx, [await template(tx, template_id)]))[0]


async def show_named(tx: Tx, organization: str, name: str) -> sdk.Template:
    """Return a template of an organization by its name, as clients see it."""
    organization_id = (await identity.resolve_organization(tx, organization)).id
    return (await _shown(tx, [await template_named(tx, organization_id, name)]))[0]


async def search(tx: Tx, q: str, organization: str = "") -> list[sdk.Template]:
    """Return the templates that the actor may see and that fit ``q``.

    Raises:
        Invalid: the search cannot be read.
    """
    inside = (await identity.resolve_organization(tx, organization)).id if organization else None
    return await _shown(tx, await templates.search(tx, wanted(q, tx.actor.id, inside)))


async def _shown(tx: Tx, rows: list[Template]) -> list[sdk.Template]:
    times = await templates.build_times(tx, [row.id for row in rows])
    return [convert.template_to_sdk(row, times) for row in rows]
