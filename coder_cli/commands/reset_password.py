"""``coder reset-password``: a new password straight in the database, for who is locked out."""

import argparse

from coder_cli.commands.boot import BootParser
from coder_cli.commands.server_admin import add_database, ask_password, settings_of
from coder_cli.ui.printer import note


def main(argv: list[str]) -> int:
    """Set a user's password straight in the database."""
    parser = BootParser(
        "reset-password",
        "Set a user's password straight in the database, on the server's own machine. "
        "Their sessions end.",
    )
    parser.add_argument("username", help="Whose password is set")
    add_database(parser)
    found = parser.parse_args(argv, argparse.Namespace())
    settings = settings_of(found)
    password = ask_password("--force-tty before the command to read it, twice, from standard input")
    from server.cli import reset_password

    reset_password(settings, found.username, password)
    note(f"The password of {found.username} has been set.")
    return 0
