"""Results of tools that the client runs: exactly those that are waited for, exactly once.

Source: reference, chats, section 2.6.
"""

from collections.abc import Sequence
from uuid import UUID

from server.chats import policy
from server.chats.actions import find, turns
from server.chats.actions.telling import tell
from server.chats.errors import BadResults, NotWaitingForResults
from server.chats.events import Change
from server.chats.model import Move, NewMessage, Status, moved
from server.chats.model.orders import GivenResult
from server.chats.store import chats, messages
from server.kit.db import Tx
from server.llm import Role, ToolCall, ToolResult, encode


async def submit(tx: Tx, chat_id: UUID, given: Sequence[GivenResult]) -> None:
    """Answer the calls that the chat waits for; it goes on.

    Raises:
        NotFound, Forbidden: the chat is hidden from the actor, or only shown.
        ChatArchived, NotWaitingForResults: nothing is waited for.
        BadResults: they are not those, or one is no JSON.
    """
    _distinct(given)
    chat = await find.locked(tx, chat_id)
    policy.may_speak(tx.actor, chat)
    policy.takes_messages(chat)
    if chat.status is not Status.REQUIRES_ACTION:
        raise NotWaitingForResults(f'The chat is "{chat.status.value}".')
    calls = await turns.required_calls(tx, chat.id)
    answers = _matched(calls, given)
    rows = [
        NewMessage(Role.TOOL, encode([_result(call, answer)]), created_by=tx.actor.user_id)
        for call, answer in answers
    ]
    ids = await messages.append(tx, chat.id, rows)
    kept = await chats.set_state(tx, moved(chat, Move.COMPLETE_ACTION, tx.now))
    await tell(tx, kept, Change.MESSAGES, Change.STATUS, ids=ids)


def _distinct(given: Sequence[GivenResult]) -> None:
    seen: set[str] = set()
    for result in given:
        if result.tool_call_id in seen:
            raise BadResults("Duplicate tool_call_id in results.", result.tool_call_id)
        seen.add(result.tool_call_id)


def _matched(
    calls: Sequence[ToolCall], given: Sequence[GivenResult]
) -> list[tuple[ToolCall, GivenResult]]:
    results = {result.tool_call_id: result for result in given}
    for call in calls:
        if call.id not in results:
            raise BadResults("Missing tool result.", call.id)
    wanted = {call.id for call in calls}
    for result in given:
        if result.tool_call_id not in wanted:
            raise BadResults("Unexpected tool result.", result.tool_call_id)
        if not result.is_json:
            raise BadResults("Tool result output must be valid JSON.", result.tool_call_id)
    return [(call, results[call.id]) for call in calls]


def _result(call: ToolCall, given: GivenResult) -> ToolResult:
    return ToolResult(
        id=call.id,
        name=call.name,
        result=given.output,
        is_error=given.is_error,
        mcp_server_config_id=call.mcp_server_config_id,
    )
