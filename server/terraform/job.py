"""One import or build: the terraform commands it runs in its work directory, one after another."""

import json
from collections.abc import AsyncGenerator, Generator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from coder_cli.kit.clock import Clock
from coder_cli.kit.environ import environ
from server.terraform import trouble
from server.terraform.binary import Binary
from server.terraform.cliconfig import BUILTIN
from server.terraform.command import Command, Exit, run
from server.terraform.convert import Graph, Refused
from server.terraform.convert.instances import Object, label
from server.terraform.door import Console
from server.terraform.environment import clean
from server.terraform.events import Listener, Step
from server.terraform.model import Diagnostic, ErrorCode, Failure, LogLevel, Stage, Timing
from server.terraform.places import Places
from server.terraform.prepare import VENDORED, Prepared
from server.terraform.provider import ProviderHost
from server.terraform.variables import VALUES_FILE

PLAN_FILE = "terraform.tfplan"
_COMMON = ("-input=false", "-no-color")
_ALONE = "-lock=false"
"""The work directory is one job's own: a lock keeps nobody out, and needs room on the disk."""
_SHOWN_ERRORS = 5


@dataclass(frozen=True, slots=True)
class Options:
    """How terraform is run on this host."""

    cache_dir: Path
    binary: Path | None = None
    """The terraform to run, instead of the one that is found."""
    provider: str = BUILTIN
    """Which coder/coder answers: builtin, registry, or the path of an executable."""
    force_cancel_interval: timedelta = timedelta(minutes=10)
    modules_dir: Path | None = None
    """Where modules of Coder's registry come from, instead of from the network."""
    host: Mapping[str, str] = field(default_factory=environ, repr=False)
    """The environment of the server's process."""


