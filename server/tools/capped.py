"""No answer of a tool is larger than a model and a row can bear, nor holds what is no text."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, cast

from server.llm import Json, ToolSpec
from server.loop import Call, Result, Tool

LIMIT: Final = 64 * 1024
"""Bytes of an answer's JSON."""
_HALVES: Final = re.compile("[\ud800-\udfff]")
"""JSON can spell half of a character, which no encoding can write."""
_STRINGS: Final = (16_384, 4_096, 1_024, 256)
_ITEMS: Final = (1_000, 100, 20, 5)


@dataclass(frozen=True, slots=True)
class Capped:
    """Keep heads and tails of what is too long; the JSON stays valid."""

    inner: Tool
    limit: int = LIMIT

    @property
    def spec(self) -> ToolSpec:
        """Return how the model is told of it."""
        return self.inner.spec

    async def __call__(self, call: Call) -> Result:
        """Do it."""
        result = await self.inner(call)
        if result.is_media:
            return result
        value = fitted(result.value, self.limit)
        return Result(value, result.is_error, result.is_media, result.ends_turn)


def fitted(value: Json, limit: int = LIMIT) -> Json:
    """Return ``value`` with at most about ``limit`` bytes of JSON, and only whole characters."""
    value = _cut(value, None, None)
    if _size(value) <= limit:
        return value
    for characters, items in zip(_STRINGS, _ITEMS, strict=True):
        smaller = _cut(value, characters, items)
        if _size(smaller) <= limit:
            return smaller
    return head_and_tail(json.dumps(value, ensure_ascii=False), limit // 8)


def head_and_tail(text: str, characters: int) -> str:
    """Return the begin and the end of a text that has more than ``characters``."""
    if len(text) <= characters:
        return text
    half = characters // 2
    gone = len(text) - 2 * half
    return f"{text[:half]}\n... [{gone} characters omitted] ...\n{text[-half:]}"


def _cut(value: Json, characters: int | None, items: int | None) -> Json:
    match value:
        case str():
            whole = _HALVES.sub("\N{REPLACEMENT CHARACTER}", value)
            return whole if characters is None else head_and_tail(whole, characters)
        case Mapping():
            return _object(value, characters, items)
        case Sequence():
            return _list(value, characters, items)
        case _:
            return value


def _object(pairs: Mapping[str, Json], characters: int | None, items: int | None) -> Json:
    kept = {
        cast("str", _cut(key, characters, None)): _cut(item, characters, items)
        for key, item in list(pairs.items())[:items]
    }
    if len(kept) < len(pairs):
        kept["..."] = f"{len(pairs) - len(kept)} more were left out"
    return kept


def _list(values: Sequence[Json], characters: int | None, items: int | None) -> Json:
    kept = [_cut(item, characters, items) for item in values[:items]]
    if len(kept) < len(values):
        kept.append(f"... {len(values) - len(kept)} more were left out")
    return kept


def _size(value: Json) -> int:
    return len(json.dumps(value, ensure_ascii=False).encode())
