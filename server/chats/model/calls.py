"""Calls of tools that nobody has answered yet, and the answers that we give in somebody's place."""

from collections.abc import Sequence

from server.llm import Part, ToolCall, ToolResult

INTERRUPTED = "Tool execution interrupted by user"
TIMED_OUT = "Dynamic tool execution timed out"


def open_calls(steps: Sequence[Sequence[Part]]) -> tuple[ToolCall, ...]:
    """Return the calls in the newest messages that have no result, in their order.

    What a provider runs itself is never ours to answer.
    """
    answered = {part.id for parts in steps for part in parts if isinstance(part, ToolResult)}
    return tuple(
        part
        for parts in steps
        for part in parts
        if isinstance(part, ToolCall) and not part.provider_executed and part.id not in answered
    )


def refusal(call: ToolCall, reason: str) -> ToolResult:
    """Return the result of a call that nobody will run."""
    return ToolResult(
        id=call.id,
        name=call.name,
        result={"error": reason},
        is_error=True,
        mcp_server_config_id=call.mcp_server_config_id,
    )
