"""What terraform's tests share: a console that listens, archives from text, a provider to ask."""

import asyncio
import io
import json
import os
import shutil
import tarfile
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from uuid import uuid4

import psutil
import pytest

from server.terraform import LogLevel
from server.terraform.provider.catalog import DATA_SOURCES, RESOURCES
from server.terraform.provider.schema import Call, Finding
from server.terraform.provider.values import Object

needs_terraform = pytest.mark.skipif(
    shutil.which("terraform") is None and shutil.which("tofu") is None,
    reason="there is no terraform (or tofu) on PATH",
)
WORKSPACE = uuid4()
"""Of this process alone: a workspace is ended by its id, also by tests that run beside it."""

HEADER = """
terraform {
  required_providers {
    coder = { source = "coder/coder" }
  }
}
"""


@dataclass
class Listener:
    """A console that remembers, and that can cancel when it hears something."""

    cancelled: asyncio.Event = field(default_factory=asyncio.Event)
    lines: list[tuple[str, str, str]] = field(default_factory=list[tuple[str, str, str]])
    cancel_at: str = ""
    concealed: list[str] = field(default_factory=list[str])

    def conceal(self, secrets: Iterable[str]) -> None:
        self.concealed += secrets

    def log(self, level: LogLevel, stage: str, output: str) -> None:
        self.lines.append((level, stage, output))
        if self.cancel_at and self.cancel_at in output:
            self.cancelled.set()

    @property
    def text(self) -> str:
        return "\n".join(output for _, _, output in self.lines)

    @property
    def stages(self) -> list[str]:
        return list(dict.fromkeys(stage for _, stage, _ in self.lines))


def tar(files: Mapping[str, str]) -> bytes:
    """Return a tar with these files."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, text in files.items():
            content = text.encode()
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), 0o644
            archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def template(body: str, **more: str) -> bytes:
    """Return the archive of a template that uses the provider."""
    return tar({"main.tf": HEADER + body, **more})


@dataclass
class Answer:
    """What a type made of a configuration."""

    value: Object
    found: list[Finding]

    @property
    def errors(self) -> list[str]:
        return [f.summary for f in self.found if not f.warning]

    @property
    def warnings(self) -> list[str]:
        return [f.summary for f in self.found if f.warning]

    @property
    def details(self) -> list[str]:
        return [f.detail for f in self.found]


def read(kind: str, config: Object, env: Mapping[str, str] | None = None) -> Answer:
    """Read a data source as terraform does: validate, fill in defaults, read."""
    source = DATA_SOURCES[kind]
    call = Call(env or {}, (env or {}).get("CODER_AGENT_URL", "https://coder.example.com"))
    call.found.extend(source.body.findings(config))
    value = source.body.planned(config, create=False)
    if not call.failed:
        source.read(value, call)
    return Answer(value, call.found)


def plan(kind: str, config: Object) -> Answer:
    """Validate and plan a new resource."""
    resource = RESOURCES[kind]
    call = Call({}, "https://coder.example.com")
    call.found.extend(resource.body.findings(config))
    value = resource.body.planned(config, create=True)
    if resource.plan is not None:
        resource.plan(value, call)
    return Answer(value, call.found)


def create(kind: str, config: Object, env: Mapping[str, str] | None = None) -> Answer:
    """Plan and create a new resource."""
    planned = plan(kind, config)
    call = Call(env or {}, "https://coder.example.com", planned.found)
    hook = RESOURCES[kind].create
    known = {k: "an-id" if k == "id" else v for k, v in planned.value.items()}
    known = {k: None if repr(v) == "UNKNOWN" else v for k, v in known.items()}
    if hook is not None and not call.failed:
        hook(known, call)
    return Answer(known, call.found)


async def until(happened: Callable[[], bool]) -> None:
    """Wait for something that another process does; the test's own timeout is the limit."""
    # Another process has no event that this one could wait for.
    while not happened():  # noqa: ASYNC110
        await asyncio.sleep(0.01)


def alive(marker: str) -> list[int]:
    """Return the processes whose command line or environment holds ``marker``."""
    found: list[int] = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.status() == psutil.STATUS_ZOMBIE or process.pid == os.getpid():
                continue
            words = [*process.cmdline(), *map("=".join, process.environ().items())]
            if any(marker in word for word in words):
                found.append(process.pid)
    return found


def cut_short(state: bytes | None) -> bytes:
    """Return a state in which the creation of each resource named workspace was interrupted."""
    found = json.loads(state or b"{}")
    for resource in found["resources"]:
        if resource["name"] == "workspace":
            for instance in resource["instances"]:
                instance["status"] = "tainted"
    return json.dumps(found).encode()
