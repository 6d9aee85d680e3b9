"""What a build does when its turn comes: load, have terraform work, write what it made."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from typing_extensions import override

from coder_cli.sdk.builds import Transition
from server import identity, templates
from server.kit.db import Tx
from server.kit.errors import NotFound
from server.provisioning import ELSEWHERE, BuildOrder, Job, JobFailed, JobKind, Order, OrphanOrder
from server.terraform import (
    BuildRequest,
    Built,
    Owner,
    TemplateFacts,
    WorkspaceFacts,
)
from server.terraform import Transition as TerraformTransition
from server.workspaces.actions import finish
from server.workspaces.model import BuildOptions, RunningBuild, session_token_name
from server.workspaces.store import builds


@dataclass(frozen=True, slots=True)
class TemplateSource:
    """What terraform runs."""

    archive: bytes = field(repr=False)
    variables: Mapping[str, str] = field(repr=False)
    external_auth: tuple[str, ...] = ()
    """Services whose tokens it asks for."""


class BuildKind(JobKind[Built]):
    """The kind of job that starts, stops and deletes workspaces."""

    def __init__(self, options: BuildOptions) -> None:
        self._options = options

    @override
    async def load(self, tx: Tx, job: Job) -> Order:
        """Read the build, and renew or end the session token that its workspace holds.

        Raises:
            JobFailed: the build, its owner or its template's archive is gone.
        """
        build = await builds.running(tx, job.input_id("workspace_build_id"))
        if build is None:
            raise JobFailed("The workspace build does not exist any more.")
        owner = await self._owner(tx, build)
        await finish.changed(tx, build)
        if build.orphan:
            return OrphanOrder()
        template = await _template(tx, build)
        return BuildOrder(
            BuildRequest(
                work_dir=ELSEWHERE,
                archive=template.archive,
                transition=TerraformTransition(build.transition),
                build_id=build.build_id,
                workspace=WorkspaceFacts(build.workspace_id, build.workspace_name),
                owner=owner,
                template=TemplateFacts(build.template_id, build.template_name, build.version_name),
                access_url=self._options.access_url,
                state=build.state or None,
                parameters=await builds.parameters(tx, build.build_id),
                previous_parameters=await builds.parameters(tx, build.previous_id),
                variables=template.variables,
                external_auth=dict.fromkeys(template.external_auth, ""),
                agent_scripts=self._options.init_scripts(),
                debug=build.log_level == "debug",
            )
        )

    @override
    async def complete(self, order: Order) -> Order:
        """Add the owner's tokens of other services; one that is not linked is left out."""
        match order:
            case BuildOrder(request) if request.external_auth:
                wanted = list(request.external_auth)
                tokens = await self._options.tokens(request.owner.id, wanted)
                return replace(order, request=replace(request, external_auth=tokens))
            case _:
                return order

    @override
    async def apply(self, tx: Tx, job: Job, outcome: Built) -> None:
        """Write what a build that ended well made."""
        await finish.succeeded(tx, job, outcome)

    @override
    async def failed(self, tx: Tx, job: Job, outcome: Built | None) -> None:
        """Write the state that a failed or cancelled build left."""
        await finish.failed(tx, job, outcome)

    @override
    async def released(self, tx: Tx, job: Job, outcome: Built | None) -> None:
        """Write the state that an interrupted build left; its next run begins there."""
        await finish.released(tx, job, outcome)

    async def _owner(self, tx: Tx, build: RunningBuild) -> Owner:
        facts = await identity.owner_facts(tx, build.owner_id)
        return replace(
            templates.as_owner(facts),
            ssh_private_key=facts.ssh_private_key,
            session_token=await self._session_token(tx, build),
        )

    async def _session_token(self, tx: Tx, build: RunningBuild) -> str:
        """Return a fresh token for a start; stopping and deleting end the one there is."""
        name = session_token_name(build.owner_id, build.workspace_id)
        if build.transition != Transition.START:
            await identity.revoke_key(tx, build.owner_id, name)
            return ""
        return await identity.mint_key(tx, build.owner_id, self._options.session_lifetime, name)


async def _template(tx: Tx, build: RunningBuild) -> TemplateSource:
    try:
        version = await templates.version(tx, build.template_version_id)
        archive = await templates.archive(tx, version)
    except NotFound:
        raise JobFailed("The template version's files do not exist any more.") from None
    variables = await templates.version_variables(tx, version.id)
    # A default may be an expression; only what somebody gave is handed to terraform.
    given = {
        variable.name: variable.value
        for variable in variables
        if variable.required or variable.value != variable.default_value
    }
    services = tuple(str(wanted["id"]) for wanted in version.external_auth)
    return TemplateSource(archive, given, services)
