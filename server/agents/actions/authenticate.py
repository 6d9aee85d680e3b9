"""Who an agent is, by its token."""

from uuid import UUID

from server.agents.actions.switchboard import ME, Switchboard
from server.agents.errors import NotLatestBuild, UnknownAgent
from server.agents.store import lines as store
from server.kit.crypto import hash_secret
from server.kit.db import Database
from server.workspaces import AgentIdentity, agent_by_token

PATIENCE = 20.0
"""How long a call may be kept waiting. An agent gives up before, and then calls again at once;
after a refusal it would stay away for half a minute."""
LOOK_EVERY = 1.0
MOST_WAITING = 500


async def authenticate(board: Switchboard, token: str) -> AgentIdentity:
    """Return the agent that holds ``token``.

    Raises:
        UnknownAgent: there is none, or its workspace was deleted.
        NotLatestBuild: it belongs to an earlier build.
    """
    found = await _find(board.database, token)
    return _current(found)


async def authenticate_patiently(board: Switchboard, token: str) -> AgentIdentity:
    """Return the agent that holds ``token``, even if its row is written only in a moment.

    An agent often calls while terraform still works on the build that makes it known. Refused, it
    would come back much later; so its call waits, as long as any build is under way.

    Raises:
        UnknownAgent: there is none, or its workspace was deleted.
        NotLatestBuild: it belongs to an earlier build.
    """
    with board.pubsub.bell("builds") as built:
        found = await _find(board.database, token)
        ticket = object()
        if found is not None or len(board.waiting) >= MOST_WAITING:
            return _current(found)
        board.waiting.add(ticket)
        try:
            deadline = board.clock.monotonic() + PATIENCE
            while found is None and board.clock.monotonic() < deadline:
                async with board.database.tx(board.actor) as tx:
                    if not await store.builds_under_way(tx):
                        break
                await built.wait(timeout=LOOK_EVERY)
                found = await _find(board.database, token)
        finally:
            board.waiting.discard(ticket)
    return _current(found or await _find(board.database, token))


async def _find(database: Database, token: str) -> AgentIdentity | None:
    hashed = _hashed(token)
    if hashed is None:
        return None
    async with database.tx(ME) as tx:
        return await agent_by_token(tx, hashed)


def _hashed(token: str) -> bytes | None:
    try:
        return hash_secret(str(UUID(token)))
    except ValueError:
        return None


def _current(found: AgentIdentity | None) -> AgentIdentity:
    if found is None or found.deleted:
        raise UnknownAgent
    if not found.latest:
        raise NotLatestBuild
    return found
