"""Containers of a workspace: what its agent tells of them, and what it shall do with them."""

import asyncio
import json
from collections.abc import AsyncGenerator, Mapping
from hashlib import sha256
from typing import Any, Final, cast
from uuid import UUID

from coder_cli.sdk import agentapi as api
from coder_cli.sdk.agentapi import Json, Port
from coder_cli.sdk.agentapi import containers as wire
from coder_cli.sdk.agents import AgentStatus
from coder_cli.sdk.common import Response
from coder_cli.sdk.containers import WorkspaceAgentListContainersResponse as Listed
from server.agents import policy
from server.agents.actions import read
from server.agents.actions.asking import Asked, ask
from server.agents.actions.streams import Dialer
from server.agents.actions.switchboard import Switchboard
from server.agents.actions.watching import Watcher
from server.agents.errors import BadAnswer, NotConnected, WrongState
from server.kit.authz import Actor
from server.kit.errors import ApiError, Conflict, Forbidden, Invalid, NotFound, Unavailable
from server.network import Unreachable
from server.workspaces import agent as find_agent

PATIENCE: Final = 90.0
"""Deleting a container waits for what runs in it."""
AGAIN: Final = 5.0
MOST_LABELS: Final = 20


def labels_of(words: list[str]) -> Mapping[str, str]:
    """Return the labels that ``key=value`` words ask for.

    Raises:
        Invalid: a word is none.
    """
    found: dict[str, str] = {}
    for word in words[:MOST_LABELS]:
        key, equals, value = word.partition("=")
        if not key or not equals:
            raise Invalid("Invalid label.", detail=f"{word[:100]!r} is not key=value.")
        found[key] = value
    return found


async def listed(
    board: Switchboard, actor: Actor, agent_id: UUID, labels: Mapping[str, str]
) -> Listed:
    """Return the containers that an agent tells of, for whoever may see it.

    Raises:
        NotFound: the actor may not see the agent, or there is none.
        WrongState: it is not connected.
        Forbidden: it has no dev containers; the message says why.
        Unreachable, BadAnswer: it has no answer.
    """
    await _require_connected(board, actor, agent_id)
    content = await _asked(board, agent_id, Asked(wire.CONTAINERS))
    return _read(content, labels)


async def watch(board: Switchboard, watcher: Watcher) -> AsyncGenerator[Listed]:
    """Yield an agent's containers now, and whenever they are others; end when it is gone."""
    unlike = ""
    while True:
        target = f"{wire.CONTAINERS}?unlike={unlike}"
        try:
            content = await _asked(board, watcher.agent_id, Asked(target))
        except ApiError as error:
            if unlike and isinstance(error, Unreachable | Unavailable):
                await board.clock.sleep(AGAIN)
                continue
            return
        digest = sha256(json.dumps(content).encode()).hexdigest()
        if digest == unlike:
            await asyncio.sleep(0)
            continue
        unlike = digest
        yield _read(content, {})


async def recreate(
    board: Switchboard, actor: Actor, agent_id: UUID, devcontainer: UUID
) -> Response:
    """Have a dev container made anew.

    Raises:
        NotFound: the actor may not see the agent, or it knows no such dev container.
        Forbidden: the actor may not enter the workspace.
        Conflict: it is being made already.
        WrongState, Unreachable, BadAnswer: the agent has no answer.
    """
    await _require_entry(board, actor, agent_id)
    target = wire.RECREATE.format(devcontainer=devcontainer)
    content = await _asked(board, agent_id, Asked(target, "POST"))
    said = _words(content)
    return Response(message=said[0], detail=said[1])


async def delete(board: Switchboard, actor: Actor, agent_id: UUID, devcontainer: UUID) -> None:
    """Have a dev container stopped and deleted, the agent in it too; raises like ``recreate``."""
    await _require_entry(board, actor, agent_id)
    target = wire.DEVCONTAINER.format(devcontainer=devcontainer)
    await _asked(board, agent_id, Asked(target, "DELETE", patience=PATIENCE))


async def _require_connected(board: Switchboard, actor: Actor, agent_id: UUID) -> None:
    async with board.database.tx(actor) as tx:
        seen = await read.agent(tx, agent_id)
    if seen.status is not AgentStatus.CONNECTED:
        raise WrongState(seen.status)


async def _require_entry(board: Switchboard, actor: Actor, agent_id: UUID) -> None:
    async with board.database.tx(actor) as tx:
        identity = await find_agent(tx, agent_id)
    if identity is None:
        raise NotFound
    policy.require_connect(actor, identity, Port.HTTP_API)
    await _require_connected(board, actor, agent_id)


async def _asked(board: Switchboard, agent_id: UUID, asked: Asked) -> Json:
    try:
        status, content = await ask(Dialer(board), agent_id, asked)
    except NotConnected as error:  # It has gone just now, or belongs to an older build.
        raise WrongState(AgentStatus.DISCONNECTED) from error
    if status < 300:
        return content
    message, detail = _words(content)
    match status:
        case 403:
            raise Forbidden(message, detail=detail)
        case 404:
            raise NotFound(message, detail=detail)
        case 409:
            raise Conflict(message, detail=detail)
        case _:
            raise BadAnswer(f"has status {status}: {message} {detail}".rstrip())


def _words(content: Json) -> tuple[str, str]:
    body = cast("dict[str, Any]", content) if isinstance(content, dict) else {}
    return str(body.get("message", ""))[:500], str(body.get("detail", ""))[:1000]


def _read(content: Json, labels: Mapping[str, str]) -> Listed:
    try:
        told = api.from_json(wire.Containers, content)
    except api.BadShape as error:
        raise BadAnswer(f"is not a list of containers: {error}") from error
    found = Listed.model_validate(api.to_json(told))
    if labels:
        wanted = [one for one in found.containers if labels.items() <= one.labels.items()]
        return found.model_copy(update={"containers": wanted})
    return found
