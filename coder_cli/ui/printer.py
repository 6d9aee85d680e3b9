"""The one mouth of every command: results on stdout, everything else on stderr."""

import json
import os
import re
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, TextIO, cast

from coder_cli.kit.environ import environ

if TYPE_CHECKING:
    from pydantic import BaseModel

_ACTING = re.compile(
    r"(\x1b\[[0-9;]{0,40}m|\r\n)|[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]"
)
"""What a terminal acts on; the first group is what may: colours, and ends of lines."""

_PLAIN = "\x1b[0m"

_STYLES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "cyan": "36"}


def colored(stream: TextIO) -> bool:
    """Say whether ``stream`` should carry colours (https://no-color.org)."""
    env = environ()
    return stream.isatty() and not env.get("NO_COLOR") and env.get("TERM") != "dumb"


def styled(text: str, style: str, stream: TextIO | None = None) -> str:
    """Return ``text`` in a style, or as it is where ``stream`` (stderr) takes no colours."""
    return f"\x1b[{_STYLES[style]}m{text}\x1b[0m" if colored(stream or sys.stderr) else text


def harmless(text: str) -> str:
    """Return ``text`` with everything escaped that a terminal would act on, but for colours.

    Logs, names and reasons come from templates, workspaces and other people: none of them moves
    the cursor, sets a title or fills a clipboard, and what one colours, or conceals, ends with it.
    JSON stays the JSON it was.
    """
    shown = _ACTING.sub(lambda found: found[1] or f"\\u{ord(found[0]):04x}", text)
    last = shown.rfind("\x1b[")
    if last < 0 or shown.startswith((_PLAIN, "\x1b[m"), last):
        return shown
    said = shown.rstrip("\r\n")
    return f"{said}{_PLAIN}{shown[len(said) :]}"


def result(text: str) -> None:
    """Print what was asked for."""
    print(harmless(text), flush=True)


def result_bytes(content: bytes) -> None:
    """Write what was asked for, byte for byte."""
    sys.stdout.flush()
    sys.stdout.buffer.write(content)
    sys.stdout.buffer.flush()


def note(text: str = "") -> None:
    """Tell the person something; never part of the result."""
    print(harmless(text), file=sys.stderr, flush=True)


def warn(text: str) -> None:
    """Tell the person about something that may hurt later."""
    note(f"{styled('warning:', 'yellow')} {text}")


def result_json(value: "BaseModel | Sequence[BaseModel] | object") -> None:
    """Print a shape, a list of shapes or plain data, as the API spells it."""
    result(json.dumps(_plain(value), indent=2, ensure_ascii=False))


def close_quietly() -> None:
    """Leave a pipe whose reader went away, without Python's last words about it."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _plain(value: object) -> object:
    from pydantic import BaseModel

    match value:
        case BaseModel():
            return value.model_dump(mode="json")
        case list() | tuple():
            return [_plain(item) for item in cast("Sequence[object]", value)]
        case _:
            return value
