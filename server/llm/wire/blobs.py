"""What a provider attached to a part, as it is stored beside our own part and sent again.

The library's JSON of a part, without what our part says already, and the facts of the answer that
the part belongs to, once for each answer. It is read back with the library's own adapter only.
"""

from collections.abc import Mapping
from functools import cache
from importlib.metadata import version
from typing import Any, cast

from pydantic_ai.messages import ModelMessagesTypeAdapter, ModelResponse, ModelResponsePart

from server.llm.parts import Json, Provenance

_SAID = {"content", "args", "tool_name", "tool_call_id", "part_kind"}
"""Fields of the library's parts that ours have too."""
_WHOLE = {"compaction", "file", "speech", "builtin-tool-return"}
"""Parts that are kept as they are: ours say less."""


@cache
def library() -> str:
    """Return the version of the library, which every blob carries."""
    return version("pydantic-ai-slim")


def dumped(part: ModelResponsePart) -> dict[str, Any]:
    """Return a part as the library's JSON."""
    (tree,) = ModelMessagesTypeAdapter.dump_python([ModelResponse(parts=[part])], mode="json")
    return tree["parts"][0]


def provenance(
    provider: str, part: Mapping[str, Any], of_answer: Mapping[str, Json]
) -> Provenance | None:
    """Return what a provider attached to a part, or None if it attached nothing."""
    whole = part["part_kind"] in _WHOLE
    attached = {
        name: value
        for name, value in part.items()
        if value is not None and (whole or name not in _SAID) and name != "timestamp"
    }
    bare = set(attached) <= {"provider_name", "outcome"}
    if bare and not whole and part["part_kind"] != "builtin-tool-call":
        return None
    blob: dict[str, Json] = {"part": attached, "lib": library()}
    if of_answer:
        blob["answer"] = dict(of_answer)
    return Provenance(provider, blob)


def attached(found: Provenance | None) -> dict[str, Any]:
    """Return the library's fields that a blob holds."""
    part = found.blob.get("part") if found else None
    return cast("dict[str, Any]", part) if isinstance(part, dict) else {}


def answer(found: Provenance | None) -> dict[str, Any]:
    """Return the facts of an answer that a blob holds."""
    told = found.blob.get("answer") if found else None
    return cast("dict[str, Any]", told) if isinstance(told, dict) else {}


def loaded(parts: list[dict[str, Any]], of_answer: Mapping[str, Any]) -> ModelResponse:
    """Return an answer made of the library's JSON."""
    tree = {"kind": "response", "parts": parts, **of_answer}
    (response,) = ModelMessagesTypeAdapter.validate_python([tree])
    assert isinstance(response, ModelResponse)
    return response
