"""Which value each parameter of a build has, and why a value is refused. Pure.

Source: reference, agent and provisioner, sections 5.19 and 6.3.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import re2

from server.kit.errors import FieldError
from server.templates.errors import BadParameters
from server.terraform import Parameter

_re2: Any = re2  # The library has no types.
_INTEGER = re.compile(r"[+-]?[0-9]{1,19}")
_BOOL = frozenset(["1", "t", "T", "TRUE", "true", "True", "0", "f", "F", "FALSE", "false", "False"])
"""What Go's ParseBool takes."""


def _no_values() -> Mapping[str, str]:
    return {}


@dataclass(frozen=True, slots=True)
class Values:
    """Where the values of a build come from; later fields win over earlier ones."""

    previous: Mapping[str, str] = field(default_factory=_no_values)
    """Of the workspace's last build."""
    given: Mapping[str, str] = field(default_factory=_no_values)
    """In the request."""
    preset: Mapping[str, str] = field(default_factory=_no_values)
    first_build: bool = True


def resolve_parameters(parameters: Sequence[Parameter], values: Values) -> dict[str, str]:
    """Return the value of every parameter for a build, defaults included.

    Values of the last build that the version no longer asks for are dropped, and so are those a
    preset has in excess; one that the request gives is refused, for somebody meant something.

    Raises:
        BadParameters: with one FieldError for each value that is missing, unknown or refused.
    """
    known = {parameter.name for parameter in parameters}
    wrong = [
        FieldError(name, f'Parameter "{name}" is not present in the template.')
        for name in values.given
        if name not in known
    ]
    resolved: dict[str, str] = {}
    for parameter in parameters:
        value = _choose(parameter, values)
        complaint = _complain(parameter, value, values)
        if complaint is not None:
            wrong.append(FieldError(parameter.name, complaint))
        elif value is not None:
            resolved[parameter.name] = value
    if wrong:
        raise BadParameters(wrong)
    return resolved


def _choose(parameter: Parameter, values: Values) -> str | None:
    for source in (values.preset, values.given):
        if parameter.name in source:
            return source[parameter.name]
    if parameter.name in values.previous and not parameter.ephemeral:
        return values.previous[parameter.name]
    return None if parameter.required else parameter.default_value


def _complain(parameter: Parameter, value: str | None, values: Values) -> str | None:
    if value is None:
        return f'Parameter "{parameter.name}" is required, and no value was given.'
    before = values.previous.get(parameter.name)
    if not (values.first_build or parameter.mutable) and before not in (None, value):
        return (
            f'Parameter "{parameter.name}" is not mutable, '
            "so it can't be updated after creating a workspace."
        )
    return check_value(parameter, value, before)


def check_value(parameter: Parameter, value: str, previous: str | None = None) -> str | None:
    """Return why ``value`` cannot be the value of ``parameter``, or None."""
    unset = not value and not parameter.required and not parameter.default_value
    complaint = _check_option(parameter, value) if parameter.options and not unset else None
    if unset or complaint is not None:
        return complaint
    match parameter.type:
        case "number":
            return _check_number(parameter, value, previous)
        case "bool":
            return None if value in _BOOL else f'"{value}" is not a bool'
        case "list(string)":
            listed = _strings(value) is not None
            return None if listed else f'value "{value}" is not a valid list of strings'
        case _:
            return _check_text(parameter, value)


def _check_option(parameter: Parameter, value: str) -> str | None:
    choices = [option.value for option in parameter.options]
    if parameter.form_type != "multi-select":
        if value in choices:
            return None
        return f'the value "{value}" must be defined as one of options'
    chosen = _strings(value)
    if chosen is None:
        return (
            "When using list(string) type, value must be a json encoded list of strings: "
            f'"{value}" is not.'
        )
    missing = [choice for choice in chosen if choice not in choices]
    if not missing:
        return None
    named = ", ".join(missing)
    return f'Value "{value}" is not a valid option, values "{named}" are missing from the options'


def _strings(value: str) -> list[str] | None:
    try:
        decoded: object = json.loads(value)
    except ValueError:
        return None
    if decoded is None:
        return []
    if not isinstance(decoded, list):
        return None
    items = cast("list[object]", decoded)
    texts = [item for item in items if isinstance(item, str)]
    return texts if len(texts) == len(items) else None


def _check_number(parameter: Parameter, value: str, previous: str | None) -> str | None:
    low, high = parameter.validation_min, parameter.validation_max
    if low is None and high is None and not parameter.validation_monotonic:
        return None if _is_float(value) else f'"{value}" is not a number'
    if not _INTEGER.fullmatch(value):
        return _worded(parameter, value) or f'value "{value}" is not a number'
    number = int(value)
    if low is not None and number < low:
        return _worded(parameter, value) or f"value {number} is less than the minimum {low}"
    if high is not None and number > high:
        return _worded(parameter, value) or f"value {number} is more than the maximum {high}"
    return _check_monotonic(parameter.validation_monotonic, number, previous)


def _is_float(value: str) -> bool:
    try:
        float(value)
    except ValueError:
        return False
    return "_" not in value and value == value.strip()


def _check_monotonic(direction: str, number: int, previous: str | None) -> str | None:
    if previous is None or not _INTEGER.fullmatch(previous):
        return None
    before = int(previous)
    if direction == "increasing" and number < before:
        return f"parameter value '{number}' must be equal or greater than previous value: {before}"
    if direction == "decreasing" and number > before:
        return f"parameter value '{number}' must be equal or lower than previous value: {before}"
    return None


def _check_text(parameter: Parameter, value: str) -> str | None:
    pattern = parameter.validation_regex
    if not pattern or _re2.compile(pattern).search(value) is not None:
        return None
    error = _worded(parameter, value) or "the value has the wrong form"
    return f'{error} (value "{value}" does not match "{pattern}")'


def _worded(parameter: Parameter, value: str) -> str:
    """Return the template author's own words for a bad value, if there are any."""
    words = parameter.validation_error
    for name, known in (
        ("{min}", parameter.validation_min),
        ("{max}", parameter.validation_max),
        ("{value}", value),
    ):
        words = words.replace(name, "" if known is None else str(known))
    return words
