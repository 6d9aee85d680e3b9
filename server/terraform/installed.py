"""Terraform as it is installed on this host, behind the room's door."""

import asyncio
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from coder_cli.kit.clock import Clock, SystemClock
from server.terraform import archive, binary, cliconfig, environment, sweep
from server.terraform.convert import (
    Graph,
    Instance,
    Made,
    Offers,
    Refused,
    offers,
    plan_instances,
    resources,
    state_instances,
    stored_instances,
)
from server.terraform.door import Console
from server.terraform.forms import cut
from server.terraform.job import PLAN_FILE, Job, Options, Stopped
from server.terraform.model import (
    BuildRequest,
    Built,
    Diagnostic,
    ErrorCode,
    Failure,
    FormSlice,
    Imported,
    ImportRequest,
    Resource,
    Stage,
    Timing,
    Transition,
    Variable,
)
from server.terraform.prepare import LOCK_FILE, Prepared, Preparer
from server.terraform.provider import ProviderHost
from server.terraform.variables import VALUES_FILE, Outline, outline

log = structlog.get_logger()

STATE_FILE = sweep.STATE
_OVERRIDE_FILE = "zzzz_coder_override.tf"
_OVERRIDE = 'terraform {\n  backend "local" {}\n}\n'
_NOTHING = "The terraform state does not exist, there is nothing to do"


@dataclass(frozen=True, slots=True)
class _Ready:
    """A work directory in which terraform can plan."""

    job: Job
    outline: Outline
    prepared: Prepared


@dataclass(slots=True)
class _Learned:
    """What an import has learned so far; it survives a failure."""

    readme: str = ""
    variables: tuple[Variable, ...] = ()
    offers: Offers | None = None
    start: tuple[Resource, ...] = ()
    stop: tuple[Resource, ...] = ()
    has_ai_task: bool = False
    has_external_agent: bool = False
    form: FormSlice = field(default_factory=FormSlice)
    job: Job | None = None

    def result(self, error: Failure | None) -> Imported:
        """Return the import's outcome."""
        found = self.offers or Offers((), (), (), {}, ())
        return Imported(
            error=error,
            readme=self.readme,
            variables=self.variables,
            parameters=found.parameters,
            presets=found.presets,
            external_auth=found.external_auth,
            workspace_tags=found.workspace_tags,
            start_resources=self.start,
            stop_resources=self.stop,
            has_ai_task=self.has_ai_task,
            has_external_agent=self.has_external_agent,
            warnings=tuple(self.job.warnings) if self.job else (),
            form=self.form,
        )


