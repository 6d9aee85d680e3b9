"""How much a model has to read, estimated: tokens are known only once they are paid for."""

from collections.abc import Iterable
from typing import assert_never

from server.llm import (
    ContextFile,
    File,
    FileReference,
    Json,
    Message,
    Part,
    Reasoning,
    Request,
    Skill,
    Source,
    Text,
    ToolCall,
    ToolResult,
)

IMAGE = 6_000
"""Characters that a picture or a document counts for; their bytes say little about tokens."""

_CALL = 40
"""What the frame of a call or a result takes."""


def size(value: Json) -> int:
    """Return about how many characters a JSON value takes."""
    match value:
        case str():
            return len(value) + 2
        case list():
            return sum(size(item) + 1 for item in value) + 2
        case dict():
            return sum(len(key) + 4 + size(item) for key, item in value.items()) + 2
        case _:
            return 8


def part_size(part: Part) -> int:
    """Return about how many characters a model reads of a part."""
    match part:
        case Text():
            count = len(part.text)
        case Reasoning():
            count = len(part.text) + (size(part.provenance.blob) if part.provenance else 0)
        case ToolCall():
            count = len(part.args) + len(part.name) + _CALL
        case ToolResult():
            count = _CALL + (IMAGE if part.is_media else size(part.result))
        case File():
            count = len(part.data) if part.media_type.startswith("text/") else IMAGE
        case FileReference() | ContextFile():
            count = len(part.content) + _CALL
        case Skill():
            count = len(part.name) + len(part.description) + _CALL
        case Source():
            count = 0
        case _:
            assert_never(part)
    return count


def weigh(messages: Iterable[Message]) -> int:
    """Return about how many tokens messages take, rather too few than too many."""
    return sum(part_size(part) for message in messages for part in message.parts) // 4


def at_most_tokens(request: Request) -> int:
    """Return how many tokens a request takes at most in usual text: money is asked for these."""
    tools = sum(
        len(tool.name) + len(tool.description) + size(dict(tool.schema)) for tool in request.tools
    )
    parts = sum(part_size(part) for message in request.messages for part in message.parts)
    return (tools + parts) // 3 + 50 * len(request.messages)
