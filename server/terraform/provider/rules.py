"""What makes a parameter's value valid: type, options, form type, validation block. Pure."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, cast

from server.terraform.provider import gotext, regex
from server.terraform.provider.schema import Finding, Path
from server.terraform.provider.values import Object, quote

LIST = "list(string)"
TYPES = ("string", "number", "bool", LIST)
FORM_TYPES = (
    "radio",
    "slider",
    "input",
    "dropdown",
    "checkbox",
    "switch",
    "multi-select",
    "tag-select",
    "textarea",
    "error",
)
_WITH_OPTIONS: Mapping[str, tuple[str, ...]] = {
    "string": ("radio", "dropdown"),
    "number": ("radio", "dropdown"),
    "bool": ("radio", "dropdown"),
    LIST: ("radio", "multi-select"),
}
_WITHOUT_OPTIONS: Mapping[str, tuple[str, ...]] = {
    "string": ("input", "textarea"),
    "number": ("input", "slider"),
    "bool": ("checkbox", "switch"),
    LIST: ("tag-select",),
}


class Refused(ValueError):
    """A parameter breaks rules; the findings say which."""

    def __init__(self, *findings: Finding) -> None:
        super().__init__(findings[0].summary)
        self.findings = findings


class _Broken(ValueError):
    """A rule of the validation block is broken; the message becomes the detail."""


def form_type(kind: str, written: str, *, options: bool) -> str:
    """Return the form type in effect.

    Raises:
        Refused: the one that is written does not go with the type.
    """
    here, other = (
        (_WITH_OPTIONS, _WITHOUT_OPTIONS) if options else (_WITHOUT_OPTIONS, _WITH_OPTIONS)
    )
    if kind not in here:
        # Only a session that records gets here: elsewhere the type was refused before.
        raise Refused(Finding(f"invalid type {quote(kind)}", path=("type",)))
    if not written:
        return here[kind][0]
    if written in here[kind]:
        return written
    when = ""
    if written in other[kind]:
        when = " when options exist" if options else " when options do not exist"
    raise Refused(
        Finding(
            "Invalid form_type for parameter",
            f'"form_type" attribute={quote(written)} is not supported for '
            f'"type"={quote(kind)}{when}, choose one of [{" ".join(here[kind])}]',
            ("form_type",),
        )
    )


def resolve(parameter: Object, given: str | None, previous: str | None, form: str) -> str:
    """Return a parameter's value: what was given, else the default, else nothing.

    Raises:
        Refused: the value, or an option, breaks a rule.
    """
    kind: str = parameter["type"]
    plain = "string" if form == "multi-select" else kind
    options = _options(parameter["option"], plain)
    value, name, path = given, "Value", cast("Path", ())
    if given is None and parameter["default"] is not None:
        value, name, path = cast("str", parameter["default"]), "Default value", ("default",)
    if value is None and not parameter["validation"]:
        return ""
    text = value or ""
    if options and kind != plain:
        _check_choices(text, options, name, path)
    elif options and text not in options:
        hint = (
            ""
            if text
            else ". The value is empty, did you forget to set it with a default or from user input?"
        )
        detail = f"the value {quote(text)} must be defined as one of options"
        raise Refused(Finding(f"{name} must be a valid option{hint}", detail, path))
    for rule in parameter["validation"]:
        try:
            check_rule(rule, kind, text, previous)
        except _Broken as broken:
            summary = f"Invalid parameter {name.lower()} according to 'validation' block"
            raise Refused(Finding(summary, str(broken), path)) from None
    problem = type_problem(kind, text)
    if problem:
        raise Refused(Finding(f"Parameter value is not of type {quote(kind)}", problem))
    return text


def type_problem(kind: str, value: str) -> str | None:
    """Return why a text is not of a type, or None."""
    match kind:
        case "number" if not gotext.is_float(value):
            return f"{quote(value)} is not a number"
        case "bool" if not gotext.is_bool(value):
            return f"{quote(value)} is not a bool"
        case "list(string)" if strings(value) is None:
            return f"value {quote(value)} is not a valid list of strings"
        case _:
            return None


def strings(value: str) -> list[str] | None:
    """Return the list of strings that a JSON text holds (null is an empty one), or None."""
    try:
        content: object = json.loads(value)
    except (ValueError, RecursionError):
        return None
    if content is None:
        return []
    if not isinstance(content, list):
        return None
    items = cast("list[object]", content)
    # As in Go, a null among the strings reads as an empty one.
    if not all(item is None or isinstance(item, str) for item in items):
        return None
    return [str(item or "") for item in items]


def _options(options: Sequence[Object], kind: str) -> frozenset[str]:
    names, values = set[str](), set[str]()
    wrong: list[Finding] = []
    for option in options:
        name, value = option["name"], option["value"]
        if name in names:
            detail = f"multiple options found with the same name {quote(name)}"
            raise Refused(Finding("Option names must be unique.", detail))
        if value in values:
            detail = f"multiple options found with the same value {quote(value)}"
            raise Refused(Finding("Option values must be unique.", detail))
        problem = type_problem(kind, value)
        if problem:
            summary = f"Option {quote(name)} with value={quote(value)} is not of type {quote(kind)}"
            wrong.append(Finding(summary, problem))
            continue
        names.add(name)
        values.add(value)
    if wrong:
        raise Refused(*wrong)
    return frozenset(values)


def _check_choices(text: str, options: frozenset[str], name: str, path: Path) -> None:
    chosen = strings(text)
    if chosen is None:
        raise Refused(
            Finding(
                "When using list(string) type, value must be a json encoded list of strings",
                f"value {quote(text)} is not a valid list of strings",
                path,
            )
        )
    missing = [item for item in chosen if item not in options]
    if missing:
        raise Refused(
            Finding(
                f"{name}s must be a valid option",
                f"{name} {quote(text)} is not a valid option, "
                f"values {quote(', '.join(missing))} are missing from the options",
                path,
            )
        )


def check_rule(rule: Object, kind: str, value: str, previous: str | None) -> None:
    """Check a value against a validation block.

    Raises:
        _Broken: with the sentence a person sees.
    """
    _check_fit(rule, kind)
    match kind:
        case "bool" if value not in {"true", "false"}:
            raise _Broken('boolean value can be either "true" or "false"')
        case "string" if rule["regex"]:
            _check_regex(rule, value)
        case "number":
            _check_number(rule, value, previous)
        case "list(string)" if strings(value) is None:
            raise _Broken(f"value {quote(value)} is not valid list of strings")
        case _:
            pass


def _check_fit(rule: Object, kind: str) -> None:
    if kind != "number":
        if rule["min"] is not None:
            raise _Broken(f"a min cannot be specified for a {kind} type")
        if rule["max"] is not None:
            raise _Broken(f"a max cannot be specified for a {kind} type")
        if rule["monotonic"]:
            raise _Broken(
                f"monotonic validation can only be specified for number types, not {kind} types"
            )
    if kind != "string" and rule["regex"]:
        raise _Broken(f"a regex cannot be specified for a {kind} type")


def _check_regex(rule: Object, value: str) -> None:
    pattern: str = rule["regex"]
    try:
        found = regex.found(pattern, value)
    except regex.BadPattern as bad:
        raise _Broken(f"compile regex {quote(pattern)}: {bad}") from None
    if not rule["error"]:
        raise _Broken("an error must be specified with a regex validation")
    if not found:
        raise _Broken(f"{rule['error']} (value {quote(value)} does not match {quote(pattern)})")


def _check_number(rule: Object, value: str, previous: str | None) -> None:
    number = gotext.integer(value)
    least, most = rule["min"], rule["max"]
    if number is None:
        raise _Broken(_own_words(rule, value) or f"value {quote(value)} is not a number")
    if least is not None and number < least:
        said = f"value {number} is less than the minimum {int(least)}"
        raise _Broken(_own_words(rule, value) or said)
    if most is not None and number > most:
        said = f"value {number} is more than the maximum {int(most)}"
        raise _Broken(_own_words(rule, value) or said)
    _check_monotonic(rule["monotonic"], number, previous)


def _check_monotonic(direction: str | None, number: int, previous: str | None) -> None:
    if not direction:
        return
    if direction not in {"increasing", "decreasing"}:
        raise _Broken('number monotonicity can be either "increasing" or "decreasing"')
    before = None if previous is None else gotext.integer(previous)
    if before is None:
        return
    if direction == "increasing" and number < before:
        raise _Broken(
            f"parameter value '{number}' must be equal or greater than previous value: {before}"
        )
    if direction == "decreasing" and number > before:
        raise _Broken(
            f"parameter value '{number}' must be equal or lower than previous value: {before}"
        )


def _own_words(rule: Mapping[str, Any], value: str) -> str:
    text: str = rule["error"] or ""
    for name, part in (("min", rule["min"] or 0), ("max", rule["max"] or 0), ("value", value)):
        text = text.replace("{" + name + "}", str(part))
    return text
