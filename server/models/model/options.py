"""The options of a model: what may stand in ``model_config``, and what it means for a call. Pure.

The shapes are those of the wire (reference, chats, section 1.10). They ignore what they do not
know, as all requests do; a misspelt option would then do nothing for ever, so it is refused here.
"""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, cast, get_args

from pydantic import BaseModel

from coder_cli.sdk.chats.options import ChatModelCallConfig, ReasoningEffort
from server.kit.errors import FieldError
from server.llm import CallOptions, Json, Prices
from server.models.errors import BadOptions

EFFORTS: tuple[str, ...] = get_args(ReasoningEffort)
"""From least to most."""

MAX_OUTPUT_TOKENS = 32_000
_MAX_PRICE = Decimal(1_000_000)
_ROOT = "model_config"
_RANGES: Mapping[str, tuple[float, float]] = {
    "max_output_tokens": (1, 10_000_000),
    "temperature": (0, 2),
    "top_p": (0, 1),
    "top_k": (1, 1_000_000),
    "presence_penalty": (-2, 2),
    "frequency_penalty": (-2, 2),
}
_OF_CALLS = frozenset({"cost", "max_output_tokens", "reasoning_effort"})
"""Options that are no values of a request; each has its own place."""


def checked(config: ChatModelCallConfig, given: object) -> dict[str, Json]:
    """Return ``config`` as it is stored; ``given`` is the JSON that it was read from.

    Raises:
        BadOptions: a field that does not exist, a value out of its range, or two that exclude
            each other; every one is named.
    """
    wrong = [*_unknown(ChatModelCallConfig, given, _ROOT), *_out_of_range(config)]
    wrong += _excluding(config)
    if wrong:
        raise BadOptions(wrong)
    return config.model_dump(mode="json", exclude_none=True, by_alias=True)


def call_options(options: Mapping[str, Json], effort: str = "") -> CallOptions:
    """Return how to call a model with these stored options.

    ``effort`` is what the person asked for: it is held to the model's most, and ignored by a
    model that was not given any effort.
    """
    most = options.get("max_output_tokens")
    return CallOptions(
        max_output_tokens=most if isinstance(most, int) else MAX_OUTPUT_TOKENS,
        reasoning_effort=_effort(options, effort),
        values={name: value for name, value in options.items() if name not in _OF_CALLS},
    )


def prices(options: Mapping[str, Json]) -> Prices | None:
    """Return the prices that an administrator gave, or None."""
    cost = options.get("cost")
    if not isinstance(cost, dict):
        return None

    def price(kind: str) -> Decimal | None:
        told = cost.get(f"{kind}_price_per_million_tokens")
        return None if told is None else Decimal(str(told))

    found = Prices(
        source="admin",
        input=price("input"),
        output=price("output"),
        cache_read=price("cache_read"),
        cache_write=price("cache_write"),
    )
    classes = (found.input, found.output, found.cache_read, found.cache_write)
    return None if all(each is None for each in classes) else found


def _effort(options: Mapping[str, Json], wanted: str) -> str:
    known = options.get("reasoning_effort")
    if not isinstance(known, dict):
        return ""
    effort = wanted if wanted in EFFORTS else known.get("default") or ""
    most = known.get("max")
    if effort in EFFORTS and most in EFFORTS and EFFORTS.index(effort) > EFFORTS.index(most):
        return most
    return str(effort)


def _unknown(shape: type[BaseModel], given: object, at: str) -> Iterator[FieldError]:
    """Yield what ``given`` has and ``shape`` does not."""
    if not isinstance(given, dict):
        return
    fields = {
        alias: field
        for name, field in shape.model_fields.items()
        for alias in {name, str(field.validation_alias or name)}
    }
    for name, value in cast("dict[str, object]", given).items():
        if name not in fields:
            yield FieldError(f"{at}.{name}", f"There is no option {name!r} here.")
            continue
        for inner in _shapes(fields[name].annotation):
            items = cast("list[object]", value) if isinstance(value, list) else [value]
            for item in items:
                yield from _unknown(inner, item, f"{at}.{name}")


def _shapes(annotation: Any) -> Iterator[type[BaseModel]]:
    """Yield the shapes inside ``X``, ``X | None`` or ``list[X]``."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _shapes(argument)


def _out_of_range(config: ChatModelCallConfig) -> Iterator[FieldError]:
    for name, (low, high) in _RANGES.items():
        value = getattr(config, name)
        if value is not None and not low <= value <= high:
            yield FieldError(f"{_ROOT}.{name}", f"It must be between {low:g} and {high:g}.")
    if config.cost is not None:
        for name in type(config.cost).model_fields:
            price: Decimal | None = getattr(config.cost, name)
            if price is not None and not (price.is_finite() and 0 <= price <= _MAX_PRICE):
                at = f"{_ROOT}.cost.{name}"
                yield FieldError(at, f"A price must be between 0 and {_MAX_PRICE} USD.")
    effort = config.reasoning_effort
    default, most = (effort.default, effort.max) if effort else (None, None)
    if default is not None and most is not None and EFFORTS.index(default) > EFFORTS.index(most):
        at = f"{_ROOT}.reasoning_effort.default"
        yield FieldError(at, f"It must not be more than the most, {most}.")


def _excluding(config: ChatModelCallConfig) -> Iterator[FieldError]:
    blocks = config.provider_options
    if blocks is None:
        return
    pairs: Sequence[tuple[str, BaseModel | None, str, str]] = (
        ("anthropic", blocks.anthropic, "allowed_domains", "blocked_domains"),
        (
            "google.thinking_config",
            blocks.google.thinking_config if blocks.google else None,
            "thinking_budget",
            "thinking_level",
        ),
    )
    for at, block, one, other in pairs:
        if block is not None and getattr(block, one) and getattr(block, other):
            yield FieldError(f"{_ROOT}.provider_options.{at}.{other}", f"It excludes {one}.")