class Stopped(Exception):
    """A command failed or was stopped; nothing that follows makes sense."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.failure = failure


@dataclass(slots=True)
class Job:
    """The commands of one import or build."""

    options: Options
    binary: Binary
    provider: ProviderHost
    cli_config: Path
    work_dir: Path
    console: Console
    clock: Clock
    debug: bool = False
    """Let terraform say what it does, in detail."""
    timings: list[Timing] = field(default_factory=list[Timing])
    warnings: list[Diagnostic] = field(default_factory=list[Diagnostic])
    dumped: bytes | None = field(default=None, repr=False)
    """The state that terraform could not write to the disk."""

    @property
    def places(self) -> Places:
        """Return where things stand in the template."""
        return Places(self.work_dir)

    def refuse(self, stage: Stage, refused: Refused) -> Failure:
        """Log what we refuse ourselves, with its place, and return it as a failure."""
        # With count or for_each a block clashes with itself.
        clash = label(refused.other) != label(refused.about) and bool(refused.other)
        detail = f"The other one: {self.places.shown(refused.other)}" if clash else ""
        found = Diagnostic("error", str(refused), detail, resource=refused.about)
        found = self.places.completed(found)
        self.say("error", stage, f"Error: {found.sentence}")
        return Failure(brief([found]), diagnostics=(found,))

    def say(self, level: LogLevel, stage: Stage, text: str) -> None:
        """Log, line by line."""
        for line in text.splitlines() or [""]:
            self.console.log(level, stage, line)

    async def init(self, values: Mapping[str, str]) -> None:
        """Fetch modules and providers.

        Raises:
            Stopped: that failed.
        """
        await self._step("init", Stage.INIT, values, "init", "-json", *_COMMON)

    async def plan(self, stage: Stage, values: Mapping[str, str], *, destroy: bool = False) -> None:
        """Write a plan file.

        Raises:
            Stopped: the template is wrong, or something it needs is.
        """
        extra = ("-destroy",) if destroy else ()
        arguments = (
            "-json",
            "-refresh=true",
            f"-out={PLAN_FILE}",
            f"-var-file={VALUES_FILE}",
            _ALONE,
        )
        await self._step("plan", stage, values, "plan", *arguments, *extra, *_COMMON)

    async def apply(self, stage: Stage, values: Mapping[str, str]) -> None:
        """Carry out the plan file.

        Raises:
            Stopped: something could not be made; the state tells what was.
        """
        await self._step(
            "apply", stage, values, "apply", "-json", "-auto-approve", _ALONE, *_COMMON, PLAN_FILE
        )

    async def plan_and_apply(
        self, stage: Stage, values: Mapping[str, str], *, destroy: bool = False
    ) -> None:
        """Plan and carry it out at once, where nobody wants to look at the plan in between.

        Starting terraform, reading the template and asking providers is most of the time of a
        build; this does it once instead of twice.

        Raises:
            Stopped: the template is wrong, or something could not be made.
        """
        extra = ("-destroy",) if destroy else ()
        arguments = ("-json", "-auto-approve", "-refresh=true", f"-var-file={VALUES_FILE}", _ALONE)
        await self._step(
            "plan", Stage.PLAN, values, "apply", *arguments, *extra, *_COMMON, then=stage
        )

    async def show(self, stage: Stage, values: Mapping[str, str], *what: str) -> Object:
        """Return the JSON of a plan file, or of the state.

        Raises:
            Stopped: terraform does not show it.
        """
        return json.loads(await self._capture(stage, values, "show", "-json", "-no-color", *what))

    async def graph(self, stage: Stage, values: Mapping[str, str], prepared: Prepared) -> Graph:
        """Return who depends on whom: a fact about the template, so it is asked for once.

        Raises:
            Stopped: terraform does not draw it.
        """
        with self.timed("graph", "building terraform dependency graph", "state file"):
            dot = prepared.graph
            if dot is None:
                dot = await self._capture(stage, values, "graph")
                prepared.keep_graph(dot)
            return Graph.parse(dot)

    @contextmanager
    def timed(self, step: Step, action: str, resource: str) -> Generator[None]:
        """Keep how long something took that terraform itself does not tell."""
        began = self.clock.now()
        try:
            yield
        finally:
            ended = self.clock.now()
            self.timings.append(Timing(began, ended, step, "terraform", action, resource))

    async def _step(
        self,
        step: Step,
        stage: Stage,
        values: Mapping[str, str],
        *arguments: str,
        then: Stage | None = None,
    ) -> None:
        """Run a command; one that goes on after its plan does so in another stage."""
        headings = [stage]

        def say(level: LogLevel, text: str) -> None:
            self.say(level, headings[-1], text)

        def planned() -> None:
            if then is not None:
                headings.append(then)
                listener.step = "apply"

        listener = Listener(step, say, self.places.completed, planned)
        ended = await self._run(values, listener, arguments, Listener(step, say))
        step, stage = listener.step, headings[-1]
        self.timings += listener.timings
        self.warnings += [d for d in listener.diagnostics if d.severity == "warning"]
        if listener.dumped is not None:
            self.dumped = json.dumps(listener.dumped).encode()
            self._unwritten(step, stage, listener.errors)
        self._judge(step, stage, ended, listener.errors)

    async def _capture(self, stage: Stage, values: Mapping[str, str], *arguments: str) -> str:
        lines: list[str] = []
        listener = _Collector(lines)
        ended = await self._run(values, listener, arguments)
        self._judge(arguments[0], stage, ended, ())
        return "\n".join(lines)

    async def _run(
        self,
        values: Mapping[str, str],
        listener: "Listener | _Collector",
        arguments: tuple[str, ...],
        aside: Listener | None = None,
    ) -> Exit:
        async with self._environment(values) as env:
            loud = self.debug and aside is not None
            command = Command(
                binary=self.binary.path,
                arguments=arguments,
                directory=self.work_dir,
                env=env | {"TF_LOG": "JSON"} if loud else env,
                patience=self.options.force_cancel_interval.total_seconds(),
                aside=aside.line if aside is not None and loud else None,
                outlives_us=arguments[0] == "apply",
            )
            return await run(command, listener.line, self.console.cancelled)

    @asynccontextmanager
    async def _environment(self, values: Mapping[str, str]) -> AsyncGenerator[dict[str, str]]:
        plugins = self.options.cache_dir / "plugins"
        env = clean(self.options.host) | {
            "TF_IN_AUTOMATION": "1",
            "TF_CLI_CONFIG_FILE": str(self.cli_config),
            "CHECKPOINT_DISABLE": "1",
            # Plans are short-lived: collecting garbage less often saves a fifth of the time.
            "GOGC": "400",
        }
        if not (self.work_dir / VENDORED).exists():
            # What a template brings along would be everybody's from there.
            env["TF_PLUGIN_CACHE_DIR"] = str(plugins)
            # We keep the lock file beside the providers it was made with, on this host only.
            env["TF_PLUGIN_CACHE_MAY_BREAK_DEPENDENCY_LOCK_FILE"] = "1"
        if self.options.provider != BUILTIN:
            yield env | dict(values)
            return
        async with self.provider.serve(values, conceal=self.console.conceal) as reattach:
            yield env | {"TF_REATTACH_PROVIDERS": reattach.variable}

    def _unwritten(self, step: str, stage: Stage, errors: tuple[Diagnostic, ...]) -> None:
        """Tell of a state that found no room, in place of advice for somebody at a terminal.

        Raises:
            Stopped: always.
        """
        cause = next((e.detail for e in errors if "state" in e.summary), "").strip()
        message = (
            f"terraform {step} could not write the state to the disk of the server. What it made "
            "is not lost: the state is kept in the database. Free some space in "
            f"{self.options.cache_dir}, then start or delete the workspace again.\n{cause}"
        )
        self.say("error", stage, message)
        others = tuple(e for e in errors if "state" not in e.summary)
        raise Stopped(Failure(message, diagnostics=others))

    def _judge(self, step: str, stage: Stage, ended: Exit, errors: tuple[Diagnostic, ...]) -> None:
        if ended.code == 0:
            return  # Also when it was told to stop: it had finished by then.
        if ended.canceled:
            text = "Cancel timed out, terraform was killed." if ended.killed else "Cancelled."
            self.say("warn", stage, text)
            raise Stopped(Failure(f"terraform {step} was cancelled", ErrorCode.CANCELED))
        if not errors:
            self.say("error", stage, ended.stderr)
        message = _message(step, ended, errors)
        if any(trouble.is_full(e.summary, e.detail) for e in errors):
            message = f"{trouble.full(self.options.cache_dir)}\n{message}"
            self.say("error", stage, trouble.full(self.options.cache_dir))
        raise Stopped(Failure(message, diagnostics=errors))


@dataclass(slots=True)
class _Collector:
    """Takes the lines of a command whose output is one document."""

    lines: list[str]

    def line(self, text: str) -> None:
        """Keep a line."""
        self.lines.append(text)


def _message(step: str, ended: Exit, errors: tuple[Diagnostic, ...]) -> str:
    if not errors:
        end = f"it was killed by signal {-ended.code}" if ended.code < 0 else ""
        said = ended.stderr or end or f"exit status {ended.code}"
        return f"terraform {step}: {said}"
    return f"terraform {step}: {brief(errors)}"


def brief(errors: Sequence[Diagnostic]) -> str:
    """Return what went wrong, short: the first complaint whole, the others by their headlines.

    The job's log has all of each.
    """
    # One that knows its place says more than one that does not.
    first, *others = sorted(errors, key=lambda error: not error.file)
    lines = [first.sentence, *(other.headline for other in others[:_SHOWN_ERRORS])]
    if (more := len(others) - _SHOWN_ERRORS) > 0:
        lines.append(f"and {more} more; the log has them all")
    return "\n".join(lines)
