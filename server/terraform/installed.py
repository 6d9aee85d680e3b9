"""Terraform as it is installed on this host, behind the room's door."""

import asyncio
import json
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from coder_cli.kit.clock import Clock, SystemClock
from server.terraform import archive, binary, environment, quota, state, sweep, trouble
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
    Transition,
    Variable,
)
from server.terraform.setting_up import Ready, SettingUp
from server.terraform.variables import outline

log = structlog.get_logger()

_NOTHING = "The terraform state does not exist, there is nothing to do"
_NOTHING_MADE = Made((), (), has_external_agent=False, warnings=())


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
class _Building:
    """A build as far as it got; it survives a failure."""

    job: Job | None = None
    made: Made = _NOTHING_MADE


@dataclass(slots=True)
class InstalledTerraform:
    """Run the terraform of this host; see the Protocol for what each method promises."""

    options: Options
    clock: Clock = field(default_factory=SystemClock)
    _setting_up: SettingUp = field(init=False)

    def __post_init__(self) -> None:
        """Keep what templates need below the cache directory."""
        self._setting_up = SettingUp(self.options, self.clock)

    def missing(self) -> str:
        """Return what keeps every job from running, for a log; each job looks again."""
        try:
            self._setting_up.find()
        except binary.NoTerraform as error:
            return str(error)
        return ""

    async def import_version(self, request: ImportRequest, console: Console) -> Imported:
        """Read a template: variables, parameters, presets, resources. Apply nothing."""
        learned = _Learned()
        work = self._import(request, console, learned)
        return learned.result(await self._failure(work, learned, Stage.DETECT_PERSISTENT, console))

    async def dry_run(self, request: BuildRequest, console: Console) -> Built:
        """Plan a build and return its resources. Apply nothing; the state is left out."""
        building = _Building()
        work = self._dry_run(request, console, building)
        return _built(building, await self._failure(work, building, Stage.PLAN, console), None)

    async def build(self, request: BuildRequest, console: Console) -> Built:
        """Start, stop or delete a workspace; return the state, also after a failure."""
        building = _Building()
        work = self._build(request, console, building)
        failure = await self._failure(work, building, request.transition.stage, console)
        return _built(building, failure, await _state(request, building))

    async def sweep(self, work_dir: Path) -> bytes | None:
        """End what a dead server left running in ``work_dir``; return the state that survives."""
        if not await asyncio.to_thread(work_dir.is_dir):
            return None
        await sweep.end_leftovers(work_dir)
        return await asyncio.to_thread(state.surviving, work_dir)

    async def _failure(
        self, work: Awaitable[None], done: "_Learned | _Building", stage: Stage, console: Console
    ) -> Failure | None:
        """Return how the work failed; it fails in no other way but by being cancelled."""
        try:
            await work
        except Stopped as stopped:
            return stopped.failure
        except Refused as refused:
            assert done.job is not None
            return done.job.refuse(stage, refused)
        except OSError as error:
            message = trouble.words(error, self.options.cache_dir)
            log.exception("host_failed")
        except Exception as error:
            # Our own mistake must not cost the state of what was made.
            log.exception("job_failed")
            message = f"The job failed inside the server: {error}"
        else:
            return None
        console.log("error", stage, message)
        return Failure(message)

    async def _import(self, request: ImportRequest, console: Console, learned: _Learned) -> None:
        job = learned.job = await self._setting_up.job(request.work_dir, console)
        start = environment.import_values(request, Transition.START)
        if job.binary.warning:
            job.say("warn", Stage.SETTING_UP, job.binary.warning)
        await self._setting_up.unpack(job, request.archive)
        job.say("info", Stage.PARSE, "")
        learned.readme = await asyncio.to_thread(archive.readme, request.work_dir)
        found = await asyncio.to_thread(outline, request.work_dir)
        learned.variables = found.with_values(request.variables)
        job.say("info", Stage.PARSE_PARAMETERS, "")
        if missing := found.missing(request.variables):
            raise Stopped(_lacking(job, missing))
        ready = await self._setting_up.prepare(job, found, request.variables, start)
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

    async def _dry_run(self, request: BuildRequest, console: Console, building: _Building) -> None:
        values = environment.build_values(request)
        job = building.job = await self._setting_up.job(request.work_dir, console)
        ready = await self._setting_up.ready(job, request.archive, request.variables, values)
        graph, planned = await _detect(ready, Stage.PLAN, values)
        building.made = resources(planned, graph)

    async def _build(self, request: BuildRequest, console: Console, building: _Building) -> None:
        await asyncio.to_thread(state.place, request.work_dir, request.state)
        job = building.job = await self._setting_up.job(request.work_dir, console)
        job.debug = request.debug
        stage, values = request.transition.stage, environment.build_values(request)
        destroy = request.transition is Transition.DELETE
        if destroy and not request.state:
            job.say("info", Stage.PLAN, _NOTHING)
            return
        ready = await self._setting_up.ready(job, request.archive, request.variables, values)
        if not destroy and await quota.concerns(ready):
            await job.plan(Stage.PLAN, values)
            await quota.commit(ready, values, request.quota)
            await job.apply(stage, values)
        else:
            await job.plan_and_apply(stage, values, destroy=destroy)
        if destroy:
            return
        stored = stored_instances(json.loads(await _state(request, building) or b"{}"))
        if stored is None:
            stored = state_instances(await job.show(stage, values))
        building.made = resources(stored, await job.graph(stage, values, ready.prepared))
        if request.transition is Transition.START:
            for text in building.made.warnings:
                job.say("warn", stage, text)


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


async def _detect(
    ready: Ready, stage: Stage, values: Mapping[str, str]
) -> tuple[Graph, list[Instance]]:
    await ready.job.plan(stage, values)
    shown = await ready.job.show(stage, values, PLAN_FILE)
    graph = await ready.job.graph(stage, values, ready.prepared)
    return graph, plan_instances(shown)


async def _state(request: BuildRequest, building: _Building) -> bytes | None:
    if building.job is not None and building.job.dumped is not None:
        return building.job.dumped
    survived = await asyncio.to_thread(state.surviving, request.work_dir)
    return survived or request.state


def _built(building: _Building, failure: Failure | None, left: bytes | None) -> Built:
    job, made = building.job, building.made if failure is None else _NOTHING_MADE
    return Built(
        state=left,
        error=failure,
        resources=made.resources,
        timings=tuple(job.timings) if job else (),
        ai_tasks=made.ai_tasks,
        has_external_agent=made.has_external_agent,
        warnings=tuple(job.warnings) if job else (),
    )
