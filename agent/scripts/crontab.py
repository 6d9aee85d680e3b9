"""Run scripts when their time has come, for as long as the agent lives."""

import asyncio
import logging
from collections.abc import Sequence
from typing import Final

from agent.scripts.cron import BadCron, Schedule, parse
from agent.scripts.runner import Runner
from coder_cli.kit.clock import Clock
from coder_cli.sdk.agentapi import LogLevel, Script, ScriptStage

LOOK_EVERY: Final = 60.0
"""A long sleep is cut in pieces, so that a machine that slept, or whose clock was set, is right."""
log = logging.getLogger("agent.scripts")


class Crontab:
    """The scripts of a template that have a schedule. How a run ends is in its log, no more."""

    def __init__(self, runner: Runner, clock: Clock) -> None:
        self._runner = runner
        self._clock = clock

    async def run(self, scripts: Sequence[Script]) -> None:
        """Run each of ``scripts`` at its times, for ever; those without a schedule are left."""
        async with asyncio.TaskGroup() as group:
            for script in scripts:
                if script.cron:
                    group.create_task(self._keep(script))

    async def _keep(self, script: Script) -> None:
        try:
            schedule = parse(script.cron)
        except BadCron as error:
            words = f"The script is not run by its schedule {script.cron!r}: {error}"
            self._runner.sink.log(script.log_source_id, LogLevel.ERROR, words)
            return
        while await self._until_due(schedule):
            # One run after the other: a time that comes while a run is under way is skipped.
            await self._runner.run([script], ScriptStage.CRON)
        log.warning("script %r is never due again", script.display_name)

    async def _until_due(self, schedule: Schedule) -> bool:
        due = schedule.after(self._clock.now())
        while due is not None:
            left = (due - self._clock.now()).total_seconds()
            if left <= 0:
                return True
            await self._clock.sleep(min(left, LOOK_EVERY))
        return False
