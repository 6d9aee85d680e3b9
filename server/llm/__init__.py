"""Models: one seam to every provider, and the parts that messages are made of. See README.md."""

from server.llm.clients import CallLimits, Clients, check_base_url
from server.llm.codec import CONTENT_VERSION, UnreadableContent, decode, encode, public
from server.llm.cost import at_most_micros, cost_micros, price_of
from server.llm.credentials import Credentials
from server.llm.draft import Draft
from server.llm.errors import ErrorKind, ModelError
from server.llm.failures import cover, failure, label, told_as
from server.llm.model import (
    CallOptions,
    Finish,
    Finished,
    Model,
    PartDone,
    Prices,
    ReasoningDelta,
    Request,
    StreamEvent,
    TextDelta,
    ToolCallDelta,
    ToolChoice,
    ToolSpec,
    Usage,
)
from server.llm.parts import (
    ContextFile,
    File,
    FileReference,
    Json,
    Message,
    Part,
    Provenance,
    Reasoning,
    Role,
    Skill,
    Source,
    Text,
    ToolCall,
    ToolResult,
)
from server.llm.scripted import DISPLAY_NAME as SCRIPTED_DISPLAY_NAME
from server.llm.scripted import MODEL as SCRIPTED_MODEL
from server.llm.scripted import Scripted

__all__ = [
    "CONTENT_VERSION",
    "SCRIPTED_DISPLAY_NAME",
    "SCRIPTED_MODEL",
    "CallLimits",
    "CallOptions",
    "Clients",
    "ContextFile",
    "Credentials",
    "Draft",
    "ErrorKind",
    "File",
    "FileReference",
    "Finish",
    "Finished",
    "Json",
    "Message",
    "Model",
    "ModelError",
    "Part",
    "PartDone",
    "Prices",
    "Provenance",
    "Reasoning",
    "ReasoningDelta",
    "Request",
    "Role",
    "Scripted",
    "Skill",
    "Source",
    "StreamEvent",
    "Text",
    "TextDelta",
    "ToolCall",
    "ToolCallDelta",
    "ToolChoice",
    "ToolResult",
    "ToolSpec",
    "UnreadableContent",
    "Usage",
    "at_most_micros",
    "check_base_url",
    "cost_micros",
    "cover",
    "decode",
    "encode",
    "failure",
    "label",
    "price_of",
    "public",
    "told_as",
]
