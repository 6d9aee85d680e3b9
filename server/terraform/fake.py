"""A terraform that follows a script, of equal rank with the real one: for tests of upper rooms."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TypeVar

from server.terraform.door import Console
from server.terraform.model import (
    BuildRequest,
    Built,
    ErrorCode,
    Failure,
    Imported,
    ImportRequest,
    Stage,
    Transition,
)

Outcome = TypeVar("Outcome")
CANCELED = Failure("terraform was cancelled", ErrorCode.CANCELED)
STATE = b'{"version": 4, "serial": 1, "resources": []}'


@dataclass(slots=True)
class FakeTerraform:
    """Answer each request with the next scripted outcome, else with a plain success.

    An outcome is a function of the request; ``script`` queues plain values. ``gate`` holds every
    request back until it is set; a cancelled console lets it go with ``CANCELED``.
    """

    imports: deque[Callable[[ImportRequest], Imported]] = field(
        default_factory=deque[Callable[[ImportRequest], Imported]]
    )
    builds: deque[Callable[[BuildRequest], Built]] = field(
        default_factory=deque[Callable[[BuildRequest], Built]]
    )
    left_behind: dict[Path, bytes] = field(default_factory=dict[Path, bytes])
    """Work directory → the state that ``sweep`` finds there."""
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    asked: list[ImportRequest | BuildRequest] = field(
        default_factory=list[ImportRequest | BuildRequest]
    )
    swept: list[Path] = field(default_factory=list[Path])

    def __post_init__(self) -> None:
        """Open the gate; a test that wants to hold a job clears it."""
        self.gate.set()

    def script(
        self, *, imports: Iterable[Imported] = (), builds: Iterable[Built] = ()
    ) -> "FakeTerraform":
        """Queue outcomes and return self."""
        self.imports.extend(partial(_answer, outcome) for outcome in imports)
        self.builds.extend(partial(_answer, outcome) for outcome in builds)
        return self

    async def import_version(self, request: ImportRequest, console: Console) -> Imported:
        """Return the next scripted import."""
        self.asked.append(request)
        console.log("info", Stage.SETTING_UP, "")
        console.log("info", Stage.DETECT_PERSISTENT, "Terraform 1.12.0")
        if await self._cancelled(console):
            return Imported(error=CANCELED)
        return self.imports.popleft()(request) if self.imports else Imported()

    async def dry_run(self, request: BuildRequest, console: Console) -> Built:
        """Return the next scripted build, without a state."""
        self.asked.append(request)
        console.log("info", Stage.PLAN, "Terraform 1.12.0")
        if await self._cancelled(console):
            return Built(error=CANCELED)
        return self.builds.popleft()(request) if self.builds else Built()

    async def build(self, request: BuildRequest, console: Console) -> Built:
        """Return the next scripted build."""
        self.asked.append(request)
        console.log("info", Stage.SETTING_UP, "")
        console.log("info", Stage.PLAN, "Terraform 1.12.0")
        if await self._cancelled(console):
            return Built(state=request.state, error=CANCELED)
        console.log("info", request.transition.stage, "Apply complete!")
        if self.builds:
            return self.builds.popleft()(request)
        return Built(state=None if request.transition is Transition.DELETE else STATE)

    async def sweep(self, work_dir: Path) -> bytes | None:
        """Return the state scripted for ``work_dir``."""
        self.swept.append(work_dir)
        return self.left_behind.pop(work_dir, None)

    async def _cancelled(self, console: Console) -> bool:
        waits = [
            asyncio.ensure_future(self.gate.wait()),
            asyncio.ensure_future(console.cancelled.wait()),
        ]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
        return console.cancelled.is_set()


def _answer(outcome: Outcome, _request: object) -> Outcome:
    return outcome
