"""What is left of a chat in its workspace, taken away when the chat is closed."""

import asyncio
from typing import Final
from uuid import UUID

import structlog

from coder_cli.sdk.agentapi.http import ChatContext
from server.agents import AgentApi
from server.kit.errors import ApiError
from server.tools.means import Means

log = structlog.get_logger()
WITHIN: Final = 5.0


async def close_chat(means: Means, chat_id: UUID, agent_id: UUID | None) -> None:
    """End the processes that a chat has started; where nobody answers, nothing is done."""
    if agent_id is None:
        return
    api = AgentApi(means.dialer, agent_id, ChatContext(chat_id))
    try:
        async with asyncio.timeout(WITHIN):
            await api.end_processes()
    except (ApiError, TimeoutError) as error:
        log.debug("processes of a closed chat stay", chat=str(chat_id), reason=str(error))
