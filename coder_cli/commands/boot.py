"""The parser of boot commands: argparse, with this product's words for what is wrong."""

import argparse
import os
import sys
from typing import TYPE_CHECKING, NoReturn

from coder_cli.kit.environ import environ
from coder_cli.kit.refused import Refused

if TYPE_CHECKING:
    from typing_extensions import override
else:
    # What the module does beside it costs 10 ms of CPU, at every start of a boot command.
    def override(method):
        return method


class _Formatter(argparse.HelpFormatter):
    """argparse's own, which imports shutil and all its compressors only to learn the width."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=_columns() - 2)


class BootParser(argparse.ArgumentParser):
    """Parse the words of ``coder <name>``; a wrong word is a `Refused`, not an exit."""

    def __init__(self, name: str, description: str, *, usage: str | None = None) -> None:
        super().__init__(
            prog=f"coder {name}",
            description=description,
            usage=usage,
            allow_abbrev=False,
            formatter_class=_Formatter,
            epilog="Global flags stand before the command; coder --help lists them.",
        )

    @override
    def error(self, message: str) -> NoReturn:
        """Refuse the words."""
        # argparse counts "everything that follows" among what is required; none is enough.
        for action in self._actions:
            if action.nargs == argparse.REMAINDER:
                message = message.removesuffix(f", {action.dest}")
        raise Refused(f"{message[:1].upper()}{message[1:]}.")


def _columns() -> int:
    try:
        return int(environ()["COLUMNS"])
    except (KeyError, ValueError):
        pass
    try:
        return os.get_terminal_size(sys.__stdout__.fileno()).columns if sys.__stdout__ else 80
    except (OSError, ValueError):
        return 80
