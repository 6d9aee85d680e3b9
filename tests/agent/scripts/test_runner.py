"""Scripts: side by side, streamed, timed, and judged."""

import asyncio
import os
import shutil
import signal
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest

from agent.kit.child import Children
from agent.processes import Environment
from agent.scripts import Directories, Runner, Verdict
from agent.scripts.runner import KILL_AFTER, LEFT_OPEN, PIPES_WITHIN
from coder_cli.sdk.agentapi import LogLevel, Script, ScriptStage, ScriptStatus, ScriptTiming
from tests.agent.control_plane import manifest_of, script_of
from tests.agent.waiting import until
from tests.support.clock import FakeClock

Line = tuple[UUID, LogLevel, str]


@dataclass
class Stage:
    """A runner, and everything that came out of it."""

    runner: Runner
    clock: FakeClock
    lines: list[Line]
    timings: list[ScriptTiming]

    async def run(self, *scripts: Script) -> Verdict:
        """Run start scripts on a clock that stands still."""
        return await self.runner.run(scripts, ScriptStage.START)

    def texts(self, level: LogLevel | None = None) -> list[str]:
        """Return the lines, of one level or all."""
        return [text for _, each, text in self.lines if level in (None, each)]


@dataclass
class Sink:
    """Keeps lines."""

    lines: list[Line] = field(default_factory=list[Line])

    def log(self, source_id: UUID, level: LogLevel, output: str) -> None:
        self.lines.append((source_id, level, output))


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    home = tmp_path / "home"
    home.mkdir()
    clock, sink = FakeClock(), Sink()
    timings: list[ScriptTiming] = []
    directories = Directories.prepare(tmp_path / "data", tmp_path / "logs", home)
    base = {"PATH": "/usr/bin:/bin", "HOME": str(home), "SHELL": "/bin/sh"}
    environment = Environment(base, "token", "/opt/coder", directories.bin, manifest_of())
    children = Children(clock)
    runner = Runner(environment, children, directories, clock, sink, timings.append)
    yield Stage(runner, clock, sink.lines, timings)
    ending = asyncio.ensure_future(children.end_all())
    await clock.advance(60)
    await ending


async def test_what_a_script_says_is_logged_by_source_and_stream(stage: Stage) -> None:
    script = script_of("echo one; echo two >&2; printf 'no end'")
    assert await stage.run(script) is Verdict.OK
    assert {source for source, _, _ in stage.lines} == {script.log_source_id}
    assert stage.texts(LogLevel.INFO) == ["one", "no end"]
    assert stage.texts(LogLevel.ERROR) == ["two"]


