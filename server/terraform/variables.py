"""A template's variables, read before terraform runs, and the values it runs with."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import cast

from server.terraform import hcl
from server.terraform.model import Variable

VALUES_FILE = ".coder-variables.tfvars.json"
"""Where the values given for variables are, in the work directory."""

_PLAIN = frozenset({"string", "number", "bool"})
_PRIMITIVE = frozenset({"string", "number", "bool", "any", ""})


@dataclass(frozen=True, slots=True)
class Outline:
    """What the text of a template tells without being evaluated."""

    variables: tuple[Variable, ...] = ()
    has_backend: bool = False
    set_in_files: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    """The variables that the template's own ``*.auto.tfvars`` set, with the expressions there."""

    def with_values(self, given: Mapping[str, str]) -> tuple[Variable, ...]:
        """Return the variables with the values that this run uses."""
        return tuple(
            replace(variable, value=given.get(variable.name, variable.default_value))
            for variable in self.variables
        )

    def missing(self, given: Mapping[str, str]) -> list[str]:
        """Return the required variables that nobody gave a value."""
        have = self.set_in_files.keys() | given.keys()
        return [v.name for v in self.variables if v.required and v.name not in have]

    def secrets(self, given: Mapping[str, str]) -> tuple[str, ...]:
        """Return what sensitive variables hold, and of lists and objects each text in them."""
        found: dict[str, None] = {}
        for variable in self.with_values(given):
            if not variable.sensitive:
                continue
            found[variable.value] = None
            texts = [] if variable.type in _PLAIN else [variable.value]
            if variable.name in self.set_in_files:
                texts.append(self.set_in_files[variable.name])
            for text in texts:
                found |= dict.fromkeys(_texts(_expression(text)))
        return tuple(found)

    def file(self, given: Mapping[str, str]) -> str:
        """Return the JSON variables file for the values given; undeclared ones are dropped.

        A file, because arguments show in every process list. As for ``-var``, the text of a list
        or an object is an expression; of a plain type it is the value itself.
        """
        kinds = {variable.name: variable.type for variable in self.variables}
        values = {
            name: text if kinds[name] in _PRIMITIVE else _expression(text)
            for name, text in given.items()
            if name in kinds
        }
        # One to a line, so that a complaint is about one of them.
        return json.dumps(values, indent=2)


def outline(directory: Path) -> Outline:
    """Read a template's files; what cannot be read is left for terraform to complain about."""
    found: dict[str, dict[str, object]] = {}
    backend = False
    for block in _blocks(directory):
        match block.kind, block.labels:
            case "variable", (name,):
                # An override file changes the arguments it names.
                found.setdefault(name, {}).update(_arguments(block))
            case "terraform", _:
                backend = backend or any(b.kind in {"backend", "cloud"} for b in block.blocks)
            case _:
                pass
    variables = tuple(_variable(name, arguments) for name, arguments in found.items())
    return Outline(variables, backend, dict(_set_in_files(directory)))


def _is_override(path: Path) -> bool:
    stem = path.name.removesuffix(".json").removesuffix(".tf").removesuffix(".tofu")
    return stem == "override" or stem.endswith("_override")


def _blocks(directory: Path) -> Iterator[hcl.Block]:
    files = [path for path in sorted(directory.iterdir()) if path.is_file()]
    for path in sorted(files, key=_is_override):
        try:
            if path.name.endswith((".tf", ".tofu")):
                yield from hcl.blocks(path.read_text("utf-8")).blocks
            elif path.name.endswith((".tf.json", ".tofu.json")):
                yield from _json_blocks(json.loads(path.read_text("utf-8")))
        except ValueError:
            continue


def _json_blocks(content: object) -> Iterator[hcl.Block]:
    for part in _objects(content):
        for variables in _objects(part.get("variable")):
            for name, body in variables.items():
                for arguments in _objects(body):
                    texts = {key: json.dumps(value) for key, value in arguments.items()}
                    yield hcl.Block("variable", (name,), texts, ())
        for settings in _objects(part.get("terraform")):
            inner = tuple(hcl.Block(kind, (), {}, ()) for kind in settings)
            yield hcl.Block("terraform", (), {}, inner)


def _objects(content: object) -> list[dict[str, object]]:
    # In JSON syntax a block may be an object or a list of them.
    items = cast("list[object]", content) if isinstance(content, list) else [content]
    return [cast("dict[str, object]", item) for item in items if isinstance(item, dict)]


def _arguments(block: hcl.Block) -> dict[str, object]:
    return {name: _value(name, text) for name, text in block.arguments.items()}


def _value(name: str, text: str) -> object:
    if name == "type":
        return " ".join(text.strip('"').split())
    try:
        return hcl.literal(text)
    except hcl.NotHcl:
        return text


def _variable(name: str, arguments: Mapping[str, object]) -> Variable:
    default = arguments.get("default")
    return Variable(
        name=name,
        description=str(arguments.get("description") or ""),
        type=str(arguments.get("type") or "string"),
        default_value=""
        if default is None
        else default
        if isinstance(default, str)
        else json.dumps(default),
        required="default" not in arguments,
        sensitive=arguments.get("sensitive") is True,
    )


def _set_in_files(directory: Path) -> Iterator[tuple[str, str]]:
    for path in sorted(directory.iterdir()):
        name = path.name.removesuffix(".json")
        if not path.is_file() or not (name == "terraform.tfvars" or name.endswith(".auto.tfvars")):
            continue
        try:
            text = path.read_text("utf-8")
            if path.suffix == ".json":
                for one in _objects(json.loads(text)):
                    yield from ((key, json.dumps(value)) for key, value in one.items())
            else:
                yield from hcl.blocks(text).arguments.items()
        except (ValueError, TypeError):
            continue


def _expression(text: str) -> object:
    try:
        return hcl.literal(text)
    except hcl.NotHcl:
        return text  # Terraform says what is wrong with it, and where it belongs.


def _texts(value: object) -> Iterator[str]:
    match value:
        case str():
            yield value
        case list():
            for item in cast("list[object]", value):
                yield from _texts(item)
        case dict():
            for item in cast("dict[str, object]", value).values():
                yield from _texts(item)
        case None | bool():
            return
        case _:
            yield str(value)