@dataclass(slots=True)
class InstalledTerraform:
    """Run the terraform of this host; see the Protocol for what each method promises."""

    options: Options
    clock: Clock = field(default_factory=SystemClock)
    _provider: ProviderHost = field(default_factory=ProviderHost)
    _preparer: Preparer = field(init=False)
    _known: dict[tuple[Path, float], binary.Binary] = field(
        default_factory=dict[tuple[Path, float], binary.Binary]
    )

    def __post_init__(self) -> None:
        """Keep what templates need below the cache directory."""
        cache = self.options.cache_dir
        self._preparer = Preparer(cache / "terraform", cache / "plugins", self.clock)

    def missing(self) -> str:
        """Return what keeps every job from running, for a log; each job looks again."""
        try:
            self._find()
        except binary.NoTerraform as error:
            return str(error)
        return ""

    async def import_version(self, request: ImportRequest, console: Console) -> Imported:
        """Read a template: variables, parameters, presets, resources. Apply nothing."""
        learned = _Learned()
        try:
            await self._import(request, console, learned)
        except Stopped as stopped:
            return learned.result(stopped.failure)
        except Refused as refused:
            assert learned.job is not None
            return learned.result(learned.job.refuse(Stage.DETECT_PERSISTENT, refused))
        return learned.result(None)

    async def dry_run(self, request: BuildRequest, console: Console) -> Built:
        """Plan a build and return its resources. Apply nothing; the state is left out."""
        values = environment.build_values(request)
        job: Job | None = None
        try:
            job = await self._job(request.work_dir, console)
            ready = await self._set_up(job, request.archive, request.variables, values)
            await job.plan(Stage.PLAN, values)
            shown = await job.show(Stage.PLAN, values, PLAN_FILE)
            graph = await job.graph(Stage.PLAN, values, ready.prepared)
            return _built(job, resources(plan_instances(shown), graph))
        except Stopped as stopped:
            return _failed(job, stopped.failure, None)
        except Refused as refused:
            assert job is not None
            return _failed(job, job.refuse(Stage.PLAN, refused), None)

    async def build(self, request: BuildRequest, console: Console) -> Built:
        """Start, stop or delete a workspace; return the state, also after a failure."""
        job: Job | None = None
        await asyncio.to_thread(_place_state, request)
        try:
            job = await self._job(request.work_dir, console)
            job.debug = request.debug
            made = await self._build(job, request)
        except Stopped as stopped:
            return _failed(job, stopped.failure, await _state(request))
        except Refused as refused:
            assert job is not None
            failure = job.refuse(request.transition.stage, refused)
            return _failed(job, failure, await _state(request))
        except Exception as error:
            # Our own mistake must not cost the state of what was made.
            log.exception("build_failed", build_id=str(request.build_id))
            failure = Failure(f"The build failed inside the server: {error}")
            return _failed(job, failure, await _state(request))
        return _built(job, made, await _state(request))

    async def sweep(self, work_dir: Path) -> bytes | None:
        """End what a dead server left running in ``work_dir``; return the state that survives."""
        if not await asyncio.to_thread(work_dir.is_dir):
            return None
        await sweep.end_leftovers(work_dir)
        return await asyncio.to_thread(sweep.surviving_state, work_dir)

    # ------------------------------------------------------------ import

    async def _import(self, request: ImportRequest, console: Console, learned: _Learned) -> None:
        job = learned.job = await self._job(request.work_dir, console)
        start = environment.import_values(request, Transition.START)
        job.say("info", Stage.SETTING_UP, "")
        if job.binary.warning:
            job.say("debug", Stage.SETTING_UP, job.binary.warning)
        await _unpack(job, request.archive)
        job.say("info", Stage.PARSE, "")
        learned.readme = await asyncio.to_thread(archive.readme, request.work_dir)
        found = await asyncio.to_thread(outline, request.work_dir)
        learned.variables = found.with_values(request.variables)
        if missing := found.missing(request.variables):
            raise Stopped(_lacking(job, missing))
        ready = await self._prepare(job, found, request.archive, request.variables, start)
        learned.form = await asyncio.to_thread(cut, request.work_dir)
        graph, planned = await _detect(ready, Stage.DETECT_PERSISTENT, start)
        learned.offers = offers(planned)
        made = resources(planned, graph)
        for text in (*learned.offers.warnings, *made.warnings):
            job.say("warn", Stage.DETECT_PERSISTENT, text)
        learned.start = made.resources
        learned.has_ai_task = bool(made.ai_tasks)
        learned.has_external_agent = made.has_external_agent
        stop = environment.import_values(request, Transition.STOP)
        graph, planned = await _detect(ready, Stage.DETECT_EPHEMERAL, stop)
        learned.stop = resources(planned, graph).resources

    # ------------------------------------------------------------ build

    async def _build(self, job: Job, request: BuildRequest) -> Made:
        stage, values = request.transition.stage, environment.build_values(request)
        destroy = request.transition is Transition.DELETE
        if destroy and not request.state:
            job.say("info", Stage.PLAN, _NOTHING)
            return Made((), (), has_external_agent=False, warnings=())
        ready = await self._set_up(job, request.archive, request.variables, values)
        await job.plan(Stage.PLAN, values, destroy=destroy)
        await job.apply(stage, values)
        if destroy:
            return Made((), (), has_external_agent=False, warnings=())
        stored = stored_instances(json.loads(await _state(request) or b"{}"))
        if stored is None:
            stored = state_instances(await job.show(stage, values))
        graph = await job.graph(stage, values, ready.prepared)
        made = resources(stored, graph)
        if request.transition is Transition.START:
            for text in made.warnings:
                job.say("warn", stage, text)
        return made

    # ------------------------------------------------------------ both

    async def _job(self, work_dir: Path, console: Console) -> Job:
        try:
            found = await self._binary()
            site = self.options.host.get("TF_CLI_CONFIG_FILE", "")
            config = await asyncio.to_thread(
                cliconfig.write, self.options.cache_dir, self.options.provider, site
            )
            # States and plans hold tokens, and terraform writes them for everybody to read.
            await asyncio.to_thread(work_dir.chmod, 0o700)
        except binary.NoTerraform as error:
            console.log("error", Stage.SETTING_UP, str(error))
            raise Stopped(Failure(str(error))) from None
        job = Job(self.options, found, self._provider, config, work_dir, console)
        for variable in environment.ignored(self.options.host):
            job.say("warn", Stage.SETTING_UP, f"The server's own {variable} is not used.")
        return job

    def _find(self) -> Path:
        search = self.options.host.get("PATH", os.defpath)
        return binary.find(self.options.binary, search, self.options.cache_dir)

    async def _binary(self) -> binary.Binary:
        path = await asyncio.to_thread(self._find)
        # A newer terraform put in the same place is a different one.
        key = (path, (await asyncio.to_thread(path.stat)).st_mtime)
        if key not in self._known:
            self._known[key] = await binary.inspect(path, self.options.host)
        return self._known[key]

    async def _set_up(
        self, job: Job, tar: bytes, variables: Mapping[str, str], values: Mapping[str, str]
    ) -> _Ready:
        job.say("info", Stage.SETTING_UP, "")
        await _unpack(job, tar)
        found = await asyncio.to_thread(outline, job.work_dir)
        return await self._prepare(job, found, tar, variables, values)

    async def _prepare(
        self,
        job: Job,
        found: Outline,
        tar: bytes,
        variables: Mapping[str, str],
        values: Mapping[str, str],
    ) -> _Ready:
        if found.has_backend:
            # The state is ours to keep; an override beats the template's own choice.
            (job.work_dir / _OVERRIDE_FILE).write_text(_OVERRIDE)
        await asyncio.to_thread(
            _write_private, job.work_dir / VALUES_FILE, found.file(variables).encode()
        )
        if self.options.provider not in {cliconfig.BUILTIN, cliconfig.REGISTRY}:
            cliconfig.unlock(job.work_dir / LOCK_FILE)
        began = self.clock.now()

        async def init() -> None:
            await job.init(values)

        salt = f"{job.binary.path} {job.binary.version} {self.options.provider}"
        prepared = await self._preparer.prepare(tar, salt, job.work_dir, init)
        job.timings.append(Timing(began, self.clock.now(), "init", "terraform", "init", "modules"))
        return _Ready(job, found, prepared)


