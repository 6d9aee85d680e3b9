"""Which ports a workspace listens on, without those that its apps have already."""

from collections.abc import Iterable
from urllib.parse import urlsplit
from uuid import UUID

from coder_cli.sdk import agentapi as api
from coder_cli.sdk import agents as sdk
from coder_cli.sdk.agentapi import ports
from server.agents.actions import read
from server.agents.actions.asking import Asked, ask
from server.agents.actions.streams import Dialer
from server.agents.actions.switchboard import Switchboard
from server.agents.errors import BadAnswer, NotConnected, WrongState
from server.kit.authz import Actor

LOCAL = frozenset({"localhost", "127.0.0.1", "::1", "0.0.0.0"})  # noqa: S104 - compared, not bound


async def listening(
    board: Switchboard, actor: Actor, agent_id: UUID
) -> sdk.WorkspaceAgentListeningPorts:
    """Return the ports that an agent tells, for whoever may see it.

    Raises:
        NotFound: the actor may not see the agent, or there is none.
        WrongState: it is not connected.
        Unreachable: it did not answer.
        BadAnswer: it has no answer.
    """
    async with board.database.tx(actor) as tx:
        agent = await read.agent(tx, agent_id)
    if agent.status is not sdk.AgentStatus.CONNECTED:
        raise WrongState(agent.status)
    try:
        status, content = await ask(Dialer(board), agent_id, Asked(ports.LISTENING))
    except NotConnected as error:  # It has gone just now, or belongs to an older build.
        raise WrongState(sdk.AgentStatus.DISCONNECTED) from error
    if status != 200:
        raise BadAnswer(f"has status {status}")
    try:
        told = api.from_json(ports.ListeningPorts, content)
    except api.BadShape as error:
        raise BadAnswer(f"is not a list of ports: {error}") from error
    taken = _taken(agent.apps)
    return sdk.WorkspaceAgentListeningPorts(
        ports=[
            sdk.WorkspaceAgentListeningPort(
                process_name=each.process_name, network=each.network, port=each.port
            )
            for each in told.ports
            if each.port not in taken
        ]
    )


def _taken(apps: Iterable[sdk.WorkspaceApp]) -> set[int]:
    """Return the ports of the workspace that an app leads to: they have a button already."""
    found: set[int] = set()
    for app in apps:
        try:
            url = urlsplit(app.url)
            port = url.port or {"http": 80, "https": 443}.get(url.scheme)
        except ValueError:  # Whatever a template says.
            continue
        if port and url.hostname in LOCAL and not app.external:
            found.add(port)
    return found