async def test_lines_are_streamed_while_the_script_runs(stage: Stage, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    running = asyncio.ensure_future(
        stage.run(script_of(f"echo first; while [ ! -e {gate} ]; do sleep 0.02; done; echo last"))
    )
    await until(lambda: stage.texts() == ["first"])
    assert not running.done()
    gate.touch()
    await running
    assert stage.texts() == ["first", "last"]


async def test_a_finished_run_is_reported_with_its_times(stage: Stage) -> None:
    script = script_of("exit 3")
    assert await stage.run(script) is Verdict.ERROR
    (timing,) = stage.timings
    assert timing == ScriptTiming(
        script.id,
        stage.clock.now(),
        stage.clock.now(),
        3,
        ScriptStage.START,
        ScriptStatus.EXIT_FAILURE,
    )


async def test_all_scripts_run_at_the_same_time_and_a_failure_of_one_leaves_the_others_alone(
    stage: Stage, tmp_path: Path
) -> None:
    a, b = tmp_path / "a", tmp_path / "b"
    wait = "while [ ! -e {} ]; do sleep 0.02; done"
    verdict = await stage.run(
        script_of(f"touch {a}; {wait.format(b)}; echo a"),
        script_of(f"touch {b}; {wait.format(a)}; echo b"),
        script_of("exit 1"),
    )
    assert verdict is Verdict.ERROR
    assert sorted(stage.texts()) == ["a", "b"]
    assert [timing.exit_code for timing in stage.timings].count(0) == 2


async def test_no_scripts_are_fine(stage: Stage) -> None:
    assert await stage.run() is Verdict.OK


async def test_the_log_file_is_private_and_holds_both_streams(stage: Stage, tmp_path: Path) -> None:
    script = script_of("echo one; echo two >&2")
    await stage.run(script)
    default = tmp_path / "logs" / f"coder-script-{script.log_source_id}.log"
    assert sorted(default.read_text().split()) == ["one", "two"]
    assert default.stat().st_mode & 0o777 == 0o600
    await stage.run(script_of("echo x", log_path="~/my.log"))
    assert (tmp_path / "home" / "my.log").read_text() == "x\n"
    await stage.run(script_of("echo y", log_path="sub/its.log"))
    assert (tmp_path / "logs" / "sub" / "its.log").read_text() == "y\n"


async def test_a_log_file_that_cannot_be_written_does_not_stop_the_script(stage: Stage) -> None:
    assert await stage.run(script_of("echo x", log_path="/proc/no/such")) is Verdict.OK
    assert stage.texts() == ["x"]


async def test_the_surroundings_of_a_script(stage: Stage, tmp_path: Path) -> None:
    script = script_of(
        "echo $CODER_SCRIPT_DATA_DIR; echo $CODER_SCRIPT_BIN_DIR; echo $PATH; pwd; "
        "echo $CODER_WORKSPACE_NAME; [ -d $CODER_SCRIPT_DATA_DIR ] && echo there; cat"
    )
    await stage.run(script)
    data = tmp_path / "data" / "coder-script-data"
    assert stage.texts() == [
        str(data / str(script.log_source_id)),
        str(data / "bin"),
        f"{data / 'bin'}:/usr/bin:/bin:/opt",
        str(tmp_path / "home"),
        "dev",
        "there",
    ]
    assert (data / "bin").stat().st_mode & 0o777 == 0o700


async def test_a_shebang_is_honoured_even_after_white_space(stage: Stage) -> None:
    if shutil.which("python3", path="/usr/bin:/bin") is None:
        pytest.skip("needs python3")
    await stage.run(script_of("\n\n  #!/usr/bin/env python3\nprint(6 * 7)\n"))
    assert stage.texts() == ["42"]


async def test_a_script_that_cannot_start_is_a_failure_with_words(stage: Stage) -> None:
    assert await stage.run(script_of("#!/no/such/program\n")) is Verdict.ERROR
    (timing,) = stage.timings
    assert (timing.exit_code, timing.status) == (255, ScriptStatus.EXIT_FAILURE)
    assert stage.texts()[0].startswith("The script could not be started: ")


async def test_a_script_that_no_system_can_start_does_not_take_the_agent_along(
    stage: Stage,
) -> None:
    assert await stage.run(script_of("echo \0", log_path="a\0b")) is Verdict.ERROR
    assert stage.timings[0].exit_code == 255


async def test_a_script_killed_by_a_signal_has_an_unknown_exit(stage: Stage) -> None:
    assert await stage.run(script_of("kill -KILL $$")) is Verdict.ERROR
    assert stage.timings[0].exit_code == 255


async def test_a_script_out_of_time_is_interrupted_first(stage: Stage) -> None:
    script = script_of(
        "trap 'echo interrupted; exit 1' INT; echo on; while :; do sleep 0.02; done", timeout=60
    )
    running = asyncio.ensure_future(stage.run(script))
    await until(lambda: stage.texts() == ["on"])
    await stage.clock.advance(59.9)
    assert not stage.timings
    await stage.clock.advance(0.1)
    assert await running is Verdict.TIMEOUT
    assert stage.texts() == ["on", "The script ran longer than 60 s.", "interrupted"]
    assert stage.timings[0].status is ScriptStatus.TIMED_OUT


async def test_a_script_out_of_time_that_does_not_listen_is_killed_after_10_seconds(
    stage: Stage,
) -> None:
    script = script_of("trap '' INT; echo on; while :; do sleep 0.02; done", timeout=60)
    other = script_of("exit 0")
    running = asyncio.ensure_future(stage.run(script, other))
    await until(lambda: "on" in stage.texts() and stage.timings)
    await stage.clock.advance(60)
    await stage.clock.advance(KILL_AFTER - 0.1)
    assert len(stage.timings) == 1
    await stage.clock.advance(0.1)
    assert await running is Verdict.TIMEOUT
    first, late = stage.timings
    assert (first.script_id, first.status) == (other.id, ScriptStatus.OK)
    assert (late.exit_code, late.status) == (255, ScriptStatus.TIMED_OUT)
    assert late.end - late.start == timedelta(seconds=70)


async def test_pipes_left_open_are_reported_promptly_and_not_waited_for(stage: Stage) -> None:
    running = asyncio.ensure_future(stage.run(script_of("sleep 600 & echo $!; exit 0")))
    await until(lambda: len(stage.texts()) == 1)
    await until(lambda: not stage.runner.children.pids)
    await stage.clock.advance(PIPES_WITHIN)
    assert await running is Verdict.ERROR
    assert stage.timings[0].status is ScriptStatus.PIPES_LEFT_OPEN
    assert stage.timings[0].exit_code == 0
    assert stage.texts(LogLevel.WARN) == [LEFT_OPEN]
    os.kill(int(stage.texts()[0]), signal.SIGKILL)


async def test_a_background_process_with_its_own_output_is_fine(stage: Stage) -> None:
    script = script_of("sleep 1 >/dev/null 2>&1 & echo started")
    assert await stage.run(script) is Verdict.OK
