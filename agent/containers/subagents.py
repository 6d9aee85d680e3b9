"""Agents inside dev containers: made known to the server, copied in, and started."""

import logging
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar
from uuid import UUID

from agent.containers.cli import Customization
from agent.containers.tools import ToolFailed, ToolMissing, Tools
from agent.upstream import CallFailed, LineDown
from coder_cli.sdk.agentapi import Empty, Method
from coder_cli.sdk.agentapi.containers import Container, DevcontainerAgent
from coder_cli.sdk.agentapi.subagents import CreatedSubAgent, CreateSubAgent, DeleteSubAgent
from coder_cli.sdk.agentapi.subagents import SubAgents as Listed

PATIENCE: Final = 60.0
PLACE: Final = "/.coder-agent/coder"
_ARCHITECTURES: Final = {"x86_64": "amd64", "aarch64": "arm64", "arm64": "arm64", "armv7l": "armv7"}
T = TypeVar("T")
Call = Callable[[Method, object, type[Any]], Awaitable[Any]]
log = logging.getLogger("agent.containers")


class SubAgents:
    """Makes agents inside containers, by docker and the line to the server."""

    def __init__(self, tools: Tools, call: Call, executable: str, url: str) -> None:
        self._tools = tools
        self._call = call
        self._executable = executable
        self._url = url

    async def forget_old(self) -> None:
        """Delete those of a former process: nobody knows their tokens any more."""
        listed: Listed = await self._asked(Method.LIST_SUB_AGENTS, Empty(), Listed)
        for one in listed.agents:
            await self.forget(one.id)

    async def forget(self, agent_id: UUID) -> None:
        """Delete one. Raises ``ToolFailed``."""
        await self._asked(Method.DELETE_SUB_AGENT, DeleteSubAgent(agent_id), Empty)

    async def put_in(
        self, container: Container, name: str, custom: Customization, assigned: UUID | None
    ) -> DevcontainerAgent:
        """Start an agent in a running container.

        Raises:
            ToolFailed: the server or the container does not take it; the message says why.
        """
        machine = await self._docker("exec", container.id, "uname", "-m")
        wanted = CreateSubAgent(
            name,
            custom.folder or "/",
            _ARCHITECTURES.get(machine.strip(), machine.strip()[:60]),
            "linux",
            custom.apps,
            custom.display_apps,
            assigned,
        )
        made: CreatedSubAgent = await self._asked(Method.CREATE_SUB_AGENT, wanted, CreatedSubAgent)
        for error in made.app_creation_errors:
            log.warning(
                "app %d of dev container %s was not made: %s", error.index, name, error.error
            )
        try:
            await self._start(container, made.agent.auth_token)
        except ToolFailed:
            await self.forget(made.agent.id)
            raise
        return DevcontainerAgent(made.agent.id, made.agent.name, wanted.directory)

    async def _start(self, container: Container, token: str) -> None:
        await self._docker("exec", "--user", "0", container.id, "mkdir", "-p", "/.coder-agent")
        await self._docker("cp", self._executable, f"{container.id}:{PLACE}")
        await self._docker("exec", "--user", "0", container.id, "chmod", "0755", PLACE)
        # Given by name only: values on a command line are everybody's to read.
        given = {"CODER_AGENT_TOKEN": token, "CODER_AGENT_URL": self._url}
        names = [word for name in given for word in ("--env", name)]
        await self._docker("exec", "--detach", *names, container.id, PLACE, "agent", secrets=given)

    async def _docker(self, *words: str, secrets: dict[str, str] | None = None) -> str:
        try:
            ran = await self._tools.run(["docker", *words], PATIENCE, secrets=secrets)
        except ToolMissing:
            raise ToolFailed("docker is not installed in the workspace.") from None
        if ran.code != 0:
            why = ran.errors.strip().rpartition("\n")[2][:300]
            raise ToolFailed(f"docker {words[0]}: {why or f'it ended with {ran.code}'}")
        return ran.output

    async def _asked(self, method: Method, params: object, answer: type[T]) -> T:
        try:
            return await self._call(method, params, answer)
        except LineDown:
            raise ToolFailed("the server cannot be reached.") from None
        except CallFailed as no:
            raise ToolFailed(f"the server says: {no}") from None
