"""The shape of a terraform type: attributes, blocks, defaults and checks, as tables."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from server.terraform.provider.values import UNKNOWN, Object, has_unknown

STRING, NUMBER, BOOL = "string", "number", "bool"
STRING_MAP = ["map", STRING]
STRING_LIST = ["list", STRING]

_INT64 = 1 << 63

Conceal = Callable[[tuple[str, ...]], None]
"""Lets none of these be read in the log of the build."""

Step = str | int
Path = tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Finding:
    """Something to tell the template's author."""

    summary: str
    detail: str = ""
    path: Path = ()
    warning: bool = False

    def message(self) -> Object:
        """Return the Diagnostic message."""
        steps = [
            {"element_key_int": step} if isinstance(step, int) else {"attribute_name": step}
            for step in self.path
        ]
        return {
            "severity": 2 if self.warning else 1,
            "summary": self.summary,
            "detail": self.detail,
            "attribute": {"steps": steps} if steps else None,
        }


Check = Callable[[Any, str], Finding | str | None]
"""Judge a known value; the text is the attribute's dotted path, for the message."""


@dataclass(frozen=True, slots=True)
class Attribute:
    """One argument or result of a block."""

    type: object = STRING
    required: bool = False
    optional: bool = False
    computed: bool = False
    default: object = None
    sensitive: bool = False
    checks: tuple[Check, ...] = ()
    conflicts: tuple[str, ...] = ()
    deprecated: str = ""
    """What to tell an author who uses it."""


def required(kind: object = STRING, *checks: Check) -> Attribute:
    """Describe an argument that must be given."""
    return Attribute(kind, required=True, checks=checks)


def optional(
    kind: object = STRING,
    *checks: Check,
    default: object = None,
    conflicts: tuple[str, ...] = (),
    deprecated: str = "",
) -> Attribute:
    """Describe an argument that may be left out."""
    return Attribute(
        kind,
        optional=True,
        default=default,
        checks=checks,
        conflicts=conflicts,
        deprecated=deprecated,
    )


def computed(kind: object = STRING, *, sensitive: bool = False) -> Attribute:
    """Describe a result."""
    return Attribute(kind, computed=True, sensitive=sensitive)


class Nesting(Enum):
    """How a block repeats; the values are the protocol's."""

    LIST = 2
    SET = 3


@dataclass(frozen=True, slots=True)
class Block:
    """A nested block."""

    nesting: Nesting
    body: "Body"
    at_least: int = 0
    at_most: int = 0
    checks: tuple[Check, ...] = ()
    conflicts: tuple[str, ...] = ()
    deprecated: str = ""


