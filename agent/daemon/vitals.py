"""What is measured of the workspace while the agent lives: values, apps, memory and volumes."""

import asyncio

from agent.kit.child import Child, Children, Launch
from agent.metadata import AppHealths, Metadata, ResourceMonitor, is_well
from agent.processes import Environment, command_line, user_shell
from agent.upstream import Line
from coder_cli.kit.clock import Clock
from coder_cli.sdk.agentapi import Manifest


class Vitals:
    """All of it together. ``know`` each manifest, ``run`` until the shutdown."""

    def __init__(
        self, line: Line, clock: Clock, environment: Environment, children: Children
    ) -> None:
        self._environment = environment
        self._children = children
        self._metadata = Metadata(line, clock, self._start)
        self._apps = AppHealths(line, clock, is_well)
        self._resources = ResourceMonitor(line, clock)

    def know(self, manifest: Manifest) -> None:
        """Take what the template wants."""
        self._metadata.know(manifest.metadata)
        self._apps.know(manifest.apps)
        self._resources.refresh()

    async def run(self) -> None:
        """Measure and tell for ever."""
        async with asyncio.TaskGroup() as group:
            for each in (self._metadata, self._apps, self._resources):
                group.create_task(each.run())

    def _start(self, script: str, output: int) -> Child:
        env = self._environment.build()
        argv = command_line(script, user_shell(env))
        cwd = self._environment.directory()
        return self._children.start(Launch(argv, env, cwd, stdout=output, stderr=output))
