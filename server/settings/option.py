"""One option of ``coder server``: its names, its kind, its default and its words, said once."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any, TypeVar

from server.settings.kinds import Kind

T = TypeVar("T")
_KEY = "option"


@dataclass(frozen=True, slots=True)
class Group:
    """A heading of ``--help`` and of the option list of the API."""

    name: str
    yaml: str
    """The YAML mapping it stands for, dotted from the top; empty for the top itself."""
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """What a person, the environment, a YAML file and the API call one setting."""

    name: str
    """For the API: ``Access URL``."""
    flag: str
    env: str
    yaml: str
    """The key inside the group's mapping; may be dotted."""
    json: str
    """Where the value stands in ``config`` of the API, dotted."""
    group: Group
    kind: Kind[Any]
    default: str
    description: str
    short: str = ""
    secret: bool = False
    hidden: bool = False
    dynamic: Callable[[Mapping[str, str]], str] | None = None
    """Works out the default from the environment, as for ``$CACHE_DIRECTORY`` of systemd."""
    numbered: tuple[str, Callable[[Mapping[str, str]], list[str]]] | None = None
    """Variables that spell a list by number: what they are called, and who gathers the words."""

    @property
    def yaml_path(self) -> tuple[str, ...]:
        """The keys from the top of the YAML file down to the value."""
        return tuple(part for part in (*self.group.yaml.split("."), *self.yaml.split(".")) if part)


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """What one option is called where; the rest follows from the flag."""

    flag: str
    yaml: str
    json: str
    env: str = ""
    name: str = ""
    short: str = ""


def option(  # noqa: PLR0913, a declaration reads best as one list of keywords
    kind: Kind[T],
    names: Names,
    group: Group,
    description: str,
    *,
    default: str = "",
    secret: bool = False,
    hidden: bool = False,
    dynamic: Callable[[Mapping[str, str]], str] | None = None,
    numbered: tuple[str, Callable[[Mapping[str, str]], list[str]]] | None = None,
) -> T:
    """Declare a field of a settings dataclass together with its option.

    The field's type follows from ``kind``. It returns a dataclass field, typed as the value, as
    ``dataclasses.field`` itself does.
    """
    declared = Option(
        name=names.name or names.flag.replace("-", " ").capitalize(),
        flag=names.flag,
        env=names.env or f"CODER_{names.flag.replace('-', '_').upper()}",
        yaml=names.yaml,
        json=names.json,
        group=group,
        kind=kind,
        default=default,
        description=description,
        short=names.short,
        secret=secret,
        hidden=hidden,
        dynamic=dynamic,
        numbered=numbered,
    )
    words = [default] if default or not kind.many else []
    return field(
        default_factory=lambda: kind.parse(words), metadata={_KEY: declared}, repr=not secret
    )


def options_of(settings: type[Any]) -> Iterator[tuple[str, str, Option]]:
    """Yield room, field and option of every option declared under ``settings``."""
    for room in fields(settings):
        inner = room.type
        if not is_dataclass(inner):
            continue
        for one in fields(inner):
            declared = one.metadata.get(_KEY)
            if isinstance(declared, Option):
                yield room.name, one.name, declared
