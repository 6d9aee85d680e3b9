"""``coder version`` and ``coder --version``: no network, no Typer, answered at once."""

import argparse

from coder_cli.commands.boot import BootParser
from coder_cli.kit.build import version


def main(argv: list[str]) -> int:
    """Print the version."""
    parser = BootParser("version", "Show the version.")
    parser.add_argument(
        "-o", "--output", choices=["text", "json"], default="text", help="text or json"
    )
    options = parser.parse_args(argv, argparse.Namespace())
    if options.output == "json":
        import json

        shown = {"version": version(), "build_time": "", "external_url": "", "slim": False}
        text = json.dumps(shown | {"agpl": False, "boring_crypto": False}, indent=2)
    else:
        text = f"Coder {version()}"
    parser.write(text)
    return 0
