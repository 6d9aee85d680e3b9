"""What a job asks of terraform: complete values, which may travel to another machine."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from server.provisioning.actions.kinds import Console
from server.provisioning.errors import JobFailed
from server.terraform import BuildRequest, Built, Imported, ImportRequest, Stage, Terraform

Done = TypeVar("Done", Built, Imported)
ELSEWHERE = Path()
"""The work directory of a request that has none yet: whoever carries it out gives it one."""


@dataclass(frozen=True, slots=True)
class ImportOrder:
    """Learn what a template version offers."""

    request: ImportRequest

    async def carry_out(self, terraform: Terraform, console: Console) -> Imported:
        """Plan a start and a stop."""
        request = replace(self.request, work_dir=console.work_dir)
        console.conceal(request.secrets)
        return _done(await terraform.import_version(request, console))


@dataclass(frozen=True, slots=True)
class DryRunOrder:
    """Learn what a build would make."""

    request: BuildRequest

    async def carry_out(self, terraform: Terraform, console: Console) -> Built:
        """Plan a build."""
        request = replace(self.request, work_dir=console.work_dir)
        console.conceal(request.secrets)
        return _done(await terraform.dry_run(request, console))


@dataclass(frozen=True, slots=True)
class BuildOrder:
    """Start, stop or delete a workspace."""

    request: BuildRequest

    async def carry_out(self, terraform: Terraform, console: Console) -> Built:
        """Plan and apply, from the state that is the newest."""
        # What a lost run left on this host is newer than anything in the database.
        state = self.request.state if console.recovered is None else console.recovered
        request = replace(self.request, work_dir=console.work_dir, state=state)
        console.conceal(request.secrets)
        return _done(await terraform.build(request, console))


@dataclass(frozen=True, slots=True)
class OrphanOrder:
    """Forget a workspace; what it made stays where it is."""

    async def carry_out(self, terraform: Terraform, console: Console) -> Built:  # noqa: ARG002 - the protocol has it
        """Say so: terraform has nothing to do."""
        words = "Orphaning: what the workspace made is left as it is."
        console.log("warn", Stage.SETTING_UP, words)
        return Built()


def _done(outcome: Done) -> Done:
    if outcome.error is not None:
        code = "" if outcome.error.canceled else str(outcome.error.code)
        raise JobFailed(outcome.error.message, code, outcome=outcome)
    return outcome
