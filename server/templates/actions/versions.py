"""Push versions, promote, archive and cancel them."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID, uuid4

from coder_cli.sdk import templates as sdk
from server import identity, provisioning
from server.kit.db import Tx
from server.kit.errors import FieldError, Invalid, NotFound
from server.provisioning import JobType, NewJob
from server.templates import policy
from server.templates.actions import files as archives
from server.templates.actions.read import found, template, version
from server.templates.actions.starters import starter
from server.templates.errors import VersionNameTaken, VersionNotImported
from server.templates.model.names import generated_name
from server.templates.model.templates import NewVersion, Template, Version
from server.templates.store import files, templates, versions

TRIES = 10
"""Generated names may meet; a tenth collision in a row means something else."""


async def create(tx: Tx, organization: str, request: sdk.CreateTemplateVersionRequest) -> Version:
    """Write a version and queue its import.

    Raises:
        NotFound: the organization, template, file or example is hidden or missing.
        Forbidden: the actor may not make templates here, or not change this one.
        Invalid: neither or both of a file and an example are given.
        VersionNameTaken: the template has a version of this name.
    """
    organization_id = (await identity.resolve_organization(tx, organization)).id
    if request.template_id is None:
        policy.may_create(tx.actor, organization_id)
    else:
        await _changeable(tx, request.template_id, organization_id)
    new = NewVersion(
        organization_id=organization_id,
        file_id=await _file(tx, request),
        name=request.name,
        message=request.message,
        template_id=request.template_id,
        tags=provisioning.job_tags(request.tags, tx.actor.user_id),
        variables={given.name: given.value for given in request.user_variable_values},
    )
    return await _insert(tx, new)


async def _changeable(tx: Tx, template_id: UUID, organization_id: UUID) -> None:
    of = await template(tx, template_id)
    policy.may_update(tx.actor, of)
    if of.organization_id != organization_id:
        detail = "The template belongs to another organization."
        raise Invalid("Invalid template.", fields=[FieldError("template_id", detail)])


async def _file(tx: Tx, request: sdk.CreateTemplateVersionRequest) -> UUID:
    match request.file_id, request.example_id:
        case None, "":
            raise Invalid("You must specify either a file_id or an example_id.")
        case None, example_id:
            return (await archives.save(tx, starter(example_id).archive)).id
        case file_id, "":
            file = await files.get(tx, file_id)
            if file is None:
                raise NotFound("File not found.")
            return file.id
        case _:
            raise Invalid("You cannot specify both an example_id and a file_id.")


async def _insert(tx: Tx, new: NewVersion) -> Version:
    version_id = uuid4()
    job = await provisioning.enqueue(
        tx,
        NewJob(
            JobType.TEMPLATE_VERSION_IMPORT,
            new.organization_id,
            tx.actor.user_id,
            new.file_id,
            {"template_version_id": version_id, "user_variable_values": dict(new.variables)},
            tags=new.tags,
        ),
    )
    if new.name:
        await versions.insert(tx, version_id, new, job.id)
    else:
        await _insert_unnamed(tx, version_id, new, job.id)
    return found(await versions.unfiltered(tx, version_id))


async def _insert_unnamed(tx: Tx, version_id: UUID, new: NewVersion, job_id: UUID) -> None:
    for left in reversed(range(TRIES)):
        try:
            await versions.insert(tx, version_id, replace(new, name=generated_name()), job_id)
        except VersionNameTaken:
            if not left:
                raise
        else:
            return


async def rename(tx: Tx, version_id: UUID, request: sdk.PatchTemplateVersionRequest) -> Version:
    """Change what a version is called, or its message.

    Raises:
        VersionNameTaken: the template has another version of this name.
    """
    old = await version(tx, version_id)
    policy.may_update_version(tx.actor, old)
    message = old.message if request.message is None else request.message
    await versions.rename(tx, old.id, request.name or old.name, message)
    return await version(tx, version_id)


async def promote(tx: Tx, template_id: UUID, version_id: UUID) -> None:
    """Make a version the one that new builds use.

    Raises:
        Invalid: it is another template's, or archived.
        VersionNotImported: its import has not succeeded.
    """
    of = await template(tx, template_id)
    policy.may_update(tx.actor, of)
    await templates.lock(tx, of.id)
    chosen = await version(tx, version_id)
    if chosen.template_id != of.id:
        raise Invalid("The provided template version doesn't belong to the specified template.")
    if chosen.archived:
        raise Invalid("The provided template version is archived.")
    if not chosen.imported:
        raise VersionNotImported
    await templates.activate(tx, of.id, chosen.id)


async def archive(tx: Tx, version_id: UUID, *, archived: bool) -> None:
    """Hide a version that nothing uses, or show it again.

    Raises:
        Invalid: it is used, or it is so already.
    """
    old = await version(tx, version_id)
    policy.may_update_version(tx.actor, old)
    if old.archived == archived:
        state = "already" if archived else "not"
        raise Invalid(f"The template version is {state} archived.")
    if archived and await versions.in_use(tx, old.id):
        raise Invalid(
            "The template version is in use.",
            detail="It is the active version of its template, or a workspace was built with it.",
        )
    await versions.archive(tx, old.id, archived=archived)


async def archive_unused(tx: Tx, template_id: UUID, *, everything: bool) -> Sequence[UUID]:
    """Archive a template's versions that nothing uses: failed ones, or all of them."""
    of = await template(tx, template_id)
    policy.may_update(tx.actor, of)
    return await versions.archive_unused(tx, of.id, everything=everything)


async def cancel(tx: Tx, version_id: UUID) -> None:
    """Stop a version's import.

    Raises:
        JobCompleted: it has ended.
        AlreadyCanceled: it was asked before.
    """
    old = await version(tx, version_id)
    policy.may_update_version(tx.actor, old)
    await provisioning.cancel(tx, old.job_id)


async def version_named(tx: Tx, of: Template, name: str) -> Version:
    """Return a template's version by its name.

    Raises:
        NotFound: there is none, or it is hidden.
    """
    return found(await versions.named(tx, of.id, name))


async def previous(tx: Tx, of: Template, name: str) -> Version | None:
    """Return the version that was pushed before the one of this name, if any."""
    return await versions.previous(tx, await version_named(tx, of, name))
