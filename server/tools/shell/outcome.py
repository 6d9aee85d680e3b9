"""What a process did, as a model is told. Pure."""

from dataclasses import asdict, dataclass
from typing import Final
from uuid import UUID

from coder_cli.sdk.agentapi.processes import UNKNOWN_EXIT, ProcessOutput
from server.llm import Json
from server.loop import Result

NO_SHELL: Final = 127
STILL_RUNNING: Final = (
    "The process is still running. Use process_output with its id to see more, "
    "or process_signal to end it."
)


@dataclass(frozen=True, slots=True)
class Waited:
    """A process that was waited for."""

    process_id: UUID
    output: ProcessOutput
    wall_ms: int
    timeout: str
    """How long it was waited for, as it was said."""
    note: str = ""


def told(waited: Waited) -> Result:
    """Return the result: the end of a process, or how far it is."""
    output = waited.output
    code = UNKNOWN_EXIT if output.exit_code is None else output.exit_code
    value: dict[str, Json] = {
        "success": not output.running and code == 0,
        "output": output.output,
        "exit_code": UNKNOWN_EXIT if output.running else code,
        "wall_duration_ms": waited.wall_ms,
    }
    notes = [waited.note] if waited.note else []
    if output.running:
        value["error"] = f"command timed out after {waited.timeout}"
        value["background_process_id"] = str(waited.process_id)
        notes.append(STILL_RUNNING)
    elif code == UNKNOWN_EXIT:
        value["error"] = "command was ended by a signal"
    elif code != 0:
        value["error"] = f"command exited with code {code}"
    if output.truncated is not None:
        value["truncated"] = asdict(output.truncated)
    if notes:
        value["note"] = " ".join(notes)
    return Result(value)


def started(process_id: UUID, wall_ms: int, note: str = "") -> Result:
    """Return the result of a process that nobody waits for."""
    value: dict[str, Json] = {
        "success": True,
        "output": "",
        "exit_code": 0,
        "wall_duration_ms": wall_ms,
        "background_process_id": str(process_id),
        "note": note or "The process runs in the background. Use process_output with its id.",
    }
    return Result(value)


def seen(waited: Waited) -> Result:
    """Return what a process has said; one that runs on is no failure."""
    result = told(waited)
    assert isinstance(result.value, dict)
    if waited.output.running:
        value = {key: item for key, item in result.value.items() if key != "error"}
        return Result(value)
    return result
