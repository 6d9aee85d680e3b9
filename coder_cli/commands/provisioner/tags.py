"""Tags as people write and read them."""

from collections.abc import Iterable, Mapping

from coder_cli.kit.refused import Refused


def parse_tags(words: Iterable[str]) -> dict[str, str]:
    """Return the tags of ``--tag``, which may be repeated and hold several by comma.

    Raises:
        Refused: one is not ``key=value``.
    """
    tags: dict[str, str] = {}
    for word in (part.strip() for one in words for part in one.split(",")):
        key, equals, value = word.partition("=")
        if not word:
            continue
        if not equals or not key:
            raise Refused(f"{word!r} is not a tag; write --tag <key>=<value>.")
        tags[key] = value
    return tags


def show_tags(tags: Mapping[str, str]) -> str:
    """Return tags on one line; those that everybody has are left out."""
    shown = (
        f"{key}={value}"
        for key, value in sorted(tags.items())
        if (key, value) not in {("scope", "organization"), ("owner", "")}
    )
    return " ".join(shown) or "untagged"
