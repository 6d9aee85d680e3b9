"""``coder exp chat context``: in a workspace, tell its chat about instructions and skills.

Run by the agent of a chat, or by scripts beside it, with the workspace's own token: standard
library only, until something is found. Source: reference, chats, sections 1.16 and 6.2.
"""

import re
import sys
from argparse import Namespace
from pathlib import Path
from typing import Any, cast
from uuid import UUID

from coder_cli.commands.boot import BootParser
from coder_cli.commands.exp import HELP, show_help
from coder_cli.kit.environ import environ
from coder_cli.kit.refused import Refused

CHAT_ID = "CODER_CHAT_ID"
FILES = ("AGENTS.md", "CLAUDE.md", ".cursorrules")
SKILLS = ("skills", ".agents/skills", ".claude/skills", ".codex/skills")
META = "SKILL.md"
LARGEST_FILE = 64 * 1024
LARGEST_ALL = 2 * 1024 * 1024
MOST = 500
API = "/workspaceagents/me/experimental/chat-context"
COMMANDS = {
    "context": "Instructions and skills that a chat knows",
    "context add": "Add the instructions and skills of a directory to the chat",
    "context clear": "Remove what was added, and what was found in workspaces",
}
_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_HEAD = re.compile(r"\A\ufeff?---[ \t]*\r?\n(.*?)^---[ \t]*(?:\r?\n|\Z)", re.DOTALL | re.MULTILINE)

Json = dict[str, Any]


def main(argv: list[str]) -> int:
    """Add to the chat of this workspace, or take back.

    Raises:
        Refused: the words are wrong, or there is nothing to add.
        SdkError: the server does not answer, or refuses.
    """
    if not argv or argv[0] in HELP:
        about = "Tell the agent's chat of this workspace about files."
        return show_help("exp chat", about, {"context": COMMANDS["context"]})
    if argv[0] != "context":
        raise Refused(f'There is no command "exp chat {argv[0]}". Choose from: context.')
    if len(argv) < 2 or argv[1] in HELP:
        lines = {name: COMMANDS[f"context {name}"] for name in ("add", "clear")}
        return show_help("exp chat context", f"{COMMANDS['context']}.", lines)
    if f"context {argv[1]}" not in COMMANDS:
        raise Refused(f'There is no command "exp chat context {argv[1]}". Choose from: add, clear.')
    options = _parser(argv[1]).parse_args(argv[2:])
    chat_id = _chat_id(options)
    if argv[1] == "add":
        _add(chat_id, Path(options.dir))
    else:
        _clear(chat_id)
    return 0


def _parser(name: str) -> BootParser:
    usage = f"coder [global flags] exp chat context {name} [flags]"
    words = COMMANDS[f"context {name}"]
    parser = BootParser(f"exp chat context {name}", f"{words}.", usage=usage)
    if name == "add":
        parser.add_argument(
            "--dir", default=".", metavar="DIR", help="Where to look (the working directory)"
        )
    parser.add_argument("--chat", metavar="ID", help=f"The chat [${CHAT_ID}]")
    return parser


def _chat_id(options: Namespace) -> str:
    text = options.chat or environ().get(CHAT_ID, "")
    if not text:
        raise Refused(f"Which chat? Pass --chat, or set {CHAT_ID}: agents of chats have it.")
    try:
        return str(UUID(text))
    except ValueError:
        raise Refused(f"{text!r} is not the id of a chat.") from None


def _add(chat_id: str, directory: Path) -> None:
    try:
        root = directory.resolve(strict=True)
    except OSError as error:
        raise Refused(f"--dir {directory}: {error.strerror}.") from error
    parts = found_in(root)
    if not parts:
        raise Refused(
            f"There is nothing to add in {root}: no {', '.join(FILES)}, and no skills in"
            f" {', '.join(SKILLS)}."
        )
    from coder_cli.sdk.agentidentity import agent_client

    agent_client(environ()).post(API, {"chat_id": chat_id, "parts": parts})
    files = sum(part["type"] == "context-file" for part in parts)
    sys.stdout.write(f"Added {files} files and {len(parts) - files} skills to chat {chat_id}.\n")


def _clear(chat_id: str) -> None:
    from coder_cli.sdk.agentidentity import agent_client

    agent_client(environ()).delete(API, {"chat_id": chat_id})
    sys.stdout.write(f"Chat {chat_id} has forgotten what it was told of workspaces.\n")


def found_in(root: Path) -> list[Json]:
    """Return the instruction files and skills of a directory, as parts of a message.

    A link that leads out of the directory is not followed: it would tell the model what somebody
    else chose.

    Raises:
        Refused: there is more than a chat takes.
    """
    parts: list[Json] = []
    for name in FILES:
        text = _read(root, root / name)
        if text is not None and text[0].strip():
            parts.append(
                {
                    "type": "context-file",
                    "context_file_path": str(root / name),
                    "context_file_content": text[0],
                    "context_file_truncated": text[1],
                    "context_file_os": sys.platform,
                    "context_file_directory": str(root),
                }
            )
    for place in SKILLS:
        parts += _skills(root, root / place)
    if len(parts) > MOST or sum(len(str(part)) for part in parts) > LARGEST_ALL:
        raise Refused(f"There is more in {root} than a chat takes: {len(parts)} files and skills.")
    return parts


def _skills(root: Path, place: Path) -> list[Json]:
    if not place.is_dir():
        return []
    return [
        part
        for directory in sorted(place.iterdir())
        if _NAME.fullmatch(directory.name) and (part := _skill(root, directory)) is not None
    ]


def _skill(root: Path, directory: Path) -> Json | None:
    text = _read(root, directory / META)
    if text is None or text[1]:
        return None
    head = _HEAD.match(text[0])
    told = _fields(head[1]) if head else {}
    if told.get("name") != directory.name:
        return None
    return {
        "type": "skill",
        "skill_name": directory.name,
        "skill_description": " ".join(str(told.get("description") or "").split()),
        "skill_dir": str(directory),
        "context_file_skill_meta_file": str(directory / META),
    }


def _fields(head: str) -> Json:
    import yaml

    try:
        read = yaml.safe_load(head)
    except (yaml.YAMLError, RecursionError):
        return {}
    return cast("Json", read) if isinstance(read, dict) else {}


def _read(root: Path, path: Path) -> tuple[str, bool] | None:
    """Return a file's text, and whether it was cut; None where there is none to be read."""
    try:
        if not path.resolve(strict=True).is_relative_to(root) or not path.is_file():
            return None
        with path.open("rb") as file:
            content = file.read(LARGEST_FILE + 1)
    except OSError:
        return None
    return content[:LARGEST_FILE].decode(errors="ignore"), len(content) > LARGEST_FILE
