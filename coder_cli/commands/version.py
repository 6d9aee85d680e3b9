"""``coder version`` and ``coder --version``: no network, no Typer, answered at once."""

import sys

from coder_cli.kit.build import version


def main(argv: list[str]) -> int:
    """Print the version."""
    wanted = _output(argv) if argv else "text"
    if wanted == "json":
        import json

        shown = {"version": version(), "build_time": "", "external_url": "", "slim": False}
        text = json.dumps(shown | {"agpl": False, "boring_crypto": False}, indent=2)
    else:
        text = f"Coder {version()}"
    sys.stdout.write(f"{text}\n")
    return 0


def _output(argv: list[str]) -> str:
    # Late: installers and editors ask for the bare version, and argparse is a third of its price.
    from coder_cli.commands.boot import BootParser

    parser = BootParser("version", "Show the version.")
    parser.add_argument("-o", "--output", choices=["text", "json"], default="text", help="The form")
    return str(parser.parse_args(argv).output)
