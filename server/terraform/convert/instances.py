"""The objects of a plan or a state, as a flat list."""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, cast

Object = dict[str, Any]

_STATE_FORMAT = 4
_KEY = re.compile(r'\[(?:[^\]"]|"(?:[^"\\]|\\.)*")*\]')


@dataclass(frozen=True, slots=True)
class Instance:
    """One object of terraform."""

    address: str
    type: str
    name: str
    managed: bool
    key: str | int | None
    module: str
    """The module's address, empty at the root."""
    values: Object

    @property
    def label(self) -> str:
        """Return the address without instance keys, as the graph names it."""
        return label(self.address)

    def text(self, name: str) -> str:
        """Return a string attribute; null and unknown are empty."""
        value = self.values.get(name)
        return value if isinstance(value, str) else ""

    def number(self, name: str) -> int:
        """Return a number attribute; null and unknown are zero."""
        value = self.values.get(name)
        return int(value) if isinstance(value, int | float) else 0

    def flag(self, name: str) -> bool:
        """Return a bool attribute; null and unknown are false."""
        return self.values.get(name) is True

    def blocks(self, name: str) -> list[Object]:
        """Return the nested blocks of a name."""
        return list(self.values.get(name) or ())


def part(value: Object, name: str) -> Object:
    """Return an object inside an object, or an empty one."""
    return value.get(name) or {}


def first(blocks: Iterable[Object] | None) -> Object:
    """Return the first of some blocks, or an empty one."""
    return next(iter(blocks or ()), cast("Object", {}))


def label(address: str) -> str:
    """Return an address without its instance keys."""
    return _KEY.sub("", address)


def state_instances(shown: Object) -> list[Instance]:
    """Return the objects of ``terraform show -json`` of a state."""
    return list(_module(part(part(shown, "values"), "root_module")))


def plan_instances(shown: Object) -> list[Instance]:
    """Return the objects of ``terraform show -json`` of a plan, data sources included."""
    planned = _module(part(part(shown, "planned_values"), "root_module"))
    # What was read for the plan stands in the state before it.
    prior = state_instances(part(shown, "prior_state"))
    managed = [instance for instance in planned if instance.managed]
    return managed + [instance for instance in prior if not instance.managed]


def stored_instances(state: Object) -> list[Instance] | None:
    """Return the objects of a state file, or None for a format that this does not know.

    Terraform's own account of it is ``state_instances``; starting terraform for that takes a
    quarter of a build's time.
    """
    if state.get("version") != _STATE_FORMAT or "resources" not in state:
        return None
    return [
        _stored(resource, instance)
        for resource in state["resources"]
        for instance in resource["instances"]
        if "deposed" not in instance
    ]


def _stored(resource: Object, instance: Object) -> Instance:
    managed, key = resource["mode"] == "managed", instance.get("index_key")
    module = resource.get("module", "")
    parts = [module, "" if managed else "data", resource["type"], resource["name"]]
    # A key is a number, or a text in quotes.
    index = "" if key is None else f"[{json.dumps(key, ensure_ascii=False)}]"
    return Instance(
        address=".".join(filter(None, parts)) + index,
        type=resource["type"],
        name=resource["name"],
        managed=managed,
        key=key,
        module=module,
        values=instance.get("attributes") or {},
    )


def _module(module: Object) -> Iterator[Instance]:
    for raw in module.get("resources") or ():
        if "deposed_key" in raw:
            continue  # On its way out; its successor is listed, too.
        yield Instance(
            address=raw["address"],
            type=raw["type"],
            name=raw["name"],
            managed=raw["mode"] == "managed",
            key=raw.get("index"),
            module=module.get("address", ""),
            values=raw.get("values") or {},
        )
    for child in module.get("child_modules") or ():
        yield from _module(child)
