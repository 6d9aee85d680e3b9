"""Look at what the chat started, and end it."""

from typing import Final
from uuid import UUID

from pydantic import Field, field_validator

from coder_cli.sdk.agentapi import to_json
from coder_cli.sdk.agentapi.processes import ProcessSignal
from server.llm import Json
from server.loop import Result, Tool
from server.tools.bench import Bench
from server.tools.shape import Args, shaped
from server.tools.shell.commands import timeout_seconds
from server.tools.shell.execute import wait
from server.tools.shell.outcome import Waited, seen

MOST_LISTED: Final = 10


class Output(Args):
    """Arguments of ``process_output``."""

    process_id: UUID = Field(description="The background_process_id of an earlier answer.")
    wait_timeout: str = Field(
        default="10s",
        description="How long to wait for the end of the process, such as 30s; 0s looks once.",
    )

    @field_validator("wait_timeout")
    @classmethod
    def _not_negative(cls, value: str) -> str:
        _seconds(value)
        return value


class Nothing(Args):
    """No arguments."""


class Signal(Args):
    """Arguments of ``process_signal``."""

    process_id: UUID = Field(description="The background_process_id of an earlier answer.")
    signal: ProcessSignal = Field(
        description="terminate asks the process to end (SIGTERM), kill ends it (SIGKILL)."
    )


def process_output(bench: Bench) -> Tool:
    """Return the tool."""

    async def look(args: Output) -> Result:
        clock, seconds = bench.means.clock, _seconds(args.wait_timeout)
        began = clock.monotonic()
        async with bench.link.open() as api:
            if seconds:
                output = await wait(bench, api, args.process_id, seconds)
            else:
                output = await api.process_output(args.process_id)
        took = round((clock.monotonic() - began) * 1000)
        return seen(Waited(args.process_id, output, took, args.wait_timeout))

    return shaped(__package__ or "", "process_output", Output, look)


def _seconds(text: str) -> float:
    return 0.0 if text.strip() in {"0", "0s"} else timeout_seconds(text)


def process_list(bench: Bench) -> Tool:
    """Return the tool."""

    async def look(_: Nothing) -> Result:
        async with bench.link.open() as api:
            found = await api.list_processes()
        told: list[Json] = [
            {key: item for key, item in to_json(each).items() if item is not None}
            for each in found[:MOST_LISTED]
        ]
        return Result({"processes": told})

    return shaped(__package__ or "", "process_list", Nothing, look)


def process_signal(bench: Bench) -> Tool:
    """Return the tool."""

    async def send(args: Signal) -> Result:
        async with bench.link.open() as api:
            message = await api.signal_process(args.process_id, args.signal)
        return Result({"success": True, "message": message})

    return shaped(__package__ or "", "process_signal", Signal, send)
