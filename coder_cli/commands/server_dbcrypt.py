"""``coder server dbcrypt``: other keys for the secrets of other services in the database."""

import argparse
from collections.abc import Callable

from coder_cli import config
from coder_cli.commands.boot import BootParser
from coder_cli.commands.server_admin import add_database, settings_of
from coder_cli.kit.environ import environ
from coder_cli.kit.refused import Refused
from coder_cli.ui.printer import note
from coder_cli.ui.prompts import Asker

_ABOUT = """\
Secrets of other services (keys of model providers, tokens of linked accounts) are sealed in the
database. These commands change with which key; all of it happens at once, or nothing does."""
_NEW = "CODER_EXTERNAL_TOKEN_ENCRYPTION_ENCRYPT_NEW_KEY"
_OLD = "CODER_EXTERNAL_TOKEN_ENCRYPTION_ENCRYPT_OLD_KEYS"
_KEYS = "CODER_EXTERNAL_TOKEN_ENCRYPTION_DECRYPT_KEYS"


def dbcrypt(argv: list[str]) -> int:
    """Seal secrets with another key, or forget them."""
    if argv and argv[0] in _COMMANDS:
        return _COMMANDS[argv[0]](argv[1:])
    parser = BootParser("server dbcrypt", _ABOUT)
    parser.add_argument("command", choices=sorted(_COMMANDS), help="What to do")
    parser.parse_args(argv)
    raise Refused(f"Say what to do: {', '.join(sorted(_COMMANDS))}.")


def _rotate(argv: list[str]) -> int:
    parser = _parser(
        "rotate",
        "Seal every secret with a new key. Start every server with both keys first, the new one "
        "in front; afterwards with the new one alone.",
    )
    _add_key(parser, "--new-key", _NEW, "The key to seal with: 32 bytes in base64")
    _add_key(parser, "--old-keys", _OLD, "The keys used until now, separated by commas")
    found = parser.parse_args(argv, argparse.Namespace())
    new, old = _read("--new-key", found.new_key, _NEW), _read("--old-keys", found.old_keys, _OLD)
    if len(new) != 1:
        raise Refused(f"--new-key: give one key, here or in ${_NEW}; openssl rand -base64 32")
    _confirm(found, "Seal every secret with the new key?")
    from server.cli import rotate_keys

    count = rotate_keys(settings_of(found), new, old)
    note(f"{_secrets(count)} sealed with the new key.")
    return 0


def _decrypt(argv: list[str]) -> int:
    parser = _parser(
        "decrypt",
        "Seal every secret with the key that is kept in the same database, so that servers need "
        "no key any more. A copy of the database then has everything in it.",
    )
    _add_key(parser, "--keys", _KEYS, "The keys used until now, separated by commas")
    found = parser.parse_args(argv, argparse.Namespace())
    keys = _read("--keys", found.keys, _KEYS)
    _confirm(found, "Make every secret readable to whoever has the whole database?")
    from server.cli import rotate_keys

    count = rotate_keys(settings_of(found), (), keys)
    note(f"{_secrets(count)} sealed with the deployment's own key.")
    return 0


def _delete(argv: list[str]) -> int:
    parser = _parser(
        "delete",
        "Forget every secret: keys of model providers, and linked accounts. For when a key is "
        "lost; nothing opens without it.",
    )
    found = parser.parse_args(argv, argparse.Namespace())
    _confirm(found, "Forget every key of model providers and every linked account?")
    from server.cli import delete_secrets

    count = delete_secrets(settings_of(found))
    note(f"{_secrets(count)} forgotten.")
    return 0


_COMMANDS: dict[str, Callable[[list[str]], int]] = {
    "decrypt": _decrypt,
    "delete": _delete,
    "rotate": _rotate,
}


def _parser(name: str, description: str) -> BootParser:
    parser = BootParser(f"server dbcrypt {name}", description)
    add_database(parser)
    parser.add_argument("-y", "--yes", action="store_true", help="Do not ask")
    return parser


def _add_key(parser: BootParser, flag: str, variable: str, words: str) -> None:
    # Not as the default: --help shows those, and a flag stands in the list of processes.
    parser.add_argument(flag, default="", metavar="<key>", help=f"{words}; better in ${variable}")


def _read(flag: str, typed: str, variable: str) -> tuple[bytes, ...]:
    from server.settings import read_keys

    try:
        return read_keys([typed or environ().get(variable, "")])
    except ValueError as wrong:
        raise Refused(f"{flag}: {wrong}") from None


def _confirm(found: argparse.Namespace, question: str) -> None:
    Asker(config.current().on("force-tty")).confirm(question, yes=found.yes)


def _secrets(count: int) -> str:
    return "1 secret is" if count == 1 else f"{count} secrets are"
