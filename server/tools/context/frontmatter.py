"""The head of a SKILL.md: a little YAML that somebody else wrote. Pure."""

import re
from typing import Final, cast

import yaml
from typing_extensions import override

NAME: Final = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
LONGEST_NAME: Final = 64
LONGEST_HEAD: Final = 8 * 1024
LONGEST_DESCRIPTION: Final = 1024
_HEAD: Final = re.compile(
    r"\A\ufeff?---[ \t]*\r?\n(.*?)^---[ \t]*(?:\r?\n|\Z)", re.DOTALL | re.MULTILINE
)


class _Plain(yaml.SafeLoader):
    """YAML without aliases: few of them can stand for a gigabyte."""

    @override
    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("aliases are not read")
        return super().compose_node(parent, index)


def skill_name(name: str) -> bool:
    """Tell whether a skill may be called so."""
    return len(name) <= LONGEST_NAME and NAME.fullmatch(name) is not None


def read_head(text: str) -> tuple[str, str, str] | None:
    """Return name, description and body of a SKILL.md, or None if its head cannot be read."""
    head = _HEAD.match(text)
    if head is None or len(head[1]) > LONGEST_HEAD:
        return None
    try:
        fields = cast("object", yaml.load(head[1], _Plain))  # noqa: S506 — a SafeLoader.
    except (yaml.YAMLError, RecursionError, ValueError, OverflowError):
        return None
    if not isinstance(fields, dict):
        return None
    pairs = cast("dict[object, object]", fields)
    name, description = pairs.get("name"), pairs.get("description", "")
    if not isinstance(name, str) or not isinstance(description, str | None):
        return None
    return (
        name,
        one_line(description or "")[:LONGEST_DESCRIPTION],
        text[head.end() :].lstrip("\r\n"),
    )


def one_line(text: str) -> str:
    """Return a text without line breaks and characters that show nothing."""
    return "".join(char for char in " ".join(text.split()) if char.isprintable())