def _lacking(job: Job, missing: list[str]) -> Failure:
    """Return the failure of variables without a value, and log where they stand."""
    message = f"required template variables need values: {', '.join(missing)}"
    job.say("error", Stage.PARSE_PARAMETERS, message)
    found = [
        job.places.completed(Diagnostic("error", f'"{name}" needs a value', resource=f"var.{name}"))
        for name in missing
    ]
    for one in found:
        job.say("error", Stage.PARSE_PARAMETERS, one.sentence)
    return Failure(message, ErrorCode.REQUIRED_TEMPLATE_VARIABLES, tuple(found))


async def _unpack(job: Job, tar: bytes) -> None:
    try:
        await asyncio.to_thread(archive.unpack, tar, job.work_dir)
    except archive.BadArchive as error:
        job.say("error", Stage.SETTING_UP, str(error))
        raise Stopped(Failure(str(error))) from None


async def _detect(
    ready: _Ready, stage: Stage, values: Mapping[str, str]
) -> tuple[Graph, list[Instance]]:
    await ready.job.plan(stage, values)
    shown = await ready.job.show(stage, values, PLAN_FILE)
    graph = await ready.job.graph(stage, values, ready.prepared)
    return graph, plan_instances(shown)


def _place_state(request: BuildRequest) -> None:
    sweep.forget(request.work_dir)
    if request.state:
        _write_private(request.work_dir / STATE_FILE, request.state)


def _write_private(path: Path, content: bytes) -> None:
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
        file.write(content)


async def _state(request: BuildRequest) -> bytes | None:
    survived = await asyncio.to_thread(sweep.surviving_state, request.work_dir)
    return survived or request.state


def _built(job: Job, made: Made, state: bytes | None = None) -> Built:
    return Built(
        state=state,
        resources=made.resources,
        timings=tuple(job.timings),
        ai_tasks=made.ai_tasks,
        has_external_agent=made.has_external_agent,
        warnings=tuple(job.warnings),
    )


def _failed(job: Job | None, failure: Failure, state: bytes | None) -> Built:
    if job is None:
        return Built(state=state, error=failure)
    warnings: tuple[Diagnostic, ...] = tuple(job.warnings)
    return Built(state=state, error=failure, timings=tuple(job.timings), warnings=warnings)
