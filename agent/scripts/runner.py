"""Run the scripts of a stage side by side, stream what they say, and report how they ended."""

import asyncio
import logging
import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Final

from agent.kit.child import Child, Children, Launch, within
from agent.kit.paths import expand_path
from agent.processes import Environment, command_line, user_shell
from agent.scripts.directories import Directories
from agent.scripts.output import LogSink, Output
from coder_cli.kit.clock import Clock
from coder_cli.sdk.agentapi import LogLevel, Script, ScriptStage, ScriptStatus, ScriptTiming

KILL_AFTER: Final = 10.0
"""How long a script that ran out of time may take to end after it was interrupted."""
PIPES_WITHIN: Final = 3.0
"""How long the output may stay open after the script itself has ended."""
UNKNOWN_EXIT: Final = 255
LEFT_OPEN: Final = (
    "WARNING: the script has ended, but a process that it started still holds its output open, "
    "and may now fail when it writes. Redirect the output of background processes, "
    "for example with '>/tmp/server.log 2>&1 &'."
)
log = logging.getLogger("agent.scripts")


class Verdict(StrEnum):
    """How a stage went as a whole."""

    OK = "ok"
    ERROR = "error"
    TIMEOUT = "timeout"


@dataclass(frozen=True, slots=True)
class Runner:
    """Runs scripts in the workspace's environment."""

    environment: Environment
    children: Children
    directories: Directories
    clock: Clock
    sink: LogSink
    completed: Callable[[ScriptTiming], None] = field(repr=False)

    async def run(self, scripts: Sequence[Script], stage: ScriptStage) -> Verdict:
        """Run all ``scripts`` at the same time; a failure of one leaves the others alone."""
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._run_one(script, stage)) for script in scripts]
        ends = {task.result() for task in tasks}
        if ScriptStatus.TIMED_OUT in ends:
            return Verdict.TIMEOUT
        return Verdict.OK if ends <= {ScriptStatus.OK} else Verdict.ERROR

    async def _run_one(self, script: Script, stage: ScriptStage) -> ScriptStatus:
        start = self.clock.now()
        log.info("script %r of stage %s starts", script.display_name, stage)
        with Output(self.sink, script.log_source_id, self._log_path(script)) as output:
            try:
                child = self._launch(script, output)
            except (OSError, ValueError) as error:  # ValueError: a NUL in a word or variable.
                output.say(LogLevel.ERROR, f"The script could not be started: {error}")
                code, status = UNKNOWN_EXIT, ScriptStatus.EXIT_FAILURE
            else:
                code, status = await self._watch(child, script, output)
        timing = ScriptTiming(script.id, start, self.clock.now(), code, stage, status)
        log.info("script %r ended: %s (exit code %d)", script.display_name, status, code)
        self.completed(timing)
        return status

    def _launch(self, script: Script, output: Output) -> Child:
        env = self.environment.build(self._additions(script))
        shell = user_shell(env)
        argv = command_line(script.script, shell)
        with output.ends() as (stdout, stderr):
            cwd = self.environment.directory()
            return self.children.start(Launch(argv, env, cwd, stdout=stdout, stderr=stderr))

    async def _watch(
        self, child: Child, script: Script, output: Output
    ) -> tuple[int, ScriptStatus]:
        limit = script.timeout or float("inf")
        in_time = await _wait(child, limit, self.clock)
        if not in_time:
            output.say(LogLevel.ERROR, f"The script ran longer than {script.timeout:g} s.")
            await child.end(signal.SIGINT, self.clock, KILL_AFTER)
            child.signal(signal.SIGKILL)  # What the script left behind ran out of time with it.
        closed = await within(output.closed(), PIPES_WITHIN, self.clock)
        code = child.returncode
        if code is None or code < 0:
            code = UNKNOWN_EXIT
        if not in_time:
            return code, ScriptStatus.TIMED_OUT
        if not closed:
            output.say(LogLevel.WARN, LEFT_OPEN)
            return code, ScriptStatus.PIPES_LEFT_OPEN
        return code, ScriptStatus.OK if code == 0 else ScriptStatus.EXIT_FAILURE

    def _additions(self, script: Script) -> Mapping[str, str]:
        return {
            "CODER_SCRIPT_DATA_DIR": str(self.directories.of(script.log_source_id)),
            "CODER_SCRIPT_BIN_DIR": str(self.directories.bin),
        }

    def _log_path(self, script: Script) -> Path:
        wanted = script.log_path or f"coder-script-{script.log_source_id}.log"
        base = str(self.directories.logs)
        return Path(expand_path(wanted, self.environment.build(), base))


async def _wait(child: Child, seconds: float, clock: Clock) -> bool:
    if seconds == float("inf"):
        await child.wait()
        return True
    return await within(child.wait(), seconds, clock)
