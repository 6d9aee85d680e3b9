"""Text that people put into prompts, without what cannot be seen in it.

Invisible characters can carry orders that no reviewer of a prompt would notice, so they go, except
where writing needs them: joiners between letters of scripts that use them.
"""

import re

_LINE_ENDS = re.compile(r"\r\n?|[\u0085\u2028\u2029]")
_INVISIBLE = re.compile(
    "["
    "\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f"  # controls but tab and newline
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f"  # fillers and soft hyphens
    "\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\u3164\ufeff\uffa0"  # zero width, directions
    "\ufff9-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"  # annotations, notation controls
    "\ud800-\udfff"  # halves of pairs
    "\U000e0000-\U000e0fff"  # tags, and selectors that can spell any byte
    "]"
)
_JOINERS = re.compile("[\u200c\u200d]+")
_SPACE_BEFORE_END = re.compile(r"[ \t]+(?=\n|\Z)")
_MANY_BLANK_LINES = re.compile(r"\n{3,}")


def clean(text: str) -> str:
    """Return a prompt with plain newlines, without invisible characters and idle white space."""
    text = _INVISIBLE.sub("", _LINE_ENDS.sub("\n", text))
    text = _JOINERS.sub(_joined, text)
    text = _MANY_BLANK_LINES.sub("\n\n", _SPACE_BEFORE_END.sub("", text))
    return text.strip("\n")


def _joined(found: re.Match[str]) -> str:
    """Keep one joiner between two characters beyond ASCII, as scripts and emoji have it."""
    text = found.string
    before = text[found.start() - 1] if found.start() else " "
    after = text[found.end()] if found.end() < len(text) else " "
    return found[0][0] if before > "\u007f" < after and not before.isspace() else ""
