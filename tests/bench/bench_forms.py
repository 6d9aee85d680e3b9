"""Live forms over a checkout of the public registry: slice, evaluate, and ten forms at once.

Run: python -m tests.bench.bench_forms CHECKOUT [--runs N] [--server URL --token TOKEN]

Every directory with Terraform files is taken for a template of its own: calls of registry modules
are pointed at the checkout, required variables get a plain value of their type. Printed are the
failures, the time of one evaluation, and of one answer with ten forms open at once. With a server,
ten of the slices are pushed to it as templates, and their forms are filled in over WebSockets, from
the change to its answer.
"""

import argparse
import asyncio
import io
import json
import shutil
import statistics
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from http import HTTPStatus
from pathlib import Path

import httpx
from websockets.asyncio.client import connect

from server.terraform import Form, FormQuestion, NoForm, Options, Owner, TemplateFacts, hcl
from server.terraform.forms import InstalledEvaluator, cut
from server.terraform.variables import outline

FORMS = 10
QUICK = 10.0
"""Milliseconds in which no terraform can have answered."""
_PLAIN = {"string": "x", "number": "1", "bool": "true", "any": "x", "": "x"}


@dataclass(frozen=True)
class Template:
    """A directory, sliced."""

    name: str
    slice: bytes
    milliseconds: float
    variables: dict[str, str]
    has_form: bool


def directories(checkout: Path) -> list[Path]:
    """Return the directories that hold Terraform files."""
    return sorted(
        {path.parent for path in checkout.rglob("*.tf") if ".terraform" not in path.parts}
    )


def calls(checkout: Path, directory: Path, prefix: str = "") -> Iterator[tuple[str, Path]]:
    """Yield the modules that a directory calls, and those that these call."""
    if prefix.count(".") > 4:
        return
    for path in sorted(directory.glob("*.tf")):
        for block in hcl.blocks(path.read_text()).blocks:
            if block.kind != "module":
                continue
            source = str(hcl.literal(block.arguments.get("source", '""')))
            place = _place(checkout, directory, source)
            if place is not None and place.is_dir():
                key = f"{prefix}{block.labels[0]}"
                yield key, place
                yield from calls(checkout, place, f"{key}.")


def _place(checkout: Path, directory: Path, source: str) -> Path | None:
    if source.startswith("."):
        return (directory / source).resolve()
    parts = source.removeprefix("registry.coder.com/").split("/")
    if len(parts) == 3:
        space = "coder" if parts[0] == "modules" else parts[0]
        return checkout / "registry" / space / "modules" / parts[1]
    return None


def sliced(checkout: Path, directory: Path, scratch: Path) -> Template | str:
    """Return a directory's slice, or why there is none."""
    name = str(directory.relative_to(checkout))
    work = scratch / name.replace("/", "_")
    shutil.copytree(directory, work)
    listing = work / ".terraform" / "modules" / "modules.json"
    listing.parent.mkdir(parents=True)
    modules = [{"Key": "", "Source": "", "Dir": "."}]
    modules += [
        {"Key": key, "Source": "", "Dir": str(place)} for key, place in calls(checkout, directory)
    ]
    listing.write_text(json.dumps({"Modules": modules}))
    began = time.perf_counter()
    made = cut(work)
    milliseconds = (time.perf_counter() - began) * 1000
    if made.problem:
        return f"{name}: {made.problem}"
    variables = {
        variable.name: _PLAIN.get(variable.type, "{}" if "(" in variable.type else "x")
        for variable in outline(work).variables
        if variable.required
    }
    for variable in outline(work).variables:
        if variable.required and variable.type.startswith(("list", "set", "tuple")):
            variables[variable.name] = "[]"
    has_form = b'"coder_parameter"' in made.content
    return Template(name, made.content, milliseconds, variables, has_form)


def question(template: Template, owner: str = "dora", **inputs: str) -> FormQuestion:
    """Return a question about a template; of a new owner, nothing is known yet."""
    return FormQuestion(
        slice=template.slice,
        variables=template.variables,
        owner=Owner(name=owner, groups=("developers",)),
        template=TemplateFacts(),
        access_url="http://coder.test",
        inputs=inputs,
    )


async def measure(templates: list[Template], runs: int, cache: Path) -> int:
    """Evaluate every template; print the times. Return how many failed."""
    evaluator = InstalledEvaluator(Options(cache_dir=cache))
    broken, parameters, unknown = set[str](), 0, 0
    took, changed = list[float](), list[float]()
    for template in templates:
        form = Form()
        try:
            for run in range(runs + 1):
                began = time.perf_counter()
                form = await evaluator.evaluate(question(template, f"dora{run}"))
                if run:  # The first one unpacks.
                    took.append((time.perf_counter() - began) * 1000)
                began = time.perf_counter()
                await evaluator.evaluate(question(template, f"dora{run}", zzz=str(run)))
                changed.append((time.perf_counter() - began) * 1000)
        except NoForm as error:
            print(f"FAILED {template.name}: {error}")
            broken.add(template.name)
        parameters += len(form.parameters)
        unknown += sum(not one.known and not one.parameter.required for one in form.parameters)
        for note in form.errors:
            print(f"error in {template.name}: {note.summary}: {note.detail[:200]!r}")
            broken.add(template.name)
    print(f"{len(templates)} forms, {parameters} parameters, {unknown} not known yet")
    _say("one evaluation by terraform", took)
    _say("one more answer in the same form", changed)
    quick = sum(milliseconds < QUICK for milliseconds in changed)
    print(f"of these, {quick} of {len(changed)} needed no terraform")
    with_forms = [one for one in templates if one.name not in broken][:FORMS]
    at_once, by_terraform = list[float](), list[float]()

    async def typing(template: Template) -> None:
        for turn in range(5):
            began = time.perf_counter()
            await evaluator.evaluate(question(template, zzz=f"at once {turn}"))
            at_once.append((time.perf_counter() - began) * 1000)

    async def opening(template: Template) -> None:
        for turn in range(5):
            began = time.perf_counter()
            await evaluator.evaluate(question(template, f"other {turn}"))
            by_terraform.append((time.perf_counter() - began) * 1000)

    await asyncio.gather(*(typing(replace(one)) for one in with_forms))
    _say(f"{len(with_forms)} forms at once, each waiting for its answer", at_once)
    await asyncio.gather(*(opening(replace(one)) for one in with_forms))
    _say(f"{len(with_forms)} forms at once, each answer by terraform", by_terraform)
    return len(broken)


