"""What a build does when its turn comes: load, have terraform work, write what it made."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from typing_extensions import override

from coder_cli.sdk.builds import Transition
from server import identity, templates
from server.kit.db import Tx
from server.kit.errors import NotFound
from server.provisioning import Console, Job, JobFailed, JobKind
from server.terraform import (
    BuildRequest,
    Built,
    Owner,
    OwnerRole,
    TemplateFacts,
    Terraform,
    WorkspaceFacts,
)
from server.terraform import Transition as TerraformTransition
from server.workspaces.actions import finish
from server.workspaces.model import BuildOptions, RunningBuild
from server.workspaces.store import builds

SETTING_UP = "Setting up"


@dataclass(frozen=True, slots=True)
class TemplateSource:
    """What terraform runs."""

    archive: bytes = field(repr=False)
    variables: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class LoadedBuild:
    """Everything a build's work needs, read in one transaction."""

    build: RunningBuild
    owner: Owner
    template: TemplateSource | None
    """None when terraform has nothing to do: the workspace is orphaned."""
    parameters: Mapping[str, str]
    previous_parameters: Mapping[str, str]


class BuildKind(JobKind[LoadedBuild, Built]):
    """The kind of job that starts, stops and deletes workspaces."""

    def __init__(self, terraform: Terraform, options: BuildOptions) -> None:
        self._terraform = terraform
        self._options = options

    @override
    async def load(self, tx: Tx, job: Job) -> LoadedBuild:
        """Read the build, and renew or end the session token that its workspace holds.

        Raises:
            JobFailed: the build, its owner or its template's archive is gone.
        """
        build = await builds.running(tx, job.input_id("workspace_build_id"))
        if build is None:
            raise JobFailed("The workspace build does not exist any more.")
        loaded = LoadedBuild(
            build=build,
            owner=await self._owner(tx, build),
            template=None if build.orphan else await _template(tx, build),
            parameters=await builds.parameters(tx, build.build_id),
            previous_parameters=await builds.parameters(tx, build.previous_id),
        )
        await finish.changed(tx, build)
        return loaded

    @override
    async def work(self, job: Job, loaded: LoadedBuild, console: Console) -> Built:
        """Have terraform carry out the build. No transaction is open.

        Raises:
            JobFailed: terraform failed or was cancelled; its state is in the outcome.
        """
        if loaded.template is None:
            console.log("warn", SETTING_UP, "Orphaning: what the workspace made is left as it is.")
            return Built()
        request = self._request(loaded, loaded.template, console)
        built = await self._terraform.build(request, console)
        if built.error is not None:
            raise JobFailed(built.error.message, built.error.code, built)
        return built

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

    def _request(
        self, loaded: LoadedBuild, template: TemplateSource, console: Console
    ) -> BuildRequest:
        build = loaded.build
        # What a lost run left on this host is newer than anything in the database.
        state = console.recovered if console.recovered is not None else build.state
        return BuildRequest(
            work_dir=console.work_dir,
            archive=template.archive,
            transition=TerraformTransition(build.transition),
            build_id=build.build_id,
            workspace=WorkspaceFacts(build.workspace_id, build.workspace_name),
            owner=loaded.owner,
            template=TemplateFacts(build.template_id, build.template_name, build.version_name),
            access_url=self._options.access_url,
            state=state or None,
            parameters=loaded.parameters,
            previous_parameters=loaded.previous_parameters,
            variables=template.variables,
            agent_scripts=self._options.init_scripts(),
            debug=build.log_level == "debug",
        )

    async def _owner(self, tx: Tx, build: RunningBuild) -> Owner:
        facts = await identity.owner_facts(tx, build.owner_id)
        return Owner(
            id=facts.id,
            name=facts.username,
            full_name=facts.full_name,
            email=facts.email,
            groups=facts.groups,
            roles=tuple(
                OwnerRole(role.name, str(role.organization_id or "")) for role in facts.roles
            ),
            login_type=facts.login_type,
            ssh_public_key=facts.ssh_public_key,
            ssh_private_key=facts.ssh_private_key,
            session_token=await self._session_token(tx, build),
        )

    async def _session_token(self, tx: Tx, build: RunningBuild) -> str:
        """Return a fresh token for a start; stopping and deleting end the one there is."""
        name = f"{build.owner_id}_{build.workspace_id}_session_token"
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
    return TemplateSource(archive, given)
