"""The public module registry against our provider: every plan, every ``terraform test``. By hand:

python -m tests.bench.bench_registry CHECKOUT [--git BARE] [--only TEXT] [--jobs 2] [--process]

CHECKOUT is a copy of github.com/coder/registry; nothing in it is changed. With its bare repository,
modules that need other released modules get them from its tags, as --terraform-modules-dir gives
them. Modules are planned, applied in a scratch directory (nothing but coder/coder is in them),
planned again, which must change nothing, and destroyed. The provider is the warm one; with
--process terraform starts it itself, from a mirror. Every file is read by our own reader as well.
Two providers of others, http and random, are stood in for (see standins), but not with --process.
"""

import argparse
import asyncio
import json
import re
import shutil
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from server.terraform import cliconfig, hcl, modules
from server.terraform.provider import ProviderHost
from server.terraform.variables import Outline, outline
from tests.bench.standins import STAND_INS, beside
from tests.server.terraform.warm import Ran, run

_SOURCE = re.compile(r'^\s*source\s*=\s*"([^"]+)"', re.MULTILINE)
_TYPE = re.compile(r'^(?:resource|data)\s+"(\w+)"', re.MULTILINE)
_OURS = frozenset({"coder/coder", "registry.terraform.io/coder/coder"})
_PROVISIONER = re.compile(r"^\s*provisioner\s", re.MULTILINE)
_LINE = re.compile(r"Error: (.+)(?:\n.*on (.+?),)?")
_DUMMIES: Mapping[str, str] = {
    "string": '"dummy"',
    "number": "1",
    "bool": "false",
    "any": "{}",
}
_EAGER = "argument must not be null"
_NEEDS_1_12 = "terraform before 1.12 evaluates both sides of && and ||, and one of them is an error"
# What the validations of single modules ask for.
_WANTED: Mapping[str, str] = {
    "access_url": '"https://coder.example.com"',
    "desktop_environment": '"xfce"',
    "folder": '"/home/coder"',
    "jfrog_url": '"https://example.jfrog.io"',
    "module_directory": '"$HOME/.coder-modules/coder/dummy"',
    "nexus_url": '"https://nexus.example.com"',
    "package_managers": "{}",
    "proxy_url": '"https://proxy.example.com"',
    "server_url": '"https://share.example.com"',
    "url": '"https://github.com/coder/coder"',
    "vault_addr": '"https://vault.example.com"',
}
# Not required by their declaration, but without them these modules refuse to plan.
_NEEDED: Mapping[str, Mapping[str, str]] = {
    "coder/modules/rstudio-server": {"project_path": '"/home/coder/project"'},
    "coder/modules/vscode-web": {"accept_license": "true"},
}
# Outside of a task coder_task.id is another one at every plan, also in the published provider.
_TASK = {"CODER_TASK_ID": "0f8fad5b-d9cb-469f-a165-70867728950e"}
_NOTHING: Mapping[str, str] = {}
_TOKENS = {
    f"CODER_EXTERNAL_AUTH_ACCESS_TOKEN_{name}": "a-token"
    for name in ("dummy", "jfrog", "slack", "github")
}


@dataclass(frozen=True, slots=True)
class Subject:
    """A module or template of the registry."""

    name: str
    path: Path
    text: str = field(repr=False)
    providers: frozenset[str]
    remote: frozenset[str]

    @property
    def others(self) -> list[str]:
        """The providers that are neither ours nor stood in for."""
        return sorted(self.providers - _OURS - STAND_INS.keys())

    @property
    def alone(self) -> bool:
        """Whether coder/coder is all it needs."""
        return not self.remote and self.providers <= _OURS


@dataclass(slots=True)
class Tally:
    """What happened to each subject."""

    passed: int = 0
    failed: list[str] = field(default_factory=list[str])

    def note(self, name: str, problem: str, said: str) -> None:
        """Print a row of the table and count it."""
        print(f"{'FAIL' if problem else 'pass'}  {name:58} {problem or said}", flush=True)
        if problem:
            self.failed.append(name)
        else:
            self.passed += 1


