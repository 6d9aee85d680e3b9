"""Tokens of other services for a workspace's own agent: what git and scripts act with."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from coder_cli.sdk.external_auth import AgentExternalAuth
from server import identity
from server.agents.actions.read import NO_USER_DATA
from server.agents.actions.switchboard import Switchboard
from server.agents.errors import NoUserData
from server.agents.store import reports
from server.kit.errors import Invalid, NotFound
from server.settings import ExternalAuthProvider
from server.workspaces import AgentIdentity

LISTEN_FOR: Final = 30.0
"""Seconds that a request waits for a person to link an account; the client then asks again."""
_PAUSE: Final = 1.0
LONGEST_BRANCH: Final = 255
LONGEST_ORIGIN: Final = 1000


@dataclass(frozen=True, slots=True)
class Asked:
    """Which service an agent means, by a git URL or by its id, and whether it waits."""

    match: str = ""
    id: str = ""
    listen: bool = False
    git_branch: str = ""
    git_remote_origin: str = ""
    """What git works on, when it is git that asks."""
    chat_id: UUID | None = None
    """The chat whose command it is."""


async def external_auth(
    board: Switchboard, linker: identity.Linker, agent: AgentIdentity, asked: Asked
) -> AgentExternalAuth:
    """Return the owner's token of a service, or the page where they link an account.

    Raises:
        Invalid: neither a URL nor an id was asked for, or both.
        NotFound: no service of the deployment is meant.
        NoUserData: the template forbids it.
    """
    async with board.database.tx(board.actor) as tx:
        own = await reports.own(tx, agent.agent_id)
    if own is None or own.api_key_scope == NO_USER_DATA:
        raise NoUserData
    await _report(board, agent, asked)
    provider = _meant(linker, asked)
    clock = board.database.clock
    until = clock.monotonic() + LISTEN_FOR
    while True:
        linked = await linker.token(agent.owner_id, provider)
        if linked is not None:
            return AgentExternalAuth(
                access_token=linked.access_token,
                token_extra=dict(linked.extra),
                type=provider.type,
                username=linked.username,
                password=linked.password,
            )
        if not asked.listen or clock.monotonic() >= until:
            return AgentExternalAuth(url=linker.page(provider), type=provider.type)
        await clock.sleep(_PAUSE)


async def _report(board: Switchboard, agent: AgentIdentity, asked: Asked) -> None:
    """Tell whoever follows branches what git works on; agents say more than they may at times."""
    branch, origin = asked.git_branch[:LONGEST_BRANCH], asked.git_remote_origin
    if board.branch_seen is None or not branch or not 0 < len(origin) <= LONGEST_ORIGIN:
        return
    await board.branch_seen(agent.workspace_id, branch, origin, asked.chat_id)


def _meant(linker: identity.Linker, asked: Asked) -> ExternalAuthProvider:
    if bool(asked.match) == bool(asked.id):
        raise Invalid("'match' or 'id' must be provided, and not both.")
    if asked.id:
        return linker.provider(asked.id)
    found = linker.serving(asked.match)
    if found is None:
        types = ", ".join(one.type for one in linker.providers) or "none"
        raise NotFound(
            f"No matching external auth provider found in Coder for the url {asked.match[:300]!r}.",
            detail=f"Configured provider types: {types}.",
        )
    return found
