"""The way from a turn to its chat's workspace: one look at the agent and one connection.

Lazy: a turn that touches no workspace costs nothing. What fails is forgotten, so that the next
tool looks again. Source: reference, chats, sections 3.4 and 4; seeds 002 and 004.
"""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from coder_cli.sdk.agentapi.files import ListDirectory, Relativity
from coder_cli.sdk.agentapi.http import ChatContext
from coder_cli.sdk.builds import WorkspaceStatus
from server.agents import AgentApi, Kept, NotConnected
from server.kit.errors import ApiError, Gone, NotFound
from server.network import Unreachable
from server.provisioning import AgentStatus
from server.tools.means import Means
from server.tools.ports import Binding, ChatFacts, ChatPort
from server.tools.sentences import (
    DELETED,
    DORMANT,
    NO_AGENTS,
    AmbiguousAgent,
    DialTimeout,
    ExternalAgentOffline,
    NoAgent,
    NoWorkspace,
    no_agent,
)
from server.workspaces import Standing, StandingAgent, standing, topic

FOR_CHATS: Final = "-coderd-chat"
"""The end of the name of an agent that a template means for chats."""
OFFLINE: Final = frozenset({AgentStatus.DISCONNECTED, AgentStatus.TIMEOUT})


def choose(agents: Sequence[StandingAgent]) -> StandingAgent:
    """Return the agent that chats work with: the one that is meant for it, else the first.

    Raises:
        NoAgent: there is none.
        AmbiguousAgent: several are meant for chats.
    """
    if not agents:
        raise NoAgent(NO_AGENTS)
    meant = [agent for agent in agents if agent.name.endswith(FOR_CHATS)]
    if len(meant) > 1:
        names = ", ".join(agent.name for agent in meant)
        raise AmbiguousAgent(
            f"workspace has no agent to work with: several end in {FOR_CHATS!r} ({names}). "
            "Ask the user to leave one of them in the template"
        )
    return (meant or agents)[0]


@dataclass(slots=True)
class WorkspaceLink:
    """A turn's workspace; close it at the end of the turn."""

    means: Means
    facts: ChatFacts
    port: ChatPort
    workspace_id: UUID | None = field(init=False)
    agent_id: UUID | None = field(init=False)
    """The agent that the chat is bound to."""
    building: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held by whoever makes, starts or stops the workspace: one tool of a turn at a time."""
    looks: int = 0
    """How often the database was asked for the agent."""
    _agent: StandingAgent | None = None
    _kept: Kept | None = None
    _home: str = ""
    _dialling: asyncio.Lock = field(default_factory=asyncio.Lock)

    def __post_init__(self) -> None:
        self.workspace_id = self.facts.workspace_id
        self.agent_id = self.facts.agent_id

    # What stands there ---------------------------------------------------------------------------

    async def look(self) -> Standing:
        """Return how the workspace stands now.

        Raises:
            NoWorkspace: the chat has none, or it is gone or hidden.
        """
        if self.workspace_id is None:
            raise NoWorkspace
        self.looks += 1
        try:
            async with self.means.database.tx(self.facts.owner) as tx:
                return await standing(tx, self.workspace_id)
        except (Gone, NotFound):
            raise NoWorkspace(DELETED) from None

    async def agent(self) -> StandingAgent:
        """Return the agent to work with, looked up once; the chat is bound to it.

        Raises:
            NoWorkspace: the chat has none.
            NoAgent: nothing runs in it.
        """
        if self._agent is None:
            self._agent = await self._choose(await self.look())
        return self._agent

    async def _choose(self, now: Standing) -> StandingAgent:
        build = now.build
        if build.dormant:
            raise NoAgent(DORMANT)
        if build.status is not WorkspaceStatus.RUNNING:
            raise no_agent(build.status)
        agent = choose(now.agents)
        if agent.id != self.agent_id:
            await self.bind(Binding(build.workspace_id, build.build_id, agent.id))
        if agent.external and agent.status(now.now) in OFFLINE:
            raise offline(agent)
        return agent

    async def bind(self, binding: Binding) -> None:
        """Work with this workspace from now on, and keep it on the chat."""
        await self.port.bind(binding)
        await self.drop()
        self.workspace_id, self.agent_id = binding.workspace_id, binding.agent_id

    # The connection ------------------------------------------------------------------------------

    @asynccontextmanager
    async def open(self, within: float | None = None) -> AsyncGenerator[AgentApi]:
        """Reach the agent; what breaks on the way is forgotten, so the next tool begins anew.

        Args:
            within: how long to dial, in seconds, if that is shorter than usual.

        Raises:
            NoWorkspace: the chat has none.
            NoAgent: nothing runs in it.
            ExternalAgentOffline: somebody has to start the agent by hand.
            DialTimeout: the agent does not answer.
        """
        usual = self.means.patience.dial
        api = await self._api(usual if within is None else min(within, usual))
        try:
            yield api
        except (Unreachable, NotConnected):
            await self.drop()
            raise

    async def _api(self, within: float) -> AgentApi:
        async with self._dialling:
            if self._kept is None:
                agent = await self.agent()
                try:
                    self._kept = await self._dial(agent, within)
                except ApiError:
                    await self.drop()
                    raise
            assert self._agent is not None
            chat = ChatContext(self.facts.id, self.facts.ancestors)
            return AgentApi(self._kept, self._agent.id, chat)

    async def _dial(self, agent: StandingAgent, within: float) -> Kept:
        """Dial until the agent answers; each time it does not, ask whether it is still the one."""
        patience, clock = self.means.patience, self.means.clock
        end = clock.monotonic() + within
        kept = Kept(self.means.dialer, clock)
        assert self.workspace_id is not None
        with self.means.pubsub.bell(topic(self.workspace_id)) as bell:
            while True:
                left = end - clock.monotonic()
                try:
                    async with asyncio.timeout(min(patience.attempt, max(left, 0.0))):
                        await kept.dial(agent.id)
                except TimeoutError:
                    why = "it is connected, but does not dial back."
                except (Unreachable, NotConnected) as error:
                    why = error.message
                else:
                    return kept
                if clock.monotonic() >= end:
                    raise offline(agent) if agent.external else DialTimeout(within, why)
                await bell.wait(timeout=patience.pause)
                agent = self._agent = await self._choose(await self.look())

    @asynccontextmanager
    async def within(self, seconds: float) -> AsyncGenerator[None]:
        """Give what is inside a time, dials and all.

        Raises:
            DialTimeout: it was not enough.
        """
        try:
            async with asyncio.timeout(seconds):
                yield
        except TimeoutError:
            raise DialTimeout(seconds, "the connection to the workspace broke.") from None

    async def home(self) -> str:
        """Return the home directory of the user whom the agent runs as."""
        if not self._home:
            async with self.open() as api:
                listed = await api.list_directory(ListDirectory((), Relativity.HOME))
            self._home = listed.absolute_path_string.rstrip("/") or "/"
        return self._home

    async def drop(self) -> None:
        """Forget agent and connection: whoever comes next looks again."""
        kept, self._kept = self._kept, None
        self._agent, self._home = None, ""
        if kept is not None:
            await kept.close()

    async def close(self) -> None:
        """Let go of the connection at the end of the turn."""
        await self.drop()


def offline(agent: StandingAgent) -> ExternalAgentOffline:
    """Return what to say of an external agent that is not there."""
    return ExternalAgentOffline(ever_connected=agent.first_connected_at is not None)
