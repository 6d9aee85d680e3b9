"""Parameter values for a build: from flags, a file, the environment, the person, or before."""

import csv
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

from coder_cli import ui
from coder_cli.kit.environ import environ
from coder_cli.kit.refused import Refused

if TYPE_CHECKING:
    from coder_cli.sdk.common import NameValue
    from coder_cli.sdk.templates import TemplateVersionParameter


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the person said about parameters, before the template is known."""

    values: Mapping[str, str] = field(default_factory=dict[str, str])
    defaults: Mapping[str, str] = field(default_factory=dict[str, str])
    ephemeral: Mapping[str, str] = field(default_factory=dict[str, str])
    always_prompt: bool = False
    prompt_ephemeral: bool = False
    use_defaults: bool = False
    borrowed: frozenset[str] = frozenset()
    """Names that a preset or another workspace brought: they may be in excess."""

    @property
    def wishes(self) -> bool:
        """Say whether anything was said that changes a workspace as it is."""
        asks = self.always_prompt or self.prompt_ephemeral
        return asks or bool(self.values or self.ephemeral)


@dataclass(frozen=True, slots=True)
class Situation:
    """In which kind of build the values are needed."""

    previous: Mapping[str, str] = field(default_factory=dict[str, str])
    """What the build before used; empty for a new workspace."""
    first: bool = True
    ask: bool = True
    """Whether a person is there, and has not agreed to everything."""
    force_tty: bool = False


def wanted(
    values: Sequence[str],
    defaults: Sequence[str],
    ephemeral: Sequence[str],
    file: str,
    **how: bool,
) -> Wanted:
    """Read flags, file and environment; a flag beats the file. ``how`` are switches of `Wanted`.

    Raises:
        Refused: something is not ``name=value``, or the file is not a mapping.
    """
    said = Wanted(
        values=_from_file(file) | _pairs("--parameter", "CODER_RICH_PARAMETER", values),
        defaults=_pairs("--parameter-default", "CODER_RICH_PARAMETER_DEFAULT", defaults),
        ephemeral=_pairs("--ephemeral-parameter", "CODER_EPHEMERAL_PARAMETER", ephemeral),
    )
    return replace(said, **how)


def resolve(
    parameters: "Sequence[TemplateVersionParameter]", wants: Wanted, situation: Situation
) -> "list[NameValue]":
    """Return the values to send with a build.

    Raises:
        Refused: a name is unknown, a value does not fit, or a required one is missing.
    """
    from coder_cli.sdk.common import NameValue

    given = {**wants.values, **wants.ephemeral}
    refuse_unknown(given, {one.name for one in parameters}, wants)
    chosen: list[NameValue] = []
    for parameter in parameters:
        value = value_for(parameter, given.get(parameter.name), wants, situation)
        if value is not None:
            chosen.append(NameValue(name=parameter.name, value=value))
    return chosen


def refuse_unknown(given: Mapping[str, str], known: Collection[str], wants: Wanted) -> None:
    """Refuse names that the template does not know.

    Raises:
        Refused: somebody gave one.
    """
    for name in given:
        if name not in known and name not in wants.borrowed:
            raise Refused(
                f"The template has no parameter {name!r}."
                f" It has: {', '.join(sorted(known)) or 'none'}."
            )


def complaint(
    parameter: "TemplateVersionParameter", value: str, previous: str | None = None
) -> str | None:
    """Return why ``value`` does not fit ``parameter``, or None."""
    problem = _misfit(parameter, value, previous)
    if problem is None or not parameter.validation_error:
        return problem
    own = parameter.validation_error.replace("{value}", value)
    own = own.replace("{min}", str(parameter.validation_min))
    return own.replace("{max}", str(parameter.validation_max))


def value_for(
    parameter: "TemplateVersionParameter",
    given: str | None,
    wants: Wanted,
    situation: Situation,
) -> str | None:
    """Return the value to send, or None to leave it to the server.

    Raises:
        Refused: the value does not fit, or a required one is missing.
    """
    previous = situation.previous.get(parameter.name)
    if given is not None:
        if parameter.name in wants.ephemeral and not parameter.ephemeral:
            # It would stay, and the person said that it should not.
            raise Refused(
                f"Parameter {parameter.name!r} is not ephemeral: its value stays."
                f" Set it with: --parameter {parameter.name}=<value>"
            )
        fixed = not situation.first and not parameter.mutable and not parameter.ephemeral
        if fixed and previous is not None and given != previous:
            raise Refused(f"Parameter {parameter.name!r} cannot change after the first build.")
        problem = complaint(parameter, given, previous)
        if problem:
            raise Refused(f"Parameter {parameter.name!r}: {problem}.")
        return given
    if parameter.ephemeral:
        if not (wants.prompt_ephemeral and situation.ask):
            return None
        return _ask(parameter, parameter.default_value, None, force_tty=situation.force_tty)
    if previous is not None and not _asks_again(parameter, previous, wants, situation):
        return None
    default = previous or wants.defaults.get(parameter.name) or parameter.default_value
    if situation.ask and not (wants.use_defaults and (default or not parameter.required)):
        return _ask(parameter, default, previous, force_tty=situation.force_tty)
    if parameter.required and not default:
        raise Refused(
            f"Parameter {parameter.name!r} needs a value:"
            f" pass --parameter {parameter.name}=<value>."
        )
    return default


def _asks_again(
    parameter: "TemplateVersionParameter", previous: str, wants: Wanted, situation: Situation
) -> bool:
    """Say whether a value that is known is asked for: as wished, or because it fits no longer."""
    if not (parameter.mutable or situation.first):
        return False
    return wants.always_prompt or (situation.ask and complaint(parameter, previous) is not None)


def _ask(
    parameter: "TemplateVersionParameter", default: str, previous: str | None, *, force_tty: bool
) -> str:
    asker = ui.Asker(force_tty=force_tty)
    flag = f"--parameter {parameter.name}=<value>"
    ui.note(ui.styled(parameter.display_name or parameter.name, "bold"))
    if parameter.description_plaintext:
        ui.note(f"  {parameter.description_plaintext}")
    if parameter.options and parameter.type != "list(string)":
        options = [(one.value, _label(one.name, one.description)) for one in parameter.options]
        return asker.select("Choose one:", options, flag=flag, default=default)
    if parameter.options:
        return _ask_some(asker, parameter, default, flag)
    return asker.text(
        "Value?",
        flag=flag,
        default=default,
        check=lambda value: complaint(parameter, value, previous),
    )


def _ask_some(
    asker: ui.Asker, parameter: "TemplateVersionParameter", default: str, flag: str
) -> str:
    """Return any number of the options, as the JSON list that the parameter is."""
    import json

    for number, one in enumerate(parameter.options, 1):
        ui.note(f"  {number}. {_label(one.name, one.description)}")
    by_number = {str(number): one.value for number, one in enumerate(parameter.options, 1)}

    def read(typed: str) -> str:
        if typed.startswith("["):
            return typed
        words = [word.strip() for word in typed.split(",") if word.strip()]
        return json.dumps([by_number.get(word, word) for word in words])

    typed = asker.text(
        "Choose any, by comma:",
        flag=flag,
        default=_listed(default),
        check=lambda value: complaint(parameter, read(value)),
    )
    return read(typed)


def _listed(value: str) -> str:
    """Return a JSON list of strings as a person types it: by comma."""
    import json

    try:
        entries: object = json.loads(value or "[]")
    except ValueError:
        return value
    return (
        ", ".join(map(str, cast("list[object]", entries))) if isinstance(entries, list) else value
    )


def _label(name: str, description: str) -> str:
    return f"{name}: {description}" if description else name


def _misfit(parameter: "TemplateVersionParameter", value: str, previous: str | None) -> str | None:
    if parameter.required and not value:
        return "a value is required"
    match parameter.type:
        case "bool":
            return None if value in {"true", "false"} else "must be true or false"
        case "number":
            return _number_misfit(parameter, value, previous)
        case "list(string)":
            return _list_misfit(parameter, value)
        case _:
            return _string_misfit(parameter, value)


def _number_misfit(
    parameter: "TemplateVersionParameter", value: str, previous: str | None
) -> str | None:
    try:
        number = float(value)
    except ValueError:
        return "must be a number"
    low, high = parameter.validation_min, parameter.validation_max
    if low is not None and number < low:
        return f"must be at least {low}"
    if high is not None and number > high:
        return f"must be at most {high}"
    return _monotonic_misfit(parameter, number, previous) or _option_misfit(parameter, value)


def _monotonic_misfit(
    parameter: "TemplateVersionParameter", number: float, previous: str | None
) -> str | None:
    try:
        before = float(previous or "")
    except ValueError:
        return None
    match parameter.validation_monotonic:
        case "increasing" if number < before:
            return f"must not be less than before ({previous})"
        case "decreasing" if number > before:
            return f"must not be greater than before ({previous})"
        case _:
            return None


def _string_misfit(parameter: "TemplateVersionParameter", value: str) -> str | None:
    if parameter.validation_regex:
        # The server decides with its own engine; a pattern that only it knows is left to it.
        try:
            fits = re.search(parameter.validation_regex, value) is not None
        except re.error:
            fits = True
        if not fits:
            return f"must match {parameter.validation_regex}"
    return _option_misfit(parameter, value)


def _list_misfit(parameter: "TemplateVersionParameter", value: str) -> str | None:
    import json

    try:
        items: object = json.loads(value or "[]")
    except ValueError:
        items = None
    entries = cast("list[object]", items) if isinstance(items, list) else None
    if entries is None or not all(isinstance(one, str) for one in entries):
        return 'must be a JSON list of strings, such as ["a", "b"]'
    allowed = {one.value for one in parameter.options}
    if allowed and (strange := [one for one in entries if one not in allowed]):
        return f"{strange[0]!r} is not one of {', '.join(sorted(allowed))}"
    return None


def _option_misfit(parameter: "TemplateVersionParameter", value: str) -> str | None:
    allowed = [one.value for one in parameter.options]
    if not allowed or value in allowed:
        return None
    return f"must be one of {', '.join(allowed)}"


def _pairs(flag: str, variable: str, given: Sequence[str]) -> dict[str, str]:
    said = list(given)
    if not said and (text := environ().get(variable)):
        said = next(csv.reader([text]))
    pairs: dict[str, str] = {}
    for one in said:
        name, equals, value = one.partition("=")
        if not equals or not name:
            raise Refused(f"{one!r} is not a parameter value; write {flag} name=value.")
        pairs[name] = value
    return pairs


def _from_file(path: str) -> dict[str, str]:
    if not path:
        return {}
    import json

    import yaml

    try:
        content: object = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise Refused(f"Cannot read {path}: {error.strerror}.") from error
    except yaml.YAMLError as error:
        raise Refused(f"{path} is not YAML: {error}") from error
    if not isinstance(content, dict):
        raise Refused(f"{path} must be a mapping of parameter names to values.")
    values: dict[str, str] = {}
    for name, value in cast("dict[object, object]", content).items():
        match value:
            case str():
                values[str(name)] = value
            case bool() | list() | dict():
                values[str(name)] = json.dumps(value)
            case _:
                values[str(name)] = "" if value is None else str(value)
    return values
