"""Evaluate a form: a warm ``terraform plan`` of the slice; the provider notes what it is asked."""

import asyncio
import hashlib
import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol, cast

from coder_cli.kit.clock import Clock, SystemClock
from server.terraform import binary, cliconfig
from server.terraform.command import Command, Exit, run
from server.terraform.environment import question_values
from server.terraform.events import diagnostic
from server.terraform.forms import recorded
from server.terraform.forms.learned import Cache, Learned
from server.terraform.forms.unpacked import Shelf, Unpacked
from server.terraform.job import Options
from server.terraform.model import Form, FormBusy, FormNote, FormQuestion, NoForm, Parameter
from server.terraform.provider import ProviderHost, Recorder
from server.terraform.variables import VALUES_FILE

SECONDS = 30.0
"""How long one evaluation may take; a usual one takes a tenth of a second."""
MOST_WAITING = 200
MOST_CACHED = 512
MOST_CACHED_BYTES = 32 << 20
MOST_MEMORY = 2 << 30
"""Bytes of address space for one terraform; a usual plan of a slice takes 70 MB."""
_LIMITED = f'ulimit -v {MOST_MEMORY >> 10} 2>/dev/null; exec "$0" "$@"'
_PATIENCE = 1.0
_HOST = ("PATH", "LANG", "TZ", "TMPDIR", "SYSTEMROOT")

Object = dict[str, Any]


class Evaluator(Protocol):
    """Evaluate forms."""

    async def evaluate(
        self, question: FormQuestion, known: Mapping[str, Parameter] | None = None
    ) -> Form:
        """Return the form for a question; cancelling ends what runs for it.

        ``known`` are parameters as the import saw them: of one that cannot be evaluated here, it
        tells what to show.

        Raises:
            NoForm: it cannot be evaluated on this host, or not in time.
        """
        ...


