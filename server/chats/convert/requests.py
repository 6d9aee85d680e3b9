"""What clients ask of chats, as the room's own values."""

from collections.abc import Sequence

from coder_cli.sdk.chats.chats import ChatClientType, CreateChatRequest
from coder_cli.sdk.chats.messages import (
    CreateChatMessageRequest,
    EditChatMessageRequest,
    SubmitToolResultsRequest,
)
from coder_cli.sdk.chats.parts import ChatInputPart
from server.chats.model.orders import ChatOrder, ClientTool, GivenResult, InputPart, MessageOrder


def chat_order(request: CreateChatRequest) -> ChatOrder:
    """Return what is asked for: a chat and its first message."""
    return ChatOrder(
        organization_id=request.organization_id,
        content=_input(request.content),
        system_prompt=request.system_prompt,
        workspace_id=request.workspace_id,
        model_config_id=request.model_config_id,
        reasoning_effort=request.reasoning_effort,
        mcp_server_ids=request.mcp_server_ids or (),
        labels=request.labels,
        dynamic_tools=[
            ClientTool(tool.name, tool.description, tool.input_schema)
            for tool in request.unsafe_dynamic_tools
        ],
        plan_mode=request.plan_mode,
        client_type=request.client_type or ChatClientType.API,
    )


def message_order(request: CreateChatMessageRequest) -> MessageOrder:
    """Return what is to be said."""
    return MessageOrder(
        content=_input(request.content),
        model_config_id=request.model_config_id,
        reasoning_effort=request.reasoning_effort,
        mcp_server_ids=request.mcp_server_ids,
        busy_behavior=request.busy_behavior,
        plan_mode=request.plan_mode,
    )


def edit_order(request: EditChatMessageRequest) -> MessageOrder:
    """Return what is to be said otherwise."""
    return MessageOrder(
        content=_input(request.content),
        model_config_id=request.model_config_id,
        reasoning_effort=request.reasoning_effort,
    )


def results(request: SubmitToolResultsRequest) -> list[GivenResult]:
    """Return what the client's tools answered; ``null`` is an output, none at all is not."""
    return [
        GivenResult(
            result.tool_call_id,
            result.output,
            is_json="output" in result.model_fields_set,
            is_error=result.is_error,
        )
        for result in request.results
    ]


def _input(given: Sequence[ChatInputPart]) -> list[InputPart]:
    return [
        InputPart(
            type=part.type,
            text=part.text,
            file_id=part.file_id,
            file_name=part.file_name,
            start_line=part.start_line,
            end_line=part.end_line,
            content=part.content,
        )
        for part in given
    ]
