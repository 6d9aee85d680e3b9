"""How long imports and builds take beside bare ``terraform apply`` of the same directory. By hand:

    python -m tests.bench.bench_build REGISTRY [--git BARE_REPOSITORY] [--runs 10]

REGISTRY is a copy of github.com/coder/registry; nothing in it is changed. With its bare repository
``init`` gets released modules from its tags, as a server with ``--terraform-modules-dir`` does; the
ten modules are then those of the registry's newest releases.

Bare is terraform alone: one ``apply -auto-approve`` in a prepared directory, our provider warm
beside it, nothing logged, stored or read. Runs alternate, so that both see the same machine.
"""

import argparse
import asyncio
import os
import shutil
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from uuid import uuid4

from coder_cli.kit.environ import environ
from server.terraform import (
    BuildRequest,
    Built,
    Imported,
    ImportRequest,
    InstalledTerraform,
    LogLevel,
    Options,
    Owner,
    TemplateFacts,
    Transition,
    WorkspaceFacts,
    job,
)
from server.terraform.command import Command, Exit, run
from server.terraform.door import Cancellation
from server.terraform.environment import build_values, clean
from server.terraform.provider import ProviderHost
from tests.server.terraform.world import HEADER, tar

MODULES: Mapping[str, Mapping[str, str]] = {
    "code-server": {},
    "cursor": {},
    "git-clone": {"url": "https://github.com/coder/coder"},
    "dotfiles": {},
    "git-config": {},
    "filebrowser": {},
    "personalize": {},
    "jupyterlab": {},
    "coder-login": {},
    "zed": {},
}
AGENT = """
resource "coder_agent" "main" {
  os   = "linux"
  arch = "amd64"
}
resource "terraform_data" "box" {
  input = coder_agent.main.token
}
"""
NOOP = 'resource "terraform_data" "nothing" {}\n'


class Quiet:
    """A console that nobody reads."""

    def __init__(self) -> None:
        self.cancelled = asyncio.Event()

    def log(self, level: LogLevel, stage: str, output: str) -> None:
        """Drop a line."""

    def conceal(self, secrets: Iterable[str]) -> None:
        """Say nothing anyway."""


@dataclass(slots=True)
class Times:
    """What was measured, in milliseconds."""

    taken: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    async def of(self, what: str, work: Awaitable[object]) -> None:
        """Time some work, which must succeed."""
        began = time.perf_counter()
        done = await work
        self.taken[what].append((time.perf_counter() - began) * 1000)
        if isinstance(done, Imported | Built) and done.error is not None:
            raise SystemExit(f"{what}: {done.error.message}")

    def median(self, what: str) -> float:
        """Return the median."""
        return statistics.median(self.taken[what])


def timed_commands(times: Times) -> None:
    """Time each terraform command that a job runs."""

    async def timed(command: Command, line: Callable[[str], None], stop: Cancellation) -> Exit:
        began = time.perf_counter()
        ended = await run(command, line, stop)
        spent = (time.perf_counter() - began) * 1000
        times.taken[f"terraform {command.arguments[0]}"].append(spent)
        return ended

    job.run = timed


def ten_modules(registry: Path, *, released: bool) -> dict[str, str]:
    """Return the files of a template of ten modules, of this host or of a registry."""
    files: dict[str, str] = {}
    calls: list[str] = []
    for name, given in MODULES.items():
        source = f"registry.coder.com/coder/{name}/coder" if released else f"./modules/{name}"
        rest = "".join(f'  {key} = "{value}"\n' for key, value in given.items())
        calls.append(
            f'module "{name}" {{\n  source = "{source}"\n'
            f"  agent_id = coder_agent.main.id\n{rest}}}\n"
        )
        if not released:
            root = registry / "registry/coder/modules" / name
            for path in sorted(root.rglob("*")):
                if path.is_file() and "test" not in path.name:
                    where = f"modules/{name}/{path.relative_to(root)}"
                    files[where] = path.read_text(errors="replace")
    return {"main.tf": HEADER + AGENT + "".join(calls), **files}


