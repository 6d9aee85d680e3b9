"""The kind of job that learns what a version offers. Nothing is applied."""

from uuid import UUID

from typing_extensions import override

from server import provisioning
from server.kit.db import Tx
from server.provisioning import ELSEWHERE, ImportOrder, Job, JobFailed, JobKind
from server.templates.model.resources import as_planned
from server.templates.model.templates import Version
from server.templates.store import content, files, forms, templates, versions
from server.terraform import Imported, ImportRequest, TemplateFacts, Transition


class ImportKind(JobKind[Imported]):
    """Import template versions with terraform."""

    def __init__(self, access_url: str) -> None:
        self._access_url = access_url

    @override
    async def load(self, tx: Tx, job: Job) -> ImportOrder:
        """Read the archive, and the values of variables: given, else the active version's."""
        version = await versions.unfiltered(tx, job.input_id("template_version_id"))
        archive = await files.content(tx, job.file_id)
        if version is None or archive is None:
            raise JobFailed("The template version or its archive is gone.")
        given: dict[str, str] = job.input.get("user_variable_values", {})
        return ImportOrder(
            ImportRequest(
                work_dir=ELSEWHERE,
                archive=archive,
                variables={**await _carried_over(tx, version), **given},
                access_url=self._access_url,
                template=TemplateFacts(
                    version.template_id or UUID(int=0), version.template_name, version.name
                ),
            )
        )

    @override
    async def apply(self, tx: Tx, job: Job, outcome: Imported) -> None:
        """Write what the version offers."""
        version_id = job.input_id("template_version_id")
        await content.describe(tx, version_id, outcome)
        await content.save_variables(tx, version_id, outcome.variables)
        await content.save_parameters(tx, version_id, outcome.parameters)
        await content.save_presets(tx, version_id, outcome.presets)
        await forms.save(tx, version_id, outcome.form)
        for transition, resources in (
            (Transition.START, outcome.start_resources),
            (Transition.STOP, outcome.stop_resources),
        ):
            harmless = [as_planned(resource) for resource in resources]
            await provisioning.save_resources(tx, job.id, transition, harmless)

    @override
    async def failed(self, tx: Tx, job: Job, outcome: Imported | None) -> None:
        """Write the variables that were found: a client asks people for the missing ones."""
        if outcome is not None:
            version_id = job.input_id("template_version_id")
            await content.describe(tx, version_id, outcome)
            await content.save_variables(tx, version_id, outcome.variables)

    @override
    async def released(self, tx: Tx, job: Job, outcome: Imported | None) -> None:
        """Write nothing: an import begins anew."""


async def _carried_over(tx: Tx, version: Version) -> dict[str, str]:
    """Return the values that the template's active version was given.

    What it had by default is left out: the new version may have another default.
    """
    if version.template_id is None:
        return {}
    of = await templates.unfiltered(tx, version.template_id)
    if of is None:
        return {}
    known = await content.variables(tx, of.active_version_id)
    return {v.name: v.value for v in known if v.value != v.default_value}