def _pushable(slice_: bytes) -> bytes:
    """Return a slice as the archive of a template: it is one, but for the list of modules."""
    packed = io.BytesIO()
    with (
        tarfile.open(fileobj=io.BytesIO(slice_)) as old,
        tarfile.open(fileobj=packed, mode="w") as new,
    ):
        for entry in old:
            if entry.name != "zzzz_modules__.json":
                new.addfile(entry, old.extractfile(entry))
    return packed.getvalue()


async def push(api: httpx.AsyncClient, template: Template) -> str:
    """Push a slice as a version; return its id once it is imported."""
    tar = {"Content-Type": "application/x-tar"}
    while True:
        answer = await api.post("/files", content=_pushable(template.slice), headers=tar)
        if answer.status_code != HTTPStatus.TOO_MANY_REQUESTS:
            break
        await asyncio.sleep(float(answer.headers["Retry-After"]))
    values = [{"name": name, "value": value} for name, value in template.variables.items()]
    body = {
        "storage_method": "file",
        "provisioner": "terraform",
        "file_id": answer.raise_for_status().json()["hash"],
        "user_variable_values": values,
    }
    pushed = await api.post("/organizations/default/templateversions", json=body)
    version = pushed.raise_for_status().json()
    while version["job"]["status"] in ("pending", "running"):
        await asyncio.sleep(0.2)
        version = (await api.get(f"/templateversions/{version['id']}")).json()
    assert version["job"]["status"] == "succeeded", (template.name, version["job"]["error"])
    return version["id"]


async def serve(templates: list[Template], url: str, token: str) -> None:
    """Fill in forms of a running server; print the times."""
    header = {"Coder-Session-Token": token}
    async with httpx.AsyncClient(base_url=f"{url}/api/v2", headers=header, timeout=60) as api:
        versions = [await push(api, one) for one in templates]
    first, alone, at_once = list[float](), list[float](), list[float]()

    async def typing(version: str, name: str, took: list[float]) -> None:
        path = (
            f"{url.replace('http', 'ws', 1)}/api/v2/templateversions/{version}/dynamic-parameters"
        )
        began = time.perf_counter()
        async with connect(path, additional_headers=header, proxy=None) as socket:
            answer = json.loads(await socket.recv())
            assert answer["id"] == -1
            first.append((time.perf_counter() - began) * 1000)
            for turn in range(10):
                began = time.perf_counter()
                inputs = {"zzz": f"{name} {turn}"}
                await socket.send(json.dumps({"id": turn, "inputs": inputs}))
                answer = json.loads(await socket.recv())
                assert answer["id"] == turn
                assert all(one["severity"] != "error" for one in answer["diagnostics"]), answer
                took.append((time.perf_counter() - began) * 1000)

    for version in versions:
        await typing(version, "alone", alone)
    _say("first answer of a form", first)
    _say("one form of a server, a change and its answer", alone)
    await asyncio.gather(*(typing(version, "at once", at_once) for version in versions))
    _say(f"{len(versions)} forms of a server at once", at_once)


def _say(what: str, milliseconds: list[float]) -> None:
    ordered = sorted(milliseconds)
    print(
        f"{what}: p50 {statistics.median(ordered):.0f} ms, "
        f"p95 {ordered[int(len(ordered) * 0.95) - 1]:.0f} ms, max {ordered[-1]:.0f} ms "
        f"({len(ordered)} runs)"
    )


def main() -> None:
    """Slice and evaluate everything below the checkout."""
    parser = argparse.ArgumentParser(description="Measure live forms over the public registry.")
    parser.add_argument("checkout", type=Path)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--server", default="")
    parser.add_argument("--token", default="")
    given = parser.parse_args()
    checkout = given.checkout.resolve()
    found = directories(checkout)
    files = sum(len(list(directory.glob("*.tf"))) for directory in found)
    with tempfile.TemporaryDirectory() as scratch:
        made = [sliced(checkout, directory, Path(scratch)) for directory in found]
        templates = [one for one in made if isinstance(one, Template)]
        for problem in made:
            if isinstance(problem, str):
                print(f"NO SLICE {problem}")
        print(f"{files} files in {len(found)} directories, {len(templates)} slices")
        _say("one slice", [one.milliseconds for one in templates])
        asking = [one for one in templates if one.has_form]
        cache = Path(scratch) / "cache"
        cache.mkdir()
        failed = asyncio.run(measure(asking, given.runs, cache))
        if given.server:
            asyncio.run(serve(asking[:FORMS], given.server, given.token))
    sys.exit(bool(failed) or len(templates) < len(found))


if __name__ == "__main__":
    main()
