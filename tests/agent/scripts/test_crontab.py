"""Scripts that run at their times."""

import asyncio
from dataclasses import replace

import pytest

from agent.scripts import Crontab
from coder_cli.sdk.agentapi import LogLevel, Script, ScriptStage, ScriptStatus
from tests.agent.control_plane import script_of
from tests.agent.scripts.test_runner import Stage, stage
from tests.agent.waiting import until

__all__ = ["stage"]  # The fixture.


def cron_of(text: str, cron: str) -> Script:
    return replace(script_of(text), cron=cron, run_on_start=False)


@pytest.fixture
def crontab(stage: Stage) -> Crontab:
    return Crontab(stage.runner, stage.clock)


async def test_a_script_runs_at_each_of_its_times(stage: Stage, crontab: Crontab) -> None:
    script = cron_of("echo tick; exit 3", "*/30 * * * * *")
    keeping = asyncio.ensure_future(crontab.run([script, script_of("echo never")]))
    begun = stage.clock.now()
    for run in (1, 2):
        await stage.clock.wake_within(30)
        await until(lambda run=run: len(stage.timings) == run)
    keeping.cancel()
    assert [(timing.start - begun).total_seconds() for timing in stage.timings] == [30, 60]
    assert {timing.stage for timing in stage.timings} == {ScriptStage.CRON}
    assert {timing.status for timing in stage.timings} == {ScriptStatus.EXIT_FAILURE}
    assert stage.texts() == ["tick", "tick"]


async def test_a_time_that_comes_while_the_script_runs_is_skipped(
    stage: Stage, crontab: Crontab
) -> None:
    script = replace(cron_of("echo begun; sleep 600", "* * * * * *"), timeout=5)
    keeping = asyncio.ensure_future(crontab.run([script]))
    await stage.clock.wake_within(1)
    await until(lambda: "begun" in stage.texts())
    await stage.clock.advance(3)
    assert stage.texts() == ["begun"]
    await stage.clock.wake_within(2)
    await until(lambda: stage.timings)
    keeping.cancel()
    assert stage.timings[0].status is ScriptStatus.TIMED_OUT


async def test_long_waits_are_cut_in_pieces_and_still_right(stage: Stage, crontab: Crontab) -> None:
    keeping = asyncio.ensure_future(crontab.run([cron_of("echo late", "@every 10m")]))
    begun = stage.clock.now()
    await stage.clock.advance(599)
    assert stage.texts() == []
    await stage.clock.wake_within(1)
    await until(lambda: stage.timings)
    keeping.cancel()
    assert (stage.timings[0].start - begun).total_seconds() == 600


async def test_a_schedule_that_cannot_be_read_is_told_in_the_scripts_own_log(
    stage: Stage, crontab: Crontab
) -> None:
    script = cron_of("echo never", "every day")
    await crontab.run([script])
    (line,) = stage.lines
    assert line[:2] == (script.log_source_id, LogLevel.ERROR)
    assert "every day" in line[2]
