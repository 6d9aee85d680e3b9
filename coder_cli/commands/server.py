"""``coder server``: flags to settings, then start; and its rescue commands."""

import sys
from typing import TYPE_CHECKING

from coder_cli import config
from coder_cli.commands import server_admin
from coder_cli.commands.server_flags import parse
from coder_cli.ui.printer import close_quietly, result, styled

if TYPE_CHECKING:
    from server.settings import Settings


def main(argv: list[str]) -> int:
    """Run ``coder server`` or one of its sub-commands."""
    if argv and argv[0] in server_admin.COMMANDS:
        return server_admin.COMMANDS[argv[0]](argv[1:])
    if argv and argv[0] == "dbcrypt":
        from coder_cli.commands.server_dbcrypt import dbcrypt

        return dbcrypt(argv[1:])
    parsed = parse(argv)
    config.use(parsed.globals)
    settings = parsed.load()
    if parsed.write_config:
        from server.settings import write_yaml

        result(write_yaml(settings).rstrip())
        return 0
    if parsed.debug_options:
        from server.settings import describe

        result("\n".join(describe(settings)))
        return 0
    return _serve(settings)


def _serve(settings: "Settings") -> int:
    from server.cli import Voice, serve

    ready = None
    if settings.server.quickstart:
        from coder_cli.commands import quickstart

        ready = quickstart.run
    return serve(settings, Voice(say=_say, warn=_warn, ready=ready))


def _say(text: str) -> None:
    """Print a line; whoever read us may be gone, and the server goes on without them."""
    try:
        result(text)
    except BrokenPipeError:
        close_quietly()


def _warn(text: str) -> None:
    _say(f"{styled('Warning:', 'yellow', sys.stdout)} {text}")
