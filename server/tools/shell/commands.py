"""What can be told of a command without running it. Pure.

Source: reference, chats, section 4.2.
"""

import shlex
from datetime import timedelta
from typing import Final

from coder_cli.kit.durations import parse_duration

LONGEST_TIMEOUT: Final = timedelta(hours=4)
MOST_COMMANDS: Final = 32
MOST_WORDS: Final = 64
_PARSED: Final = 64 * 1024
_PUNCTUATION: Final = frozenset("();<>|&\n")

DUMP_NOTE: Final = (
    "Consider using the read_file tool instead: it numbers lines and reads only a part of a file."
)


def timeout_seconds(text: str) -> float:
    """Return how long to wait, in seconds.

    Raises:
        ValueError: it is no duration, or none that can be waited for.
    """
    wanted = parse_duration(text)
    if wanted <= timedelta(0):
        raise ValueError("timeout must be positive")
    return min(wanted, LONGEST_TIMEOUT).total_seconds()


def promoted(command: str) -> tuple[str, bool]:
    r"""Return the command without a trailing ``&``, and whether it had one.

    ``&&`` and ``|&`` expect another command, ``>&`` a place, and ``\\&`` is a word.
    """
    text = command.rstrip()
    if not text.endswith("&") or text[-2:-1] in {"&", "|", ">", "<", "\\"}:
        return command, False
    return text[:-1].rstrip(), True


def parsed_commands(command: str) -> tuple[tuple[str, ...], ...]:
    """Return the simple commands of a line, each as program and words; none if it is not plain.

    For people who look at a tool call: nothing is decided by it.
    """
    if len(command) > _PARSED:
        return ()
    lexer = shlex.shlex(command, posix=True, punctuation_chars=";|&()<>\n")
    lexer.whitespace = " \t\r"
    lexer.commenters = "#"
    commands: list[tuple[str, ...]] = []
    words: list[str] = []
    skip = False
    try:
        for token in lexer:
            if not token or not _PUNCTUATION.issuperset(token):
                if not skip:
                    words.append(token)
                skip = False
                continue
            skip = "<" in token or ">" in token
            if not skip and words:
                commands.append(tuple(words[:MOST_WORDS]))
                words = []
    except ValueError:
        return ()
    if words:
        commands.append(tuple(words[:MOST_WORDS]))
    return tuple(commands[:MOST_COMMANDS])


def note_on(command: str) -> str:
    """Return advice for a command that only prints a file, else nothing."""
    if any(mark in command for mark in "|>;&\n`$"):
        return ""
    commands = parsed_commands(command)
    if len(commands) != 1:
        return ""
    program, *words = commands[0]
    operands = [word for word in words if not word.startswith("-")]
    name = program.rpartition("/")[2]
    if name == "cat" and operands:
        return DUMP_NOTE
    if name in {"rg", "grep"} and operands and operands[0] in {"", ".", "^", "$", ".*"}:
        return DUMP_NOTE
    return ""
