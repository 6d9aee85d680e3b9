"""Versions and what is in them, as clients see them."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from coder_cli.sdk import templates as sdk
from coder_cli.sdk.builds import WorkspaceResource
from server import identity, provisioning
from server.identity import Linker
from server.kit.authz import Actor
from server.kit.db import Database, Tx
from server.kit.errors import NotFound, PreconditionFailed, TooEarly
from server.kit.routing import Page
from server.provisioning import State
from server.templates import convert
from server.templates.actions import read
from server.templates.actions.versions import previous as before
from server.templates.actions.versions import version_named as find_named
from server.templates.model.templates import Template, Version


async def version(tx: Tx, of: Version) -> sdk.TemplateVersion:
    """Return a version with its job, and who could run that."""
    job = await provisioning.job(tx, of.job_id)
    matched = await provisioning.matched_provisioners(tx, of.organization_id, of.tags)
    return convert.version_to_sdk(of, job, matched)


async def version_by_id(tx: Tx, version_id: UUID) -> sdk.TemplateVersion:
    """Return a version with its job."""
    return await version(tx, await read.version(tx, version_id))


async def version_named(tx: Tx, organization: str, template: str, name: str) -> sdk.TemplateVersion:
    """Return a version by the names of its organization, template and itself."""
    of = await _template(tx, organization, template)
    return await version(tx, await find_named(tx, of, name))


async def previous(
    tx: Tx, organization: str, template: str, name: str
) -> sdk.TemplateVersion | None:
    """Return the version that was pushed before another one."""
    of = await _template(tx, organization, template)
    found = await before(tx, of, name)
    return None if found is None else await version(tx, found)


async def _template(tx: Tx, organization: str, name: str) -> Template:
    organization_id = (await identity.resolve_organization(tx, organization)).id
    return await read.template_named(tx, organization_id, name)


async def versions(
    tx: Tx, template_id: UUID, page: Page, *, include_archived: bool
) -> list[sdk.TemplateVersion]:
    """Return a template's versions, oldest first."""
    wanted: dict[str, Any] = {**page.args(), "after_id": page.after_id}
    rows = await read.versions_of(tx, template_id, wanted, include_archived=include_archived)
    return await _shown(tx, rows)


async def versions_named(tx: Tx, template_id: UUID, name: str) -> list[sdk.TemplateVersion]:
    """Return a template's version by its name."""
    of = await read.template(tx, template_id)
    return await _shown(tx, [await find_named(tx, of, name)])


async def _shown(tx: Tx, rows: Sequence[Version]) -> list[sdk.TemplateVersion]:
    jobs = await provisioning.jobs(tx, [row.job_id for row in rows])
    return [convert.version_to_sdk(row, jobs[row.job_id]) for row in rows]


async def _imported(tx: Tx, version_id: UUID) -> Version:
    """Return a version whose import has ended.

    Raises:
        TooEarly: it goes on.
    """
    found = await read.version(tx, version_id)
    if found.job_state == State.RUNNING:
        raise TooEarly("Template version job has not finished")
    return found


async def parameters(tx: Tx, version_id: UUID) -> list[sdk.TemplateVersionParameter]:
    """Return what a version asks for each workspace."""
    found = await _imported(tx, version_id)
    rows = await read.version_parameters(tx, found.id)
    return [convert.parameter_to_sdk(row) for row in rows]


async def variables(tx: Tx, version_id: UUID) -> list[sdk.TemplateVersionVariable]:
    """Return a version's Terraform variables; secrets are blank."""
    found = await _imported(tx, version_id)
    return [convert.variable_to_sdk(row) for row in await read.version_variables(tx, found.id)]


async def presets(tx: Tx, version_id: UUID) -> list[sdk.Preset]:
    """Return a version's presets."""
    found = await read.version(tx, version_id)
    return [convert.preset_to_sdk(row) for row in await read.presets(tx, found.id)]


async def external_auth(
    db: Database, actor: Actor, linker: Linker, version_id: UUID
) -> list[sdk.TemplateVersionExternalAuth]:
    """Return the sign-ins that a version asks for, and which of them the actor has.

    Raises:
        NotFound: one that is not optional is not offered here.
    """
    async with db.tx(actor) as tx:
        found = await read.version(tx, version_id)
    listed: list[sdk.TemplateVersionExternalAuth] = []
    for wanted in found.external_auth:
        offered = {provider.id: provider for provider in linker.providers}.get(wanted["id"])
        if offered is not None:
            have = await linker.tokens(actor.id, [offered.id]) if actor.id else {}
            listed.append(
                convert.external_auth_to_sdk(
                    offered, linker.page(offered), linked=bool(have), optional=wanted["optional"]
                )
            )
        elif not wanted["optional"]:
            raise NotFound(
                f"The template version references a Git auth provider {wanted['id']!r} "
                "that no longer exists."
            )
    return listed


async def resources(tx: Tx, version_id: UUID) -> list[WorkspaceResource]:
    """Return what a version's import planned, for a start and for a stop.

    Raises:
        PreconditionFailed: the import goes on.
    """
    found = await read.version(tx, version_id)
    if found.job_state == State.RUNNING:
        raise PreconditionFailed("Job hasn't completed!")
    return (await provisioning.resources(tx, [found.job_id])).get(found.job_id, [])
