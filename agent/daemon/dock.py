"""Containers as the daemon runs them: from settings and manifests to a yard and its routes."""

from agent.containers import (
    Cli,
    ContainerRoutes,
    Definition,
    Docker,
    Options,
    SubAgents,
    Tools,
    Yard,
    no_containers,
)
from agent.daemon.settings import Settings
from agent.kit.child import Children
from agent.network.http import Table
from agent.processes import Environment
from agent.upstream import Line
from coder_cli.kit.clock import Clock
from coder_cli.sdk.agentapi import Manifest


class Dock:
    """The containers of one agent. Off, or inside of a container, it only says so."""

    def __init__(
        self,
        settings: Settings,
        environment: Environment,
        children: Children,
        line: Line,
        clock: Clock,
    ) -> None:
        wanted = settings.devcontainers
        tools = Tools(environment.usual, children, clock)
        self._enabled = wanted.enabled
        self._yard = Yard(
            Docker(tools),
            Cli(tools),
            SubAgents(tools, line.call, settings.executable, settings.url),
            clock,
            Options(environment.directory, wanted.discover, wanted.autostart),
        )
        self._routes = ContainerRoutes(self._yard, clock)

    def mount(self, table: Table) -> None:
        """Add the routes to the agent's API."""
        if self._enabled:
            self._routes.mount(table)
        else:
            no_containers(table)

    def know(self, manifest: Manifest) -> None:
        """Serve what the template defines, before anything of it can run."""
        self._routes.nested = manifest.parent_id is not None
        if self._enabled and not self._routes.nested:
            self._yard.init(
                Definition(
                    one.workspace_folder,
                    one.config_path,
                    one.name,
                    one.id,
                    one.subagent_id,
                    from_template=True,
                )
                for one in manifest.devcontainers
            )

    def start(self) -> None:
        """Begin: the start scripts have run, and installed what they install."""
        if self._enabled and not self._routes.nested:
            self._yard.start()

    async def run(self) -> None:
        """Look after the containers for ever."""
        await self._yard.run()
