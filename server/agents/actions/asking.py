"""Ask an agent's HTTP API, on port 4 of its streams. Whoever asks has asked who may."""

import asyncio
import json
from uuid import UUID

from coder_cli.sdk.agentapi import Json, Port
from server.agents.actions.exchanging import LARGEST_ANSWER, PATIENCE, Asked, exchange
from server.agents.actions.keeping import Kept
from server.agents.actions.streams import Dialer
from server.agents.errors import BadAnswer
from server.network import Closed, Unreachable

__all__ = ["LARGEST_ANSWER", "PATIENCE", "Asked", "ask", "fetch"]


async def ask(dialer: Dialer | Kept, agent_id: UUID, asked: Asked) -> tuple[int, Json]:
    """Return status and JSON of the agent's answer.

    Raises:
        NotFound: there is no such agent, or it is not connected; the message says which.
        Unreachable: it did not answer in time, or hung up.
        BadAnswer: what came is no answer of an agent's.
    """
    status, content = await fetch(dialer, agent_id, asked)
    try:
        return status, json.loads(content)
    except (ValueError, RecursionError) as error:
        raise BadAnswer(f"is not HTTP with JSON: {error}") from error


async def fetch(dialer: Dialer | Kept, agent_id: UUID, asked: Asked) -> tuple[int, bytes]:
    """Return status and content of the agent's answer; raises what ``ask`` does."""
    try:
        async with asyncio.timeout(asked.patience):
            if isinstance(dialer, Kept):
                answered = await dialer.fetch(agent_id, asked)
            else:
                async with dialer.open(agent_id, Port.HTTP_API) as stream:
                    answered = await exchange(stream, asked)
    except TimeoutError as error:
        late = f"The workspace agent did not answer within {asked.patience:g}s."
        raise Unreachable(late) from error
    except Closed as error:
        raise Unreachable(f"The workspace agent hung up before it answered: {error}.") from error
    return answered.status, answered.content
