"""The parser of boot commands: argparse, with this product's words for what is wrong."""

import argparse
from typing import NoReturn

from typing_extensions import override

from coder_cli.kit.refused import Refused


class BootParser(argparse.ArgumentParser):
    """Parse the words of ``coder <name>``; a wrong word is a `Refused`, not an exit."""

    def __init__(self, name: str, description: str, *, usage: str | None = None) -> None:
        super().__init__(
            prog=f"coder {name}",
            description=description,
            usage=usage,
            allow_abbrev=False,
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
