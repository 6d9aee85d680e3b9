"""Run a Typer command the way this product reports: errors as exceptions, to `main`."""

from typing import TYPE_CHECKING, Any, cast

import typer
from typer.main import get_command

from coder_cli.kit.refused import Refused

if TYPE_CHECKING:
    from typer.core import TyperGroup


EPILOG = "Global flags stand anywhere on the line; coder --help lists them."


def new_app(help_text: str = "") -> typer.Typer:
    """Return an empty app with plain help, no shell completion of its own and bare errors."""
    return typer.Typer(
        help=help_text or None,
        epilog=EPILOG,
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    )


def run_typed(app: typer.Typer, words: list[str], path: list[str]) -> int:
    """Run ``app`` with ``words``; ``path`` is completed with the sub-command's name.

    Raises:
        Refused: the words do not fit the command.
    """
    command = get_command(app)
    base = " ".join(path)
    group: Any = command
    for word in words:
        commands = cast("dict[str, TyperGroup]", getattr(group, "commands", {}))
        if word not in commands:
            break
        group = commands[word]
        path.append(word)
    if getattr(group, "commands", None) and words == path[len(base.split()) :]:
        words = [*words, "--help"]
    try:
        code = command.main(args=words, prog_name=base, standalone_mode=False)
    except typer.Abort:
        raise KeyboardInterrupt from None
    except typer.TyperException as error:
        raise Refused(_sentence(error)) from error
    return code if isinstance(code, int) else 0


def _sentence(error: typer.TyperException) -> str:
    say = getattr(error, "format_message", None)
    return cast("str", say()) if say else str(error)
