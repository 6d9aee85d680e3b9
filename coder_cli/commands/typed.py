"""Run a Typer command the way this product reports: errors as exceptions, to `main`."""

import inspect
from collections.abc import Callable, Iterator
from typing import Any, cast

import typer
from typer.core import TyperGroup
from typer.main import get_command

from coder_cli.kit.refused import Refused

EPILOG = "Global flags stand anywhere on the line; coder --help lists them."
_HELP = ["-h", "--help"]
_SWITCH_VALUES = {"=true": True, "=false": False}


def new_app(
    help_text: str = "", *, cls: type[TyperGroup] | None = None, alone: bool = False
) -> typer.Typer:
    """Return an empty app with plain help, no shell completion of its own and bare errors.

    One that does something ``alone`` needs no sub-command; its callback is what it does.
    """
    return typer.Typer(
        cls=cls,
        invoke_without_command=alone,
        help=help_text or None,
        epilog=EPILOG,
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": _HELP, "max_content_width": 100},
    )


def run_typed(app: typer.Typer, words: list[str], path: list[str], *, usage_code: int = 1) -> int:
    """Run ``app`` with ``words``; ``path`` is completed with the sub-command's name.

    Words that do not fit end with ``usage_code``.

    Raises:
        Refused: the words do not fit the command.
    """
    command = get_command(app)
    base = " ".join(path)
    chain, names = _descend(command, words)
    path += names
    leaf, rest = chain[-1], words[len(names) :]
    if _subcommands(leaf) and not rest and not getattr(leaf, "invoke_without_command", False):
        rest = ["--help"]
    for one in chain:
        _read_plainly(one)
    try:
        code = command.main(
            args=[*names, *_plain_switches(leaf, rest)], prog_name=base, standalone_mode=False
        )
    except typer.Abort:
        raise KeyboardInterrupt from None
    except typer.TyperException as error:
        raise Refused(_sentence(error), exit_code=usage_code) from error
    return code if isinstance(code, int) else 0


def fixed(command: Callable[..., None], **values: Any) -> Callable[..., None]:
    """Return a command like ``command``, with these of its flags decided already."""
    signature = inspect.signature(command)
    left = [one for one in signature.parameters.values() if one.name not in values]

    def run(**said: Any) -> None:
        command(**said, **values)

    run.__doc__ = command.__doc__
    run.__name__ = command.__name__
    run.__annotations__ = {one.name: one.annotation for one in left}
    run.__signature__ = signature.replace(parameters=left)
    return run


def subcommand_names(app: typer.Typer) -> Iterator[tuple[str, ...]]:
    """Yield the path of every command in ``app`` that is not hidden, itself first."""

    def walk(command: object, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        yield path
        for name, inner in _subcommands(command).items():
            if not inner.hidden:
                yield from walk(inner, (*path, name))

    return walk(get_command(app), ())


def _descend(command: object, words: list[str]) -> tuple[list[Any], list[str]]:
    """Return the commands that the first words lead through, outermost first, and these words."""
    chain: list[Any] = [command]
    names: list[str] = []
    for word in words:
        inner = _subcommands(chain[-1]).get(word)
        if inner is None:
            break
        chain.append(inner)
        names.append(word)
    return chain, names


def _subcommands(command: object) -> dict[str, Any]:
    # Typer carries its own click, whose types are private to it.
    return cast("dict[str, Any]", getattr(command, "commands", {}))


class _Text:
    """What Typer asks to read a value, for values that are text and stay text."""

    def coerce(self, value: object, param: Any, ctx: Any) -> object:
        """Return ``value`` as it was typed."""
        del ctx
        return () if value is None and (param.multiple or param.nargs == -1) else value


class _Number:
    """The same for whole numbers."""

    def coerce(self, value: object, param: Any, ctx: Any) -> object:
        """Return ``value`` as a number."""
        try:
            return int(value) if isinstance(value, str) else value
        except ValueError:
            raise typer.BadParameter(f"{value!r} is not a number.", ctx=ctx, param=param) from None


class _Switch:
    """The same for switches; one that was not touched may be neither on nor off."""

    def coerce(self, value: object, param: Any, ctx: Any) -> object:
        """Return ``value``; text comes from the environment."""
        if not isinstance(value, str):
            return value
        if value.lower() in _ON | _OFF:
            return value.lower() in _ON
        raise typer.BadParameter(f"{value!r} is neither true nor false.", ctx=ctx, param=param)


_ON = frozenset({"1", "true", "t", "yes", "y", "on"})
_OFF = frozenset({"0", "false", "f", "no", "n", "off"})
_READERS: dict[object, _Text | _Number | _Switch] = {
    str: _Text(),
    list[str]: _Text(),
    int: _Number(),
    bool: _Switch(),
}


def _read_plainly(command: Any) -> None:
    """Spare commands whose parameters are text and numbers the price of Typer's converters.

    Typer reads each value through pydantic, which costs 70 ms of CPU before the first byte leaves.
    Where a Typer to come has no such attributes, this does nothing, and nothing breaks.
    """
    asked = typer.Context(command, help_option_names=_HELP)
    for param in command.get_params(asked):
        annotation = getattr(getattr(param, "type_descriptor", None), "annotation", None)
        reader = _READERS[str] if param.name == "help" else _READERS.get(annotation)
        if reader is not None:
            param._runtime_param = reader  # noqa: SLF001 - see above


def _plain_switches(command: object, words: list[str]) -> list[str]:
    """Spell ``--yes=true`` and ``--activate=false``, as upstream's scripts do, in Typer's way."""
    switches: dict[str, tuple[str, str]] = {}
    for param in cast("list[Any]", getattr(command, "params", [])):
        if getattr(param, "is_flag", False):
            off = param.secondary_opts[0] if param.secondary_opts else ""
            switches |= {name: (name, off) for name in param.opts}
    spelled: list[str] = []
    for place, word in enumerate(words):
        if word == "--":
            return spelled + words[place:]
        name, equals, value = word.partition("=")
        said = _SWITCH_VALUES.get(f"{equals}{value.lower()}")
        if name in switches and said is not None:
            on, off = switches[name]
            spelled += [on] if said else [off] if off else []
        else:
            spelled.append(word)
    return spelled


def _sentence(error: typer.TyperException) -> str:
    say = getattr(error, "format_message", None)
    text = cast("str", say()) if say else str(error)
    return text if text.endswith((".", "?")) else f"{text}."
