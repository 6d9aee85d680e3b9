"""Run a command in the workspace; a time-out ends the waiting, not the command."""

from typing import Final
from uuid import UUID, uuid4

from pydantic import Field, field_validator

from coder_cli.sdk.agentapi.processes import LONGEST_WAIT, ProcessOutput, StartProcess
from server.agents import AgentApi, AgentRefused
from server.loop import Result, Tool
from server.network import Unreachable
from server.tools.bench import Bench
from server.tools.paths import expanded
from server.tools.sentences import ToolError
from server.tools.shape import Args, shaped
from server.tools.shell.commands import note_on, promoted, timeout_seconds
from server.tools.shell.outcome import NO_SHELL, Waited, started, told

SNAPSHOT_WITHIN: Final = 30.0
SHELL_NOTE: Final = "The workspace may have no POSIX shell: commands are run by `sh -c`."
PROMOTED_NOTE: Final = (
    "The trailing & was removed, and the process runs in the background. "
    "Set run_in_background instead of writing &. Use process_output with its id."
)
ENVIRONMENT: Final = {
    "CODER_CHAT_AGENT": "true",
    "GIT_EDITOR": "true",
    "GIT_SEQUENCE_EDITOR": "true",
    "EDITOR": "true",
    "VISUAL": "true",
    "GIT_TERMINAL_PROMPT": "0",
    "NO_COLOR": "1",
    "TERM": "dumb",
    "PAGER": "cat",
    "GIT_PAGER": "cat",
}
"""Nobody sits there: editors, pagers and questions would wait for ever."""


class Execute(Args):
    """Arguments of ``execute``."""

    command: str = Field(description="The shell command to run, by `sh -c`.")
    model_intent: str = Field(
        default="", description="In one line and plain words, what the command is for."
    )
    timeout: str = Field(
        default="10s",
        description="How long to wait for its end, such as 30s or 5m; 4h at most. "
        "A time-out does not end the command.",
    )
    workdir: str = Field(
        default="", description="The directory to run in; the workspace's own one if left out."
    )
    run_in_background: bool = Field(
        default=False,
        description="Do not wait: for servers, watchers and whatever runs long. "
        "Never write & at the end of the command instead.",
    )

    @field_validator("command")
    @classmethod
    def _some(cls, value: str) -> str:
        if not value.strip():
            raise ValueError("command is required")
        return value

    @field_validator("timeout")
    @classmethod
    def _positive(cls, value: str) -> str:
        timeout_seconds(value or "10s")
        return value or "10s"


def execute(bench: Bench) -> Tool:
    """Return the tool."""

    async def run(args: Execute) -> Result:
        command, trailing = promoted(args.command)
        if not command:
            raise ToolError("command is required")
        began = bench.means.clock.monotonic()

        def elapsed() -> int:
            return round((bench.means.clock.monotonic() - began) * 1000)

        workdir = await expanded(bench.link, args.workdir)
        async with bench.link.open() as api:
            background = args.run_in_background or trailing
            process_id = await _start(api, bench, command, workdir, background=background)
            if background:
                return started(process_id, elapsed(), PROMOTED_NOTE if trailing else "")
            output = await wait(bench, api, process_id, timeout_seconds(args.timeout))
        note = SHELL_NOTE if output.exit_code == NO_SHELL and not output.output else ""
        return told(
            Waited(process_id, output, elapsed(), args.timeout, note or note_on(args.command))
        )

    return shaped(__package__ or "", "execute", Execute, run)


async def _start(
    api: AgentApi, bench: Bench, command: str, workdir: str, *, background: bool
) -> UUID:
    wanted = StartProcess(
        command,
        workdir,
        {**ENVIRONMENT, "CODER_CHAT_ID": str(bench.facts.id)},
        background=background,
        # Asking again after a broken answer starts nothing twice.
        client_token=str(uuid4()),
    )
    try:
        return await api.start_process(wanted)
    except Unreachable:
        return await api.start_process(wanted)
    except AgentRefused as refused:
        if refused.code != 500:
            raise
        raise ToolError(refused.message, detail=f"{refused.detail} {SHELL_NOTE}".strip()) from None


async def wait(bench: Bench, api: AgentApi, process_id: UUID, seconds: float) -> ProcessOutput:
    """Return a process's output at its end, or when the time is over.

    A wait that breaks is followed by one look at what there is.
    """
    clock = bench.means.clock
    end = clock.monotonic() + seconds
    while True:
        left = end - clock.monotonic()
        try:
            output = await api.process_output(process_id, within=min(left, LONGEST_WAIT))
        except Unreachable:
            return await _snapshot(bench, process_id)
        if not output.running or clock.monotonic() >= end:
            return output


async def _snapshot(bench: Bench, process_id: UUID) -> ProcessOutput:
    await bench.link.drop()
    async with bench.link.within(SNAPSHOT_WITHIN), bench.link.open() as api:
        return await api.process_output(process_id)