@dataclass(frozen=True, slots=True)
class Body:
    """The inside of a block."""

    attributes: Mapping[str, Attribute]
    blocks: Mapping[str, Block] = field(default_factory=dict[str, Block])

    def message(self) -> Object:
        """Return the schema's Block message."""
        return {
            "attributes": [
                {
                    "name": name,
                    "type": json.dumps(a.type).encode(),
                    "required": a.required,
                    "optional": a.optional,
                    "computed": a.computed,
                    "sensitive": a.sensitive,
                    "deprecated": bool(a.deprecated),
                }
                for name, a in sorted(self.attributes.items())
            ],
            "block_types": [
                {
                    "type_name": name,
                    "block": b.body.message(),
                    "nesting": b.nesting.value,
                    "min_items": b.at_least,
                    "max_items": b.at_most,
                }
                for name, b in sorted(self.blocks.items())
            ],
        }

    def planned(self, value: Object, *, create: bool) -> Object:
        """Return ``value`` with defaults filled in; on create, missing results are unknown."""
        out: Object = {}
        for name, attribute in self.attributes.items():
            given = value.get(name)
            if given is None:
                given = attribute.default
            if given is None and attribute.computed and create:
                given = UNKNOWN
            out[name] = given
        for name, block in self.blocks.items():
            given = value.get(name)
            out[name] = (
                UNKNOWN
                if given is UNKNOWN
                else [
                    item if item is UNKNOWN else block.body.planned(item, create=create)
                    for item in given or ()
                ]
            )
        return out

    def from_state(self, stored: Object) -> Object:
        """Return a stored value in today's shape: unknown names dropped, missing ones null."""
        out: Object = {name: stored.get(name) for name in self.attributes}
        for name, block in self.blocks.items():
            out[name] = [block.body.from_state(item) for item in stored.get(name) or ()]
        return out

    def findings(self, config: Object, at: Path = (), label: str = "") -> Iterator[Finding]:
        """Judge a configuration; what is not known yet is not judged."""
        for name, attribute in self.attributes.items():
            value = config.get(name)
            if value is None or has_unknown(value):
                continue
            if attribute.type == NUMBER and not _is_whole(value):
                yield Finding(f"Attribute must be a whole number, got {value}", path=(*at, name))
                continue
            yield from self._conflicts(attribute.conflicts, config, (*at, name), label)
            yield from _aging(attribute.deprecated, (*at, name))
            yield from _judge(attribute.checks, value, (*at, name), label + name)
        for name, block in self.blocks.items():
            items = config.get(name)
            if not items or items is UNKNOWN:
                continue
            yield from self._conflicts(block.conflicts, config, (*at, name), label)
            yield from _aging(block.deprecated, (*at, name))
            if not has_unknown(items):
                yield from _judge(block.checks, items, (*at, name), label + name)
            for index, item in enumerate(items):
                if item is UNKNOWN:
                    continue
                # An element of a set has no path of its own that a provider could write.
                inner = (*at, name, index) if block.nesting is Nesting.LIST else (*at, name)
                yield from block.body.findings(item, inner, f"{label}{name}.{index}.")

    def _conflicts(
        self, others: tuple[str, ...], config: Object, at: Path, label: str
    ) -> Iterator[Finding]:
        for other in others:
            value = config.get(other)
            if value is not None and value != [] and value is not UNKNOWN:
                yield Finding(
                    "Conflicting configuration arguments",
                    f'"{label}{at[-1]}": conflicts with {label}{other}',
                    at,
                )


def _is_whole(value: object) -> bool:
    # Terraform writes a number as text when no machine's number holds it.
    match value:
        case float():
            return value.is_integer() and abs(value) < _INT64
        case int():
            return -_INT64 <= value < _INT64
        case _:
            return False


def _aging(deprecated: str, at: Path) -> Iterator[Finding]:
    if deprecated:
        yield Finding("Argument is deprecated", deprecated, at, warning=True)


def _judge(checks: tuple[Check, ...], value: object, at: Path, label: str) -> Iterator[Finding]:
    for check in checks:
        match check(value, label):
            case None:
                continue
            case str(message):
                yield Finding(message, path=at)
            case Finding() as found:
                yield Finding(found.summary, found.detail, at, found.warning)


@dataclass(slots=True)
class Call:
    """What a type's hooks work with: the build's values, and where to complain."""

    env: Mapping[str, str]
    url: str
    found: list[Finding] = field(default_factory=list[Finding])
    conceal: Conceal = lambda _secrets: None
    """Takes secrets that are made here."""

    def error(self, summary: str, detail: str = "", *path: Step) -> None:
        """Refuse."""
        self.found.append(Finding(summary, detail, path))

    def warn(self, summary: str, detail: str = "", *path: Step) -> None:
        """Warn."""
        self.found.append(Finding(summary, detail, path, warning=True))

    @property
    def failed(self) -> bool:
        """Tell whether something was refused."""
        return any(not finding.warning for finding in self.found)


Hook = Callable[[Object, Call], None]
"""Fill in or judge a value, in place."""


@dataclass(frozen=True, slots=True)
class ResourceType:
    """A managed resource. ``plan`` runs with unknown values, the other hooks without."""

    body: Body
    version: int = 1
    plan: Hook | None = None
    create: Hook | None = None
    read: Hook | None = None


@dataclass(frozen=True, slots=True)
class DataSource:
    """A data source; ``read`` gets the configuration with defaults and fills in the rest."""

    body: Body
    read: Hook
    version: int = 1
