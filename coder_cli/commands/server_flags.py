"""The flags of ``coder server``, made from the table of its settings."""

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from coder_cli import config
from coder_cli.commands.boot import BootParser
from coder_cli.config.options import Globals, Setting
from coder_cli.kit.environ import environ
from coder_cli.kit.refused import Refused

if TYPE_CHECKING:
    from server.settings import Option, Settings

_COMMANDS = """\
commands:
  create-admin-user      Create an owner straight in the database
  dbcrypt                Change the keys of secrets in the database, or forget them
  postgres-builtin-url   Print how to reach the built-in PostgreSQL
  postgres-builtin-serve Run only the built-in PostgreSQL

A flag beats its environment variable, which beats --config, which beats the default."""
_WIDTH = 100


@dataclass(frozen=True, slots=True)
class Parsed:
    """What was typed after ``coder server``."""

    flags: dict[str, list[str]]
    config_path: str
    config_dir: str
    write_config: bool
    debug_options: bool

    @property
    def globals(self) -> Globals:
        """The global options, with the configuration directory that was typed here."""
        options = config.current()
        if not self.config_dir:
            return options
        chosen = Setting((self.config_dir,), "flag")
        return Globals({**options.settings, "global-config": chosen})

    def load(self) -> "Settings":
        """Return the settings.

        Raises:
            Refused: one of them cannot be used.
        """
        return load(self.flags, self.config_path, self.globals.config_dir)


def load(flags: dict[str, list[str]], config_path: str, config_dir: Path) -> "Settings":
    """Return the server's settings for these flags and this process's environment.

    Raises:
        Refused: one of them cannot be used.
    """
    from server.settings import Given, SettingsError
    from server.settings import load as settle

    try:
        return settle(Given(flags, environ(), config_path, config_dir))
    except SettingsError as error:
        raise Refused(str(error)) from None


def parse(argv: list[str]) -> Parsed:
    """Read the words after ``coder server``.

    Raises:
        Refused: a word is no flag of the server.
    """
    from server.settings import CONFIG_ENV, OPTIONS

    parser = BootParser("server", "Start a Coder server.", usage="coder server [flags]")
    parser.formatter_class = _Help
    parser.epilog = _COMMANDS
    parser.add_argument(
        "-c",
        "--config",
        default="",
        metavar="<path>",
        help=f"YAML file with settings (${CONFIG_ENV})",
    )
    parser.add_argument(
        "--write-config", action="store_true", help="Print the effective settings as YAML and exit"
    )
    parser.add_argument(
        "--debug-options", action="store_true", help="Print each setting and its source and exit"
    )
    parser.add_argument(
        "--global-config",
        default="",
        metavar="<dir>",
        help="Directory of the session and of the built-in PostgreSQL ($CODER_CONFIG_DIR)",
    )
    groups: dict[str, Any] = {}
    for _, _, option in OPTIONS:
        title = option.group.name
        if title not in groups:
            groups[title] = parser.add_argument_group(title, option.group.description or None)
        _add(groups[title], option)
    found = parser.parse_args(argv, argparse.Namespace())
    return Parsed(
        flags={
            option.flag: words
            for _, _, option in OPTIONS
            if (words := getattr(found, _place(option))) is not None
        },
        config_path=found.config,
        config_dir=found.global_config,
        write_config=found.write_config,
        debug_options=found.debug_options,
    )


def _add(group: Any, option: "Option") -> None:
    names = [f"-{option.short}"] if option.short else []
    names.append(f"--{option.flag}")
    shown = f" [default: {option.default}]" if option.default not in {"", "false"} else ""
    words = f"{option.description} (${option.env}){shown}".replace("%", "%%")
    group.add_argument(
        *names,
        action="append",
        dest=_place(option),
        metavar=f"<{option.kind.name}>",
        # A switch may stand alone or be told: --tls-enable, --tls-enable=false.
        nargs="?" if option.kind.switch else None,
        const="true" if option.kind.switch else None,
        help=argparse.SUPPRESS if option.hidden else words,
    )


def _place(option: "Option") -> str:
    return option.flag.replace("-", "_")


class _Help(argparse.RawDescriptionHelpFormatter):
    """Help of one width everywhere: what is in the golden files is what people see."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=_WIDTH, max_help_position=8)
