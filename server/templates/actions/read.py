"""Find templates, versions and what a version asks for. Hidden and missing are the same refusal."""

from collections.abc import Sequence
from typing import Any, TypeVar
from uuid import UUID

from server.kit.authz import Action
from server.kit.db import Tx
from server.kit.errors import NotFound
from server.templates.model.search import wanted
from server.templates.model.templates import Preset, Template, Version
from server.templates.store import content, files, templates, versions
from server.terraform import Parameter, Variable

T = TypeVar("T")


def found(thing: T | None) -> T:
    """Return ``thing``.

    Raises:
        NotFound: there is none, or it is hidden from the actor.
    """
    if thing is None:
        raise NotFound
    return thing


async def template(tx: Tx, template_id: UUID) -> Template:
    """Return the template if the actor may see it and it is not deleted.

    Raises:
        NotFound: there is none, or it is hidden.
    """
    return found(await templates.get(tx, template_id))


async def usable(tx: Tx, organization_id: UUID) -> list[Template]:
    """Return the organization's templates that the actor may make workspaces from, by name."""
    rows = await templates.search(tx, wanted("deprecated:false", None, organization_id))
    return [row for row in rows if tx.actor.can(Action.USE, row.object)]


async def template_named(tx: Tx, organization_id: UUID, name: str) -> Template:
    """Return the organization's template of this name.

    Raises:
        NotFound: there is none, or it is hidden.
    """
    return found(await templates.named(tx, organization_id, name))


async def version(tx: Tx, version_id: UUID) -> Version:
    """Return the version if the actor may see it.

    Raises:
        NotFound: there is none, or it is hidden.
    """
    return found(await versions.get(tx, version_id))


async def built_version(tx: Tx, version_id: UUID) -> Version:
    """Return a version that a workspace was built with, for whoever may build that workspace.

    Raises:
        NotFound: there is none.
    """
    return found(await versions.unfiltered(tx, version_id))


async def active_version(tx: Tx, of: Template) -> Version:
    """Return the version that new builds of a template use.

    Raises:
        NotFound: it is hidden.
    """
    return await version(tx, of.active_version_id)


async def version_parameters(tx: Tx, version_id: UUID) -> list[Parameter]:
    """Return what a version asks for each workspace, in the order in which people are asked."""
    return await content.parameters(tx, version_id)


async def version_variables(tx: Tx, version_id: UUID) -> list[Variable]:
    """Return a version's Terraform variables with their values, secrets included."""
    return await content.variables(tx, version_id)


async def presets(tx: Tx, version_id: UUID) -> list[Preset]:
    """Return a version's presets."""
    return await content.presets(tx, version_id)


async def archive(tx: Tx, of: Version) -> bytes:
    """Return the tar that a version was made from.

    Raises:
        NotFound: it is gone.
    """
    return found(await files.content(tx, of.file_id))


async def versions_of(
    tx: Tx, template_id: UUID, page: dict[str, Any], *, include_archived: bool
) -> Sequence[Version]:
    """Return a template's versions, oldest first."""
    of = await template(tx, template_id)
    return await versions.of_template(tx, of.id, page, include_archived=include_archived)
