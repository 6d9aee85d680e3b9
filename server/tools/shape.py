"""A tool of a shape, prose and one coroutine: arguments are checked, refusals become results."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final, Generic, TypeVar, cast

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from server.kit.errors import ApiError
from server.llm import Json, ToolSpec
from server.loop import Call, Result


class Args(BaseModel):
    """Arguments as a model gives them: unknown ones are ignored, null is not given."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _given(cls, value: object) -> object:
        if not isinstance(value, Mapping):
            return value
        pairs = cast("Mapping[str, object]", value)
        return {key: item for key, item in pairs.items() if item is not None}


A = TypeVar("A", bound=Args)


@dataclass(frozen=True, slots=True)
class Shaped(Generic[A]):
    """Checks the arguments, acts, and answers with a sentence where that is refused."""

    spec: ToolSpec
    shape: type[A]
    act: Callable[[A], Awaitable[Result]]

    async def __call__(self, call: Call) -> Result:
        """Do it."""
        try:
            args = self.shape.model_validate(call.args)
        except ValidationError as error:
            return failed(problem(error))
        try:
            return await self.act(args)
        except ApiError as error:
            return failed(sentence(error))


def shaped(
    package: str, name: str, shape: type[A], act: Callable[[A], Awaitable[Result]]
) -> Shaped[A]:
    """Return the tool ``name`` whose prose is ``name.md`` beside its module in ``package``."""
    return Shaped(ToolSpec(name, prose(package, name), schema(shape)), shape, act)


@cache
def prose(package: str, name: str) -> str:
    """Return what a model is told of a tool."""
    return (files(package) / f"{name}.md").read_text("utf-8").strip()


@cache
def schema(shape: type[Args]) -> Mapping[str, Json]:
    """Return the JSON Schema of arguments: what providers understand alike, in a constant order.

    No names of Python's, no references, no formats; what may be left out is not required.
    """
    full = shape.model_json_schema()
    plain = _plain(full, full.pop("$defs", {}))
    return {
        "type": "object",
        "properties": plain.get("properties", {}),
        "required": plain.get("required", []),
    }


_UNSAID: Final = frozenset({"title", "format", "maxProperties"})


def _plain(node: Any, shared: Mapping[str, Any]) -> Any:
    if isinstance(node, list):
        return [_plain(item, shared) for item in cast("list[Any]", node)]
    if not isinstance(node, dict):
        return node
    pairs = dict(cast("dict[str, Any]", node))
    named = cast("dict[str, Any]", pairs.pop("properties", {}))
    required = pairs.pop("required", None)
    of = pairs.pop("anyOf", None)
    if of is not None:
        pairs = {**next(one for one in of if one.get("type") != "null"), **pairs}
    if "$ref" in pairs:
        pairs = {**shared[pairs.pop("$ref").rpartition("/")[2]], **pairs}
        return _plain(pairs, shared)
    plain = {
        key: _plain(item, shared)
        for key, item in pairs.items()
        if key not in _UNSAID and (key, item) not in (("default", ""), ("default", None))
    }
    if named:
        plain["properties"] = {key: _plain(item, shared) for key, item in named.items()}
    if required is not None:
        plain["required"] = required
    return plain


def problem(error: ValidationError) -> str:
    """Return what is wrong with arguments, field by field."""
    said = [_of_field(dict(each)) for each in error.errors(include_url=False)[:5]]
    return "; ".join(said)


def _of_field(each: dict[str, Any]) -> str:
    place = ""
    for step in each["loc"]:
        place += f"[{step}]" if isinstance(step, int) else f".{step}" if place else str(step)
    if each["type"] == "missing":
        return f"{place} is required"
    told = str(each["msg"]).removeprefix("Value error, ")
    if not place or told == f"{place.rpartition('.')[2]} is required":
        return told
    return f"{place}: {told}"


def sentence(error: ApiError) -> str:
    """Return a refusal as one text, with its detail and the fields it names."""
    said = [error.message, error.detail, *(f"{each.field}: {each.detail}" for each in error.fields)]
    return " ".join(part for part in said if part)


def failed(words: str) -> Result:
    """Return the result of a tool that did not do it."""
    return Result(words, is_error=True)
