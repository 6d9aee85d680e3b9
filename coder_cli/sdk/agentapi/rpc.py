"""JSON-RPC 2.0: one message to one frame and back."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import TypeAlias, cast

from coder_cli.sdk.agentapi.codec import BadShape, Json


class ErrorCode(IntEnum):
    """JSON-RPC's own codes, and ours from -32000 down."""

    PARSE = -32700
    INVALID_REQUEST = -32600
    UNKNOWN_METHOD = -32601
    INVALID_PARAMS = -32602
    INTERNAL = -32603


@dataclass(frozen=True, slots=True)
class Request:
    """A call. Without an ``id`` it is a notification and gets no answer."""

    method: str
    params: Mapping[str, Json]
    id: int | str | None = None


@dataclass(frozen=True, slots=True)
class Result:
    id: int | str | None
    result: Json


@dataclass(frozen=True, slots=True)
class Failure:
    """An answer that says no."""

    id: int | str | None
    code: int
    message: str


Message: TypeAlias = Request | Result | Failure


def encode(message: Message) -> str:
    """Return ``message`` as the text of one frame."""
    body: dict[str, Json] = {"jsonrpc": "2.0"}
    match message:
        case Request():
            body |= {"method": message.method, "params": message.params}
            if message.id is not None:
                body["id"] = message.id
        case Result():
            body |= {"id": message.id, "result": message.result}
        case Failure():
            error = {"code": message.code, "message": message.message}
            body |= {"id": message.id, "error": error}
    return json.dumps(body, separators=(",", ":"))


def decode(text: str | bytes) -> Message:
    """Return what one frame says.

    Raises:
        BadShape: the frame is not JSON-RPC 2.0.
    """
    try:
        body: Json = json.loads(text)
    except ValueError as error:
        raise BadShape(f"not JSON: {error}") from None
    match body:
        case {"jsonrpc": "2.0", "method": str(method)}:
            params = body.get("params", {})
            if not isinstance(params, dict):
                raise BadShape(f"params of {method!r} must be an object")
            return Request(method, cast("dict[str, Json]", params), body.get("id"))
        case {"jsonrpc": "2.0", "id": id_, "error": {"code": int(code), "message": str(message)}}:
            return Failure(id_, code, message)
        case {"jsonrpc": "2.0", "id": id_, "result": result}:
            return Result(id_, result)
        case _:
            raise BadShape("not a JSON-RPC 2.0 message")
