"""A terraform that follows a script, of equal rank with the real one: for tests of upper rooms."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
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

Outcome = TypeVar("Outcome", Imported, Built)
CANCELED = Failure("terraform was cancelled", ErrorCode.CANCELED)
STATE = b'{"version": 4, "serial": 1, "resources": []}'


@dataclass(slots=True)
class FakeTerraform:
    """Answer each request with the next scripted outcome, else with a plain success.

    An outcome is a value or a function of the request. ``gate`` holds every request back until it
    is set; a cancelled console lets it go with ``CANCELED``, as the real one does.
    """

    imports: deque[Imported | Callable[[ImportRequest], Imported]] = field(
        default_factory=deque[Imported | Callable[[ImportRequest], Imported]]
    )
    builds: deque[Built | Callable[[BuildRequest], Built]] = field(
        default_factory=deque[Built | Callable[[BuildRequest], Built]]
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
        self.imports.extend(imports)
        self.builds.extend(builds)
        return self

    async def import_version(self, request: ImportRequest, console: Console) -> Imported:
        """Return the next scripted import."""
        self.asked.append(request)
        console.log("info", Stage.SETTING_UP, "")
        console.log("info", Stage.DETECT_PERSISTENT, "Terraform 1.12.0")
        if await self._cancelled(console):
            return Imported(error=CANCELED)
        return _next(self.imports, request, Imported())

    async def dry_run(self, request: BuildRequest, console: Console) -> Built:
        """Return the next scripted build, without a state."""
        self.asked.append(request)
        console.log("info", Stage.PLAN, "Terraform 1.12.0")
        if await self._cancelled(console):
            return Built(error=CANCELED)
        return _next(self.builds, request, Built())

    async def build(self, request: BuildRequest, console: Console) -> Built:
        """Return the next scripted build."""
        self.asked.append(request)
        console.log("info", Stage.SETTING_UP, "")
        console.log("info", Stage.PLAN, "Terraform 1.12.0")
        if await self._cancelled(console):
            return Built(state=request.state, error=CANCELED)
        console.log("info", request.transition.stage, "Apply complete!")
        gone = request.transition is Transition.DELETE
        return _next(self.builds, request, Built(state=None if gone else STATE))

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


def _next(
    queue: deque[Outcome | Callable[..., Outcome]],
    request: ImportRequest | BuildRequest,
    default: Outcome,
) -> Outcome:
    outcome = queue.popleft() if queue else default
    return outcome if isinstance(outcome, Imported | Built) else outcome(request)
