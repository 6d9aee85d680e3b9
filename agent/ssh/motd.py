"""What a person reads when they log in: announcements first, then the message of the day."""

from collections.abc import Sequence
from pathlib import Path

from coder_cli.sdk.agentapi import Banner

_LARGEST = 256 * 1024


def login_messages(home: str, motd_path: str, banners: Sequence[Banner]) -> bytes:
    """Return the messages as a terminal wants them; nothing if ``~/.hushlogin`` exists."""
    if Path(home, ".hushlogin").exists():
        return b""
    texts = [each.message for each in banners if each.enabled and each.message]
    if motd_path:
        texts.append(_read(Path(motd_path)))
    lines = [line for text in texts for line in text.rstrip("\n").split("\n") if text]
    return "".join(f"{line.removesuffix(chr(13))}\r\n" for line in lines).encode()


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(_LARGEST).decode(errors="replace")
    except OSError:  # A message that is missing is no reason to keep somebody out.
        return ""
