"""What clients read of an agent, and what an agent reads of its owner."""

from collections.abc import AsyncGenerator
from uuid import UUID

from coder_cli.sdk import agents as sdk
from server.agents import convert
from server.agents.actions.switchboard import Switchboard
from server.agents.actions.watching import Watcher
from server.agents.errors import NoUserData
from server.agents.events import metadata_topic
from server.agents.store import lines, logs, reports
from server.identity import access_topic, git_ssh_key
from server.kit.db import Tx
from server.kit.errors import NotFound, Unauthorized
from server.provisioning import agents as agents_as_clients_see
from server.workspaces import AgentIdentity
from server.workspaces import agent as find_agent

LOOK_EVERY = 10.0
NO_USER_DATA = "no_user_data"


async def agent(tx: Tx, agent_id: UUID) -> sdk.WorkspaceAgent:
    """Return an agent that the actor may see.

    Raises:
        NotFound: it may not, or there is none.
    """
    if await find_agent(tx, agent_id) is None:
        raise NotFound
    return (await agents_as_clients_see(tx, [agent_id]))[0]


async def connection(board: Switchboard, tx: Tx, agent_id: UUID) -> sdk.AgentConnectionInfo:
    """Return how a client that may see the agent reaches it.

    Raises:
        NotFound: it may not, or there is none.
    """
    place = await lines.whereabouts(tx, agent_id)
    if place is None or await find_agent(tx, agent_id) is None:
        raise NotFound
    return sdk.AgentConnectionInfo(
        hostname_suffix=board.options.hostname_suffix, host_key=place.ssh_host_key
    )


async def metadata(tx: Tx, agent_id: UUID) -> list[sdk.WorkspaceAgentMetadata]:
    """Return what an agent that the actor may see has collected.

    Raises:
        NotFound: it may not see it, or there is none.
    """
    own = await reports.own(tx, agent_id)
    if own is None or await find_agent(tx, agent_id) is None:
        raise NotFound
    return convert.metadata(own, await logs.metadata(tx, agent_id), tx.now)


async def watch_metadata(
    board: Switchboard, watcher: Watcher
) -> AsyncGenerator[list[sdk.WorkspaceAgentMetadata]]:
    """Yield an agent's metadata now, and whenever something in it may be new.

    Ends when the watcher may no longer see the agent.
    """
    topics = (metadata_topic(watcher.agent_id), access_topic(watcher.actor.user_id))
    with board.pubsub.bell(*topics) as bell:
        while True:
            try:
                async with board.database.tx(await watcher.ask_again()) as tx:
                    found = await metadata(tx, watcher.agent_id)
            except (NotFound, Unauthorized):
                return
            yield found
            await bell.wait(timeout=LOOK_EVERY)


async def git_key(board: Switchboard, identity: AgentIdentity) -> sdk.AgentGitSSHKey:
    """Return the key pair of the workspace's owner to the workspace's own agent.

    Raises:
        NoUserData: the template forbids it.
    """
    async with board.database.tx(board.actor) as tx:
        own = await reports.own(tx, identity.agent_id)
        if own is None or own.api_key_scope == NO_USER_DATA:
            raise NoUserData
        pair = await git_ssh_key(tx, identity.owner_id)
    return sdk.AgentGitSSHKey(public_key=pair.public_key, private_key=pair.private_key)
