"""``coder server`` when something has to be mended: the built-in database, a new owner."""

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING

from coder_cli import config
from coder_cli.commands.boot import BootParser
from coder_cli.commands.server_flags import load
from coder_cli.kit import names
from coder_cli.kit.environ import environ
from coder_cli.ui.printer import note, result
from coder_cli.ui.prompts import Asker

if TYPE_CHECKING:
    from server.settings import Settings


def builtin_url(argv: list[str]) -> int:
    """Print how to reach the built-in PostgreSQL."""
    found = _parse_builtin(
        "postgres-builtin-url", "Print how to reach the built-in PostgreSQL.", argv
    )
    from server.cli import builtin_url as url

    result(_shown(url(settings_of(found)), raw=found.raw_url))
    return 0


def builtin_serve(argv: list[str]) -> int:
    """Run only the built-in PostgreSQL."""
    found = _parse_builtin(
        "postgres-builtin-serve", "Run only the built-in PostgreSQL, until ctrl+c.", argv
    )
    from server.cli import serve_builtin

    serve_builtin(settings_of(found), lambda url: result(_shown(url, raw=found.raw_url)))
    return 0


def create_admin_user(argv: list[str]) -> int:
    """Create an owner straight in the database."""
    parser = BootParser(
        "server create-admin-user",
        "Create an owner who belongs to every organization, straight in the database.",
    )
    add_database(parser)
    for flag, shown in (("username", "name"), ("email", "address"), ("password", "password")):
        parser.add_argument(
            f"--{flag}",
            default=environ().get(f"CODER_{flag.upper()}", ""),
            metavar=f"<{shown}>",
            help=f"The owner's {flag} ($CODER_{flag.upper()}); asked for when it is not given",
        )
    parser.add_argument(
        "--ssh-keygen-algorithm",
        choices=["ed25519", "ecdsa", "rsa4096"],
        default="",
        help="The kind of SSH key to make ($CODER_SSH_KEYGEN_ALGORITHM)",
    )
    found = parser.parse_args(argv, argparse.Namespace())
    settings = settings_of(found)
    asker = Asker(config.current().on("force-tty"))
    from server.cli import NewAdmin, create_admin

    made = create_admin(
        settings,
        NewAdmin(
            username=asker.text(
                "Username?", flag="--username", given=found.username, check=names.check_name
            ),
            email=asker.text("Email?", flag="--email", given=found.email, check=names.check_email),
            password=found.password or ask_password("--password"),
        ),
    )
    note("User created successfully.")
    result(f"ID:       {made.id}\nUsername: {made.username}\nEmail:    {made.email}")
    return 0


COMMANDS: dict[str, Callable[[list[str]], int]] = {
    "create-admin-user": create_admin_user,
    "postgres-builtin-serve": builtin_serve,
    "postgres-builtin-url": builtin_url,
}
"""Sub-commands of ``coder server``."""


def add_database(parser: BootParser) -> None:
    """Add the flags that say which database is meant."""
    parser.add_argument(
        "--postgres-url",
        default="",
        metavar="<url>",
        help="URL of the database ($CODER_PG_CONNECTION_URL); empty is the built-in PostgreSQL",
    )
    parser.add_argument(
        "--postgres-connection-auth",
        choices=["password"],
        default="password",
        help="How to log in to it ($CODER_PG_CONNECTION_AUTH)",
    )


def settings_of(found: argparse.Namespace) -> "Settings":
    """Return the server's settings, with the database that was named."""
    flags = {
        flag: [value]
        for flag in ("postgres-url", "ssh-keygen-algorithm")
        if (value := getattr(found, flag.replace("-", "_"), ""))
    }
    return load(flags, "", config.current().config_dir)


def ask_password(flag: str) -> str:
    """Ask for a new password until it was typed twice alike.

    Raises:
        Refused: nobody can be asked.
    """
    asker = Asker(config.current().on("force-tty"))
    while True:
        first = asker.secret("Password?", flag=flag)
        if first == asker.secret("The same password again?", flag=flag):
            return first
        note("  The passwords differ; once more.")


def _parse_builtin(name: str, description: str, argv: list[str]) -> argparse.Namespace:
    parser = BootParser(f"server {name}", description)
    parser.add_argument("--raw-url", action="store_true", help="Print only the URL")
    return parser.parse_args(argv, argparse.Namespace())


def _shown(url: str, *, raw: bool) -> str:
    return url if raw else f'psql "{url}"'
