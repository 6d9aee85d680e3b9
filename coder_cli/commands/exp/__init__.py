"""``coder exp``: commands whose words may still change, in groups of their own."""

import sys
from importlib import import_module

from coder_cli.kit.refused import Refused

GROUPS = {
    "chat": ("coder_cli.commands.exp.chat", "Tell the agent's chat of this workspace about files"),
    "scaletest": ("coder_cli.commands.exp.scaletest", "Put a deployment under load"),
    "sync": ("coder_cli.commands.exp.sync", "Let the scripts of a workspace wait for one another"),
}
"""Name, module with ``main(argv)`` and ``COMMANDS``, one line of help."""
HELP = frozenset({"-h", "--help", "help"})


def main(argv: list[str]) -> int:
    """Run the group that the first word names.

    Raises:
        Refused: there is no such group.
    """
    if not argv or argv[0] in HELP:
        lines = {name: line for name, (_, line) in GROUPS.items()}
        return show_help("exp", "Commands whose words may still change.", lines)
    if argv[0] not in GROUPS:
        raise Refused(f'There is no command "exp {argv[0]}". Choose from: {", ".join(GROUPS)}.')
    code: int = import_module(GROUPS[argv[0]][0]).main(argv[1:])
    return code


def path(argv: list[str]) -> list[str]:
    """Return which command the words mean, as far as they name one."""
    if not argv or argv[0] not in GROUPS:
        return []
    commands = import_module(GROUPS[argv[0]][0]).COMMANDS
    known = [words for words in (argv[1:3], argv[1:2]) if " ".join(words) in commands]
    return [argv[0], *(known[0] if known else [])]


def paths() -> list[tuple[str, ...]]:
    """Return every group and command, for whoever lists them all."""
    found: list[tuple[str, ...]] = []
    for name, (module, _) in GROUPS.items():
        found += [(name,), *((name, *one.split()) for one in import_module(module).COMMANDS)]
    return found


def show_help(path: str, description: str, lines: dict[str, str]) -> int:
    """Print the help of a group."""
    text = [description, "", f"Usage: coder [global flags] {path} <command>", "", "Commands:"]
    wide = max(12, *(len(name) + 2 for name in lines))
    text += [f"  {name:<{wide}}{line}" for name, line in lines.items()]
    text += ["", f'Learn more about a command: "coder {path} <command> --help"']
    sys.stdout.write("\n".join(text) + "\n")
    return 0
