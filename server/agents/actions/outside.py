"""What writers outside of the line report with an agent's token: logs and app statuses."""

from uuid import UUID

from coder_cli.sdk import agentapi as api
from coder_cli.sdk.agents import (
    PatchAgentLogs,
    PatchAppStatus,
    PostLogSourceRequest,
    WorkspaceAgentLogSource,
)
from server.agents.actions import calls, logs
from server.agents.actions.calls import Caller
from server.agents.errors import LogsFull
from server.agents.model import Line


async def write_logs(caller: Caller, body: PatchAgentLogs) -> None:
    """Keep lines of a log.

    Raises:
        LogsFull: not all of them fit.
    """
    lines = [Line(line.created_at, line.level.value, line.output) for line in body.logs]
    async with caller.board.database.tx(caller.board.actor) as tx:
        fitted = await logs.write(tx, _agent(caller), body.log_source_id, lines)
    if not fitted:
        raise LogsFull


async def name_source(caller: Caller, body: PostLogSourceRequest) -> WorkspaceAgentLogSource:
    """Let somebody write lines under a name."""
    async with caller.board.database.tx(caller.board.actor) as tx:
        return await logs.name_source(tx, _agent(caller), body.id, body.display_name, body.icon)


async def app_status(caller: Caller, body: PatchAppStatus) -> None:
    """Keep what an app of the agent is doing.

    Raises:
        UnknownApp: it has no such app.
    """
    state = api.AppState(body.state.value)
    await calls.app_status(caller, api.AppStatus(body.app_slug, state, body.message, body.uri))


def _agent(caller: Caller) -> UUID:
    return caller.identity.agent_id