@dataclass(slots=True)
class Bench:
    """The scratch directory, and how terraform is run in it."""

    scratch: Path
    settings: str
    gate: asyncio.Semaphore
    process: bool = False

    async def prepare(self, subject: Subject) -> tuple[Path, str]:
        """Copy a subject and initialize it; return where, and what is wrong."""
        directory = Path(tempfile.mkdtemp(dir=self.scratch)) / subject.path.name
        shutil.copytree(subject.path, directory, ignore=shutil.ignore_patterns("node_modules"))
        (directory / "terraform.rc").write_text(self.settings)
        return directory, problem(await self.terraform(directory, "init", "-input=false"))

    async def terraform(
        self, directory: Path, *arguments: str, build: Mapping[str, str] = _NOTHING
    ) -> Ran:
        """Run a command against a warm provider."""
        if self.process:
            return await run(directory, *arguments, env=build)
        async with (
            asyncio.timeout(300),
            ProviderHost().serve(build) as reattach,
            beside(reattach.variable, directory.parent) as variable,
        ):
            return await run(directory, *arguments, env={"TF_REATTACH_PROVIDERS": variable})

    async def plan(self, subject: Subject, tally: Tally) -> None:
        """Plan a module, apply it, plan it again, destroy it."""
        async with self.gate:
            started = time.perf_counter()
            directory, wrong = await self.prepare(subject)
            values = directory / "dummies.auto.tfvars"
            values.write_text(dummies(outline(directory), _NEEDED.get(subject.name, _NOTHING)))
            plain = ("-input=false", "-lock=false")
            steps = (
                ("plan", *plain),
                ("apply", "-auto-approve", *plain),
                ("plan", "-detailed-exitcode", *plain),
                ("destroy", "-auto-approve", *plain),
            )
            # A provisioner runs a program of this host: such a template is planned only.
            alone = _PROVISIONER.search(subject.text) is not None
            for step in steps[:1] if alone else steps:
                if wrong:
                    break
                ran = await self.terraform(directory, *step, build=_TOKENS | _TASK)
                wrong = problem(ran) and f"{step[0]}: {problem(ran)}"
            did = "plan (has provisioners)" if alone else "plan, apply, same again, destroy"
            said = f"{did} in {time.perf_counter() - started:.1f} s"
            tally.note(subject.name, wrong, said)
            shutil.rmtree(directory.parent)

    async def suite(self, subject: Subject, file: Path, tally: Tally) -> None:
        """Run one file of tests."""
        name = f"{subject.name} {file.name}"
        async with self.gate:
            directory, wrong = await self.prepare(subject)
            said = ""
            if not wrong:
                inside = file.relative_to(subject.path)
                ran = await self.terraform(directory, "test", "-json", f"-filter={inside}")
                wrong, said = verdict(ran)
            tally.note(name, wrong, said)
            shutil.rmtree(directory.parent)


def problem(ran: Ran) -> str:
    """Return the first error of a command, or that a second plan would change something."""
    if ran.code == 0:
        return ""
    if _EAGER in ran.text:
        return _NEEDS_1_12
    found = _LINE.search(ran.text)
    if found is None and ran.code == 2:
        changes = re.findall(r"# (\S+) (?:must be|will be) (\w+)", ran.text)
        return "changes: " + ", ".join(" ".join(change) for change in changes)
    return found[1] if found else ran.text.strip()[-200:]


def verdict(ran: Ran) -> tuple[str, str]:
    """Return what is wrong with a suite, and what it did."""
    states: dict[str, str] = {}
    errors: list[str] = []
    for line in ran.text.splitlines():
        if not line.startswith("{"):
            continue
        said = json.loads(line)
        if said.get("type") == "test_run" and said["test_run"].get("status"):
            states[said["test_run"]["run"]] = said["test_run"]["status"]
        if said.get("type") == "diagnostic" and said["@level"] == "error":
            what = said["diagnostic"]
            errors.append(
                f"[{said.get('@testrun', '')}] {what['summary']}: {what['detail'][:160]!r}"
            )
    bad = [f"{run} {state}" for run, state in states.items() if state not in {"pass", "skip"}]
    good = f"{list(states.values()).count('pass')} of {len(states)} runs"
    if _EAGER in ran.text:
        return f"{good}; {_NEEDS_1_12}", good
    if ran.code == 0 and not bad and states:
        return "", good
    return f"{good}; {', '.join(bad)}; " + "; ".join(errors or [ran.text[-200:]]), good


def dummies(seen: Outline, needed: Mapping[str, str]) -> str:
    """Return values for the variables that have no default, and for those that are needed."""
    lines = [f"{name} = {value}\n" for name, value in needed.items()]
    for variable in seen.variables:
        if variable.required:
            kind = variable.type.partition("(")[0]
            filler = "[]" if kind in {"list", "set", "tuple"} else "{}"
            value = _WANTED.get(variable.name, _DUMMIES.get(kind, filler))
            lines.append(f"{variable.name} = {value}\n")
    return "".join(lines)


