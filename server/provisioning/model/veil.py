"""What a job must not say: its secrets, in every form in which a log may quote them. Pure.

Terraform hides what a template marks as sensitive, but not in what it repeats of a command that
failed, and providers and scripts say what they like.
"""

import json
import re
from collections.abc import Iterable, Iterator
from itertools import chain, islice

HIDDEN = "(sensitive value)"
"""In terraform's own words."""

SHORTEST = 6
"""Anything shorter is found in words that nobody wants to hide."""

MOST = 400
"""How many texts are looked for; each costs time on every line."""

MOST_OF_ONE = 100
"""So many of them may come from one secret, that a long one leaves room for others."""

_PIECE = 512
"""A longer text is looked for in pieces: what is compiled stays small."""

_GO = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"}


class Veil:
    """Knows the secrets of one run, and covers them."""

    def __init__(self) -> None:
        self._texts: dict[str, None] = {}
        self._pattern: re.Pattern[str] | None = None

    def hide(self, secrets: Iterable[str]) -> None:
        """Cover these from now on. Those that come first count, should there be too many."""
        before = len(self._texts)
        for text in chain.from_iterable(islice(_forms(one), MOST_OF_ONE) for one in secrets):
            if len(self._texts) >= MOST:
                break
            self._texts[text] = None
        if len(self._texts) > before:
            self._pattern = None

    def over(self, text: str) -> str:
        """Return a text with every secret covered."""
        if not self._texts:
            return text
        if self._pattern is None:
            # Of two that begin at one place, the longer one: the shorter leaves its end to be read.
            longest_first = sorted(self._texts, key=len, reverse=True)
            self._pattern = re.compile(f"(?:{'|'.join(map(re.escape, longest_first))})+")
        return self._pattern.sub(HIDDEN, text)


def _forms(secret: str) -> Iterator[str]:
    """Return all that is to be looked for, each once."""
    # A log is taken line by line.
    for text in dict.fromkeys((secret, *(line.strip() for line in secret.splitlines()))):
        if len(text.strip()) < SHORTEST:
            continue
        for form in dict.fromkeys(_written(text)):
            for at in range(0, len(form), _PIECE):
                if len(piece := form[at : at + _PIECE]) >= SHORTEST:
                    yield piece


def _written(text: str) -> Iterator[str]:
    """Return a text as it is, and as JSON and HCL write it between quotes."""
    yield text
    for quoted in (json.dumps(text, ensure_ascii=False)[1:-1], json.dumps(text)[1:-1]):
        yield quoted
        yield "".join(_GO.get(character, character) for character in quoted)
        yield quoted.replace("${", "$${").replace("%{", "%%{")
