"""Read the outline of HCL: blocks, their labels, and the text of their arguments.

Terraform itself judges and evaluates templates. This reader only finds what it does not tell:
which variables a template has before they have values, and whether it names a backend.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

_IDENTIFIER = re.compile(r"[^\W\d][\w-]*")
_HEREDOC = re.compile(r"<<(-?)([^\W\d][\w-]*)[ \t]*\r?\n")
_NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\"}
_SPACE = " \t\v\f\r\x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(
    map(chr, range(0x2000, 0x200B))
)
"""What terraform takes for blank beside the end of a heredoc."""
_CLOSES = {"{": "}", "[": "]", "(": ")"}


class NotHcl(ValueError):
    """The text is not HCL, or not as plain as was hoped for."""


@dataclass(frozen=True, slots=True)
class Block:
    """A block: ``kind "label" { … }``."""

    kind: str
    labels: tuple[str, ...]
    arguments: Mapping[str, str]
    """Name → the expression's text."""
    blocks: "tuple[Block, ...]"


def blocks(text: str) -> Block:
    """Return a file's content as a block without a kind.

    Raises:
        NotHcl: the file cannot be read.
    """
    reader = _Reader(text.removeprefix("\ufeff"))
    return reader.body("", (), end="")


def literal(text: str) -> object:
    """Return the value of an expression that is a constant.

    Raises:
        NotHcl: it is more than that.
    """
    reader = _Reader(text)
    value = reader.value()
    reader.blank()
    if reader.at < len(text):
        raise NotHcl(f"not a constant: {text[:60]!r}")
    return value