@dataclass(slots=True)
class Bench:
    """One template, measured."""

    files: Mapping[str, str]
    options: Options
    root: Path
    times: Times = field(default_factory=Times)

    def work_dir(self) -> Path:
        made = self.root / uuid4().hex
        made.mkdir()
        return made

    def request(self, transition: str, state: bytes | None) -> BuildRequest:
        return BuildRequest(
            work_dir=self.work_dir(),
            archive=tar(self.files),
            transition=Transition(transition),
            build_id=uuid4(),
            workspace=WorkspaceFacts(uuid4(), "dev"),
            owner=Owner(uuid4(), "ann"),
            template=TemplateFacts(uuid4(), "bench", "v1"),
            access_url="http://localhost:3000",
            state=state,
        )

    async def once(self, driver: InstalledTerraform) -> None:
        """Create, start again, stop and delete a workspace, with bare terraform in between."""
        state: bytes | None = None
        for what, transition in (
            ("create", "start"),
            ("start", "start"),
            ("stop", "stop"),
            ("delete", "delete"),
        ):
            request = self.request(transition, state)
            if what == "create":
                await self.times.of("bare apply", self.bare())
            began: list[Built] = []

            async def build(wanted: BuildRequest = request, done: list[Built] = began) -> Built:
                done.append(await driver.build(wanted, Quiet()))
                return done[0]

            await self.times.of(f"build: {what}", build())
            state = began[0].state
            shutil.rmtree(request.work_dir)

    async def bare(self) -> None:
        """Run terraform alone in a prepared directory."""
        request = self.request("start", None)
        for name, text in self.files.items():
            path = request.work_dir / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        ready = next((self.options.cache_dir / "terraform").glob("*/.terraform"))
        (request.work_dir / ".terraform").symlink_to(ready)
        arguments = ("apply", "-auto-approve", "-input=false", "-no-color")
        binary = Path(shutil.which("terraform") or shutil.which("tofu") or "terraform")
        async with ProviderHost().serve(build_values(request)) as reattach:
            env = clean(environ()) | {
                "TF_REATTACH_PROVIDERS": reattach.variable,
                "TF_CLI_CONFIG_FILE": str(self.options.cache_dir / "terraform.tfrc"),
                "CHECKPOINT_DISABLE": "1",
            }
            began = time.perf_counter()
            ended = await run(
                Command(binary, arguments, request.work_dir, env, 5),
                lambda _: None,
                Quiet().cancelled,
            )
            self.times.taken["bare apply alone"].append((time.perf_counter() - began) * 1000)
        if ended.code:
            raise SystemExit(f"bare apply: {ended.stderr}")
        shutil.rmtree(request.work_dir)


async def measure(name: str, bench: Bench, runs: int) -> None:
    """Measure one template and print a table."""
    for turn in range(min(runs, 3)):
        cold = replace(bench.options, cache_dir=bench.root / f"cold-{turn}")
        request = ImportRequest(bench.work_dir(), tar(bench.files))
        driver = InstalledTerraform(cold)
        await bench.times.of("import, cold cache", driver.import_version(request, Quiet()))
    driver = InstalledTerraform(bench.options)
    for turn in range(runs + 1):
        request = ImportRequest(bench.work_dir(), tar(bench.files))
        what = "import, warm" if turn else "first import of the run"
        await bench.times.of(what, driver.import_version(request, Quiet()))
    commands = Times()
    timed_commands(commands)
    for _ in range(runs):
        await bench.once(driver)
    job.run = run
    floor = bench.times.median("bare apply alone")
    print(f"\n{name}: median ms of {runs} runs; x = times bare apply ({floor:.0f} ms)")
    for what, taken in bench.times.taken.items():
        if what != "bare apply":
            middle, best = statistics.median(taken), min(taken)
            print(f"  {what:26} {middle:7.0f}  best {best:6.0f}  x{middle / floor:.2f}")
    builds = ("build: create", "build: start", "build: stop", "build: delete")
    whole = sum(sum(bench.times.taken[what]) for what in builds)
    inside = sum(sum(taken) for taken in commands.taken.values())
    for what, taken in sorted(commands.taken.items()):
        print(f"    {what:24} {statistics.median(taken):7.0f}  x {len(taken)}")
    print(f"    of all builds, terraform's commands are {inside / whole:.0%}; the rest is ours")


async def main() -> None:
    """Read the arguments and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("registry", type=Path)
    parser.add_argument("--git", type=Path)
    parser.add_argument("--runs", type=int, default=10)
    given = parser.parse_args()
    templates = {
        "no-op template": {"main.tf": NOOP},
        "ten registry modules": ten_modules(given.registry, released=given.git is not None),
    }
    for name, files in templates.items():
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder)
            options = Options(cache_dir=root / "cache", modules_dir=given.git)
            await measure(name, Bench(files, options, root), given.runs)
    print(f"\nload: {os.getloadavg()}")


if __name__ == "__main__":
    asyncio.run(main())