@dataclass(slots=True)
class InstalledEvaluator:
    """Evaluate forms with the terraform of this host, as many at a time as it has cores."""

    options: Options
    clock: Clock = field(default_factory=SystemClock)
    _provider: ProviderHost = field(default_factory=ProviderHost)
    _shelf: Shelf = field(init=False)
    _turn: asyncio.Semaphore = field(
        default_factory=lambda: asyncio.Semaphore(max(1, os.cpu_count() or 1))
    )
    _waiting: int = 0
    _answers: Cache[Form] = field(default_factory=lambda: Cache(MOST_CACHED, MOST_CACHED_BYTES))
    _steady: Cache[Learned] = field(default_factory=lambda: Cache(MOST_CACHED, MOST_CACHED_BYTES))
    """Of slices in which nothing depends on the answers, by the question without them."""
    _binaries: dict[tuple[Path, float], binary.Binary] = field(
        default_factory=dict[tuple[Path, float], binary.Binary]
    )

    def __post_init__(self) -> None:
        """Keep slices below the cache directory."""
        self._shelf = Shelf(self.options.cache_dir / "forms", self.clock)

    async def evaluate(
        self, question: FormQuestion, known: Mapping[str, Parameter] | None = None
    ) -> Form:
        """See ``Evaluator``."""
        form = self._known(question)
        if form is None:
            if self._waiting >= MOST_WAITING:
                raise FormBusy("too many forms are being evaluated just now")
            self._waiting += 1
            try:
                async with self._turn:
                    # Of two with the same question, the second finds what the first one learned.
                    form = self._known(question) or await self._timed(question, known or {})
            finally:
                self._waiting -= 1
        return form

    def _known(self, question: FormQuestion) -> Form | None:
        if learned := self._steady.get(_digest(_without_answers(question))):
            return learned.again(question)
        return self._answers.get(_digest(question))

    async def _timed(self, question: FormQuestion, known: Mapping[str, Parameter]) -> Form:
        unpacked = await self._shelf.get(question.slice, question.variables)
        try:
            async with asyncio.timeout(SECONDS):
                learned = await self._evaluate(question, unpacked, known)
        except TimeoutError:
            raise NoForm(f"it took longer than {SECONDS:.0f} seconds") from None
        form = learned.form(question)
        if unpacked.steady and learned.is_whole:
            self._steady.put(_digest(_without_answers(question)), learned)
        else:
            self._answers.put(_digest(question), form)
        return form

    async def _evaluate(
        self, question: FormQuestion, unpacked: Unpacked, known: Mapping[str, Parameter]
    ) -> Learned:
        listener, recorder = _Listener(), Recorder()
        with tempfile.TemporaryDirectory(prefix="coder-form-") as scratch:
            ended = await self._plan(question, unpacked, Path(scratch), listener, recorder)
        if ended.code != 0 and "goroutine" in ended.stderr:
            raise NoForm(f"terraform crashed; it may use {MOST_MEMORY >> 30} GiB of memory")
        if ended.code != 0 and not listener.errors:
            said = ended.stderr.splitlines()
            raise NoForm(f"terraform plan: {said[-1] if said else f'exit status {ended.code}'}")
        if ended.code != 0 and not recorder.evaluations:
            raise NoForm(listener.errors[0].summary)
        unknown = _unknown(listener, unpacked, recorder, known)
        return Learned(recorder.evaluations, unknown, listener.notes)

    async def _plan(
        self,
        question: FormQuestion,
        unpacked: Unpacked,
        scratch: Path,
        listener: "_Listener",
        recorder: Recorder,
    ) -> Exit:
        found = await self._binary()
        config = await asyncio.to_thread(
            cliconfig.write, self.options.cache_dir, cliconfig.BUILTIN, ""
        )
        async with self._provider.serve(question_values(question), recorder) as reattach:
            host = self.options.host
            env = {name: host[name] for name in _HOST if name in host} | {
                "HOME": str(scratch),
                "TF_REATTACH_PROVIDERS": reattach.variable,
                "TF_CLI_CONFIG_FILE": str(config),
                "TF_IN_AUTOMATION": "1",
                "CHECKPOINT_DISABLE": "1",
                "GOGC": "400",
                "GOMEMLIMIT": str(MOST_MEMORY // 2),
            }
            arguments = (
                "-c",
                _LIMITED,
                os.fspath(found.path),
                f"-chdir={unpacked.directory}",
                "plan",
                "-json",
                "-refresh=false",
                "-lock=false",
                "-input=false",
                "-no-color",
                f"-var-file={VALUES_FILE}",
            )
            command = Command(Path("/bin/sh"), arguments, scratch, env, _PATIENCE)
            # A form that nobody waits for is cancelled with its task.
            return await run(command, listener.line, asyncio.Event())

    async def _binary(self) -> binary.Binary:
        host = self.options.host
        try:
            path = await asyncio.to_thread(
                binary.find,
                self.options.binary,
                host.get("PATH", os.defpath),
                self.options.cache_dir,
            )
            key = (path, (await asyncio.to_thread(path.stat)).st_mtime)
            if key not in self._binaries:
                self._binaries[key] = await binary.inspect(path, host)
        except (binary.NoTerraform, OSError) as error:
            raise NoForm(str(error)) from None
        return self._binaries[key]


@dataclass(slots=True)
class _Listener:
    """Takes the lines of a plan: complaints, and parameters that are not known yet."""

    notes: list[FormNote] = field(default_factory=list[FormNote])
    unknown: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    """Module address and label of each such parameter."""

    @property
    def errors(self) -> list[FormNote]:
        return [note for note in self.notes if note.severity == "error"]

    def line(self, text: str) -> None:
        """Take one line."""
        try:
            event: Object = json.loads(text)
        except ValueError:
            return
        match event.get("type"):
            case "diagnostic":
                found = diagnostic(cast("Object", event.get("diagnostic") or {}))
                note = FormNote(found.severity, found.summary, found.detail)
                if note not in self.notes:
                    self.notes.append(note)
            case "planned_change":
                change: Object = event.get("change") or {}
                resource: Object = change.get("resource") or {}
                if resource.get("resource_type") == "coder_parameter":
                    self.unknown.append((resource["module"], resource["resource_name"]))
            case _:
                pass


def _unknown(
    listener: _Listener,
    unpacked: Unpacked,
    recorder: Recorder,
    known: Mapping[str, Parameter],
) -> Sequence[Parameter]:
    """Return the parameters that terraform would read only during an apply."""
    sketches = {
        config.get("name"): config
        for kind, config in recorder.validated
        if kind == "coder_parameter"
    }
    found: list[Parameter] = []
    for module, resource in listener.unknown:
        name = unpacked.names.get((recorded.module_of(module), resource))
        if name is None:
            continue
        if name in known:
            found.append(known[name])
        elif name in sketches:
            found.append(recorded.parameter_of(sketches[name]))
    return found


def _without_answers(question: FormQuestion) -> FormQuestion:
    return replace(question, inputs={}, previous={})


def _digest(question: FormQuestion) -> str:
    digest = hashlib.sha256(question.slice)
    facts = (
        question.owner,
        question.template,
        question.access_url,
        sorted(question.variables.items()),
        sorted(question.inputs.items()),
        sorted(question.previous.items()),
    )
    digest.update(repr(facts).encode())
    return digest.hexdigest()
