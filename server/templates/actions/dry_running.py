"""Dry runs: what a build of a version would make, planned and never applied."""

from uuid import UUID, uuid4

from typing_extensions import override

from coder_cli.sdk.jobs import JobType as WireType
from coder_cli.sdk.jobs import ProvisionerJob
from coder_cli.sdk.templates import CreateTemplateVersionDryRunRequest
from server import provisioning
from server.kit.db import Tx
from server.kit.errors import NotFound, PreconditionFailed
from server.provisioning import ELSEWHERE, DryRunOrder, Job, JobFailed, JobKind, JobType, NewJob
from server.templates import policy
from server.templates.actions import read
from server.templates.actions.forms import Resolved, owner_of
from server.templates.model.resources import as_planned
from server.templates.model.templates import Version
from server.templates.model.values import Values, resolve_parameters
from server.templates.store import content, files, versions
from server.terraform import (
    BuildRequest,
    Built,
    TemplateFacts,
    Transition,
    WorkspaceFacts,
)

ACCESS_URL = "http://localhost:3000"
"""What templates see in dry runs, as with the original: no agent will ever call it."""


def values(request: CreateTemplateVersionDryRunRequest) -> Values:
    """Return what a dry run is asked with."""
    return Values(given={item.name: item.value for item in request.rich_parameter_values})


async def start(
    tx: Tx,
    version_id: UUID,
    request: CreateTemplateVersionDryRunRequest,
    resolved: Resolved | None = None,
) -> ProvisionerJob:
    """Queue a dry run of a version, with what its form came to if it could be evaluated.

    Raises:
        Forbidden: the actor may not make workspaces there.
        PreconditionFailed: the version's import has not succeeded.
        BadParameters: values that a build could not use.
    """
    of = await read.version(tx, version_id)
    policy.may_dry_run(tx.actor, of)
    if not of.imported:
        raise PreconditionFailed("Template version import job hasn't completed!")
    parameters = resolved.values if resolved else None
    if parameters is None:
        parameters = resolve_parameters(await content.parameters(tx, of.id), values(request))
    job = await provisioning.enqueue(
        tx,
        NewJob(
            JobType.TEMPLATE_VERSION_DRY_RUN,
            of.organization_id,
            tx.actor.user_id,
            of.file_id,
            {
                "template_version_id": of.id,
                "workspace_name": request.workspace_name,
                "parameters": dict(parameters),
                "variables": {item.name: item.value for item in request.user_variable_values},
            },
            tags=of.tags,
        ),
    )
    return await provisioning.job(tx, job.id)


async def find(tx: Tx, version_id: UUID, job_id: UUID) -> ProvisionerJob:
    """Return a dry run of a version, for whoever began it or may change the template.

    Raises:
        NotFound: there is none, or it is hidden.
    """
    of = await read.version(tx, version_id)
    job = (await provisioning.jobs(tx, [job_id])).get(job_id)
    if job is None or not _belongs(job, of) or not policy.sees_dry_run(tx.actor, of, job):
        raise NotFound
    return job


async def finished(tx: Tx, version_id: UUID, job_id: UUID) -> ProvisionerJob:
    """Return a dry run that has ended.

    Raises:
        PreconditionFailed: it goes on.
    """
    job = await find(tx, version_id, job_id)
    if job.completed_at is None:
        raise PreconditionFailed("Job hasn't completed!")
    return job


async def cancel(tx: Tx, version_id: UUID, job_id: UUID) -> None:
    """Stop a dry run.

    Raises:
        JobCompleted: it has ended.
        AlreadyCanceled: it was asked before.
    """
    job = await find(tx, version_id, job_id)
    await provisioning.cancel(tx, job.id)


def _belongs(job: ProvisionerJob, of: Version) -> bool:
    dry = job.type is WireType.TEMPLATE_VERSION_DRY_RUN
    return dry and job.input.template_version_id == of.id


class DryRunKind(JobKind[Built]):
    """Plan builds of template versions with terraform."""

    @override
    async def load(self, tx: Tx, job: Job) -> DryRunOrder:
        """Read the archive, and the values that the version was imported with."""
        of = await versions.unfiltered(tx, job.input_id("template_version_id"))
        archive = await files.content(tx, job.file_id)
        if of is None or archive is None:
            raise JobFailed("The template version or its archive is gone.")
        known = await content.variables(tx, of.id)
        # A default may be an expression; only what somebody gave is handed to terraform.
        imported = {v.name: v.value for v in known if v.required or v.value != v.default_value}
        return DryRunOrder(
            BuildRequest(
                work_dir=ELSEWHERE,
                archive=archive,
                transition=Transition.START,
                build_id=uuid4(),
                workspace=WorkspaceFacts(uuid4(), job.input["workspace_name"] or "dryrun"),
                owner=await owner_of(tx, job.initiator_id),
                template=TemplateFacts(of.template_id or UUID(int=0), of.template_name, of.name),
                access_url=ACCESS_URL,
                parameters=job.input["parameters"],
                variables={**imported, **job.input["variables"]},
            )
        )

    @override
    async def apply(self, tx: Tx, job: Job, outcome: Built) -> None:
        """Write what would be made."""
        harmless = [as_planned(resource) for resource in outcome.resources]
        await provisioning.save_resources(tx, job.id, Transition.START, harmless)

    @override
    async def failed(self, tx: Tx, job: Job, outcome: Built | None) -> None:
        """Write nothing: the job's error says it all."""

    @override
    async def released(self, tx: Tx, job: Job, outcome: Built | None) -> None:
        """Write nothing: a dry run begins anew."""