def subjects(checkout: Path, only: str) -> list[Subject]:
    """Return the modules and templates of a checkout."""
    found: list[Subject] = []
    for main in sorted(checkout.glob("registry/*/[mt]*/*/main.tf")):
        text = "\n".join(file.read_text() for file in main.parent.glob("*.tf"))
        sources = set(_SOURCE.findall(text))
        providers = frozenset(s for s in sources if re.fullmatch(r"[\w.-]+/[\w-]+(/[\w-]+)?", s))
        remote = frozenset(s for s in sources if s.startswith("registry.coder.com/"))
        # A provider that is not declared is one of HashiCorp's.
        plain = {kind.partition("_")[0] for kind in _TYPE.findall(text)} - {"coder", "terraform"}
        declared = {source.rpartition("/")[2] for source in providers}
        providers |= {f"hashicorp/{name}" for name in plain - declared}
        name = str(main.parent.relative_to(checkout / "registry"))
        if only in name:
            found.append(Subject(name, main.parent, text, providers - remote, remote))
    return found


def _report(title: str, tally: Tally, left_out: Iterable[str]) -> None:
    print(f"\n{title}: {tally.passed} passed, {len(tally.failed)} failed {tally.failed or ''}")
    for line in left_out:
        print(f"  left out: {line}")
    print(flush=True)


@asynccontextmanager
async def _settings(options: argparse.Namespace, scratch: Path) -> AsyncGenerator[str]:
    """Yield terraform's own configuration, while what it names is served."""
    provider = str(_program(scratch)) if options.process else cliconfig.BUILTIN
    config = cliconfig.write(scratch / "cache", provider, "")
    if options.git is None:
        yield config.read_text()
        return
    mirror = modules.mirror_at(options.git)
    async with modules.served(mirror, lambda text: print(text, file=sys.stderr)) as url:
        to = scratch / "terraform-modules.tfrc"
        yield cliconfig.with_modules(config, modules.HOST, url, to).read_text()


def _program(scratch: Path) -> Path:
    """Return our provider as a program that terraform starts."""
    program = scratch / "terraform-provider-coder"
    root = Path(__file__).parents[2]
    start = f"exec '{sys.executable}' -m server.terraform.provider"
    program.write_text(f"#!/bin/sh\ncd '{root}' && {start}\n")
    program.chmod(0o755)
    return program


def _read_all(checkout: Path) -> None:
    """Read every file of templates; print the ones that our reader does not understand."""
    files = sorted(checkout.rglob("*.tf"))
    bad: list[str] = []
    for file in files:
        try:
            hcl.blocks(file.read_text())
        except hcl.NotHcl as error:
            bad.append(f"{file.relative_to(checkout)}: {error}")
    print(f"files read: {len(files) - len(bad)} of {len(files)} {bad or ''}\n", flush=True)


async def bench(options: argparse.Namespace) -> None:
    """Print the two tables."""
    everything = subjects(options.checkout, options.only)
    ready = [s for s in everything if not s.others and (options.git or not s.remote)]
    async with AsyncExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="registry-")))
        settings = await stack.enter_async_context(_settings(options, scratch))
        it = Bench(scratch, settings, asyncio.Semaphore(options.jobs), options.process)
        _read_all(options.checkout)
        for title, part in (
            ("modules that need coder/coder alone", [s for s in ready if s.alone]),
            (
                "modules that need released modules, http or random",
                [s for s in ready if not s.alone],
            ),
        ):
            tally = Tally()
            await asyncio.gather(*(it.plan(subject, tally) for subject in part))
            _report(title, tally, ())
        tally, left_out = Tally(), list[str]()
        suites = [(s, f) for s in everything for f in sorted(s.path.rglob("*.tftest.hcl"))]
        for subject, file in suites:
            if subject not in ready:
                needs = subject.others or sorted(subject.remote)
                left_out.append(f"{subject.name} {file.name} needs {', '.join(needs)}")
        await asyncio.gather(*(it.suite(s, f, tally) for s, f in suites if s in ready))
        _report("suites", tally, left_out)


def main() -> None:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(description="The public registry against our provider.")
    parser.add_argument("checkout", type=Path)
    parser.add_argument("--git", type=Path, default=None)
    parser.add_argument("--only", default="")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--process", action="store_true")
    asyncio.run(bench(parser.parse_args()))


if __name__ == "__main__":
    main()