def heredoc_end(text: str, at: int, marker: str) -> int | None:
    """Return where a heredoc ends if the line that begins at ``at`` is its last, or None."""
    found = text.find("\n", at)
    end = len(text) if found < 0 else found
    return end if text[at:end].strip(_SPACE) == marker else None


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    # ------------------------------------------------------------ outline

    def body(self, kind: str, labels: tuple[str, ...], *, end: str) -> Block:
        arguments: dict[str, str] = {}
        inner: list[Block] = []
        while True:
            self.blank()
            if self.at >= len(self.text) or self._peek() == "}":
                if (self._peek() or "") != end:
                    raise NotHcl("a block does not end, or ends twice")
                self.at += len(end)
                return Block(kind, labels, arguments, tuple(inner))
            name = self._identifier()
            self.blank(lines=False)
            if self._peek() == "=":
                self.at += 1
                arguments[name] = self.expression()
            else:
                inner.append(self.body(name, self._labels(), end="}"))

    def _labels(self) -> tuple[str, ...]:
        labels: list[str] = []
        while True:
            self.blank(lines=False)
            if self._peek() == "{":
                self.at += 1
                return tuple(labels)
            labels.append(self.string() if self._peek() == '"' else self._identifier())

    def expression(self) -> str:
        """Return the text up to the end of the argument."""
        parts: list[str] = []
        while self.at < len(self.text) and self._peek() not in "\n}":
            if self._peek() == "#" or self.text.startswith("//", self.at):
                break
            if self._comment():
                continue
            start = self.at
            self._skip()
            parts.append(self.text[start : self.at])
        return "".join(parts).strip()

    def _skip(self) -> None:
        """Pass over one string, heredoc, comment, bracket pair, or character."""
        char = self._peek()
        if char == '"':
            self.string()
        elif char == "<" and (found := _HEREDOC.match(self.text, self.at)):
            self._heredoc(found)
        elif char in _CLOSES:
            self.at += 1
            while self._peek() != _CLOSES[char]:
                if self.at >= len(self.text):
                    raise NotHcl(f"{char!r} is never closed")
                before = self.at
                self.blank()
                if self.at == before:
                    self._skip()
            self.at += 1
        elif not self._comment():
            self.at += 1

    # ------------------------------------------------------------ constants

    def value(self) -> object:
        """Return the constant that begins here."""
        self.blank()
        char = self._peek()
        if char == '"':
            return self._constant_string()
        if char == "[":
            return self._list()
        if char == "{":
            return self._object()
        if found := _HEREDOC.match(self.text, self.at):
            return self._heredoc(found)
        if found := _NUMBER.match(self.text, self.at):
            self.at = found.end()
            return json.loads(found[0])
        word = self._identifier()
        if word not in {"true", "false", "null"}:
            raise NotHcl(f"not a constant: {word}")
        return json.loads(word)

    def _constant_string(self) -> str:
        start = self.at
        text = self.string()
        if re.search(r"(?<![$%])[$%]\{", self.text[start : self.at]):
            raise NotHcl("not a constant: a template")
        return text

    def _list(self) -> list[object]:
        items: list[object] = []
        self.at += 1
        while not self._closed("]"):
            items.append(self.value())
            self._separator("]")
        return items

    def _object(self) -> dict[str, object]:
        items: dict[str, object] = {}
        self.at += 1
        while not self._closed("}"):
            key = self._constant_string() if self._peek() == '"' else self._identifier()
            self.blank()
            if self._peek() not in {"=", ":"}:
                raise NotHcl("an object's key has no value")
            self.at += 1
            items[key] = self.value()
            self._separator("}")
        return items

    def _closed(self, end: str) -> bool:
        self.blank()
        if self._peek() == end:
            self.at += 1
            return True
        return False

    def _separator(self, end: str) -> None:
        start = self.at
        self.blank()
        if self._peek() == ",":
            self.at += 1
        elif self._peek() != end and (end == "]" or "\n" not in self.text[start : self.at]):
            raise NotHcl(f"expected ',' or {end!r}")

    # ------------------------------------------------------------ tokens

    def string(self) -> str:
        """Return the content of the quoted string that begins here; templates stay as text."""
        out: list[str] = []
        self.at += 1
        while (char := self._peek()) != '"':
            if char in {"", "\n"}:
                raise NotHcl("a string does not end")
            following = self.text[self.at + 1 : self.at + 3]
            if char == "\\":
                out.append(self._escape())
            elif char in "$%" and following == char + "{":
                out.append(char + "{")
                self.at += 3
            elif char in "$%" and following[:1] == "{":
                start = self.at
                self.at += 1
                self._skip()
                out.append(self.text[start : self.at])
            else:
                out.append(char)
                self.at += 1
        self.at += 1
        return "".join(out)

    def _escape(self) -> str:
        letter = self.text[self.at + 1 : self.at + 2]
        if letter in _ESCAPES:
            self.at += 2
            return _ESCAPES[letter]
        digits = {"u": 4, "U": 8}.get(letter)
        code = self.text[self.at + 2 : self.at + 2 + (digits or 0)]
        if digits is None or not re.fullmatch(rf"[0-9a-fA-F]{{{digits}}}", code):
            raise NotHcl("unknown escape in a string")
        self.at += 2 + digits
        return chr(int(code, 16))

    def _heredoc(self, found: re.Match[str]) -> str:
        start = self.at = found.end()
        while (end := heredoc_end(self.text, self.at, found[2])) is None:
            self._heredoc_line(found[2])
        content = self.text[start : self.at]
        self.at = end
        if found[1]:
            lines = content.splitlines(keepends=True)
            margin = min((len(i) - len(i.lstrip(" \t")) for i in lines if i.strip()), default=0)
            content = "".join(line[margin:] if line.strip() else line for line in lines)
        return content.replace("$${", "${").replace("%%{", "%{")

    def _heredoc_line(self, marker: str) -> None:
        """Pass over the rest of a line, and over what is in ``${…}`` on it, which may be lines."""
        while (char := self._peek()) != "\n":
            following = self.text[self.at + 1 : self.at + 3]
            if not char:
                raise NotHcl(f"the heredoc {marker} does not end")
            if char in "$%" and following == char + "{":
                self.at += 3
            elif char in "$%" and following[:1] == "{":
                self.at += 1
                self._skip()
            else:
                self.at += 1
        self.at += 1

    def _identifier(self) -> str:
        found = _IDENTIFIER.match(self.text, self.at)
        if found is None:
            raise NotHcl(f"unexpected {self.text[self.at : self.at + 20]!r}")
        self.at = found.end()
        return found[0]

    def blank(self, *, lines: bool = True) -> None:
        """Pass over white space and comments."""
        space = " \t\r\n" if lines else " \t\r"
        while self.at < len(self.text):
            if self.text[self.at] in space:
                self.at += 1
            elif not self._comment():
                return

    def _comment(self) -> bool:
        if self._peek() == "#" or self.text.startswith("//", self.at):
            end = self.text.find("\n", self.at)
        elif self.text.startswith("/*", self.at):
            end = self.text.find("*/", self.at + 2)  # "/*/" only begins one.
            end = end if end < 0 else end + 2
        else:
            return False
        self.at = len(self.text) if end < 0 else end
        return True

    def _peek(self) -> str:
        return self.text[self.at : self.at + 1]
