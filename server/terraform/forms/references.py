"""What an HCL expression refers to, and the same expression with some of it put differently.

Strings, heredocs, their templates and comments are told apart, so that nothing is mistaken for a
reference, and none is overlooked.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from server.terraform import hcl

_IDENTIFIER = re.compile(r"[^\W\d][\w-]*")
_NUMBER = re.compile(r"\d[\w.]*")
_STEP = re.compile(r"\s*\.\s*([^\W\d][\w-]*)")
_INDEX = re.compile(r"\s*\[\s*(?:\*|\d+|\"[^\"$%\\]*\")\s*\]|\s*\.\s*(?:\*|\d+)")
_HEREDOC = re.compile(r"<<-?([^\W\d][\w-]*)[ \t]*\r?\n")
_CALLED = re.compile(r"(?:\s|/\*(?:[^*]|\*(?!/))*\*/|(?:#|//)[^\n]*\n)*\(")
_PLAIN_TEXT = re.compile(r"[^$%\"\\\n]+")
_SHOWN = 1000
_SPACE = re.compile(r"\s+")
_NOT_OURS = frozenset({"each", "count", "self", "path", "terraform", "true", "false", "null"})
_SCOPED = frozenset({"local", "var", "module"})
_KINDS = frozenset({"data", "resource", "ephemeral"})


@dataclass(frozen=True, slots=True)
class Reference:
    """A mention of something declared: ``kind`` and the names that follow it."""

    kind: str
    """local, var, module, data, resource or ephemeral"""
    names: tuple[str, ...]
    output: str = ""
    """Of a module, the output that is read; empty when that is not plain to see."""


@dataclass(frozen=True, slots=True)
class Call:
    """A call of a function, and the text that follows its opening bracket."""

    function: str
    rest: str


Put = Callable[[Reference], str | None]
"""Return what stands in place of a reference, or None to leave it."""


def references(text: str) -> Iterator[Reference]:
    """Yield what an expression may refer to; some of it may be declared nowhere."""
    found: list[Reference] = []

    def note(reference: Reference) -> None:
        found.append(reference)

    rewrite(text, note)
    yield from found


def rewrite(text: str, put: Put) -> str:
    """Return an expression in which references are replaced by what ``put`` says."""
    walker = _Walker(text, put)
    walker.code("")
    return "".join(walker.out)


def calls(text: str, *, template: bool = False) -> list[Call]:
    """Return the functions that an expression calls, or a file that is a template."""
    walker = _Walker(text, lambda _: None)
    if template:
        walker.template(lambda: False, escapes=False)
    else:
        walker.code("")
    return walker.calls


class _Walker:
    def __init__(self, text: str, put: Put) -> None:
        self.text = text
        self.put = put
        self.at = 0
        self.out: list[str] = []
        self.calls: list[Call] = []

    def code(self, end: str) -> None:
        """Pass over code up to the bracket ``end`` (or the end of the text), and over that."""
        after_dot = False
        while self.at < len(self.text):
            char = self.text[self.at]
            if char == end:
                self._copy(self.at + 1)
                return
            if self._comment() or self._match(_SPACE):
                continue
            if found := _IDENTIFIER.match(self.text, self.at):
                self._copy(found.end()) if after_dot else self._name(found)
            elif not self._nested(char) and not self._match(_NUMBER):
                self._copy(self.at + 1)
            after_dot = char == "." and not self.text.startswith("...", self.at - 1)

    def _nested(self, char: str) -> bool:
        if char == '"':
            self._copy(self.at + 1)
            self.template(lambda: self.text[self.at] == '"', escapes=True)
            self._copy(self.at + 1)
        elif char in "([{":
            self._copy(self.at + 1)
            self.code({"(": ")", "[": "]", "{": "}"}[char])
        elif char == "<" and (found := _HEREDOC.match(self.text, self.at)):
            self._copy(found.end())
            self.template(lambda: self._heredoc_end(found[1]) is not None, escapes=False)
            end = self._heredoc_end(found[1])
            self._copy(len(self.text) if end is None else end)
        else:
            return False
        return True

    def template(self, ended: Callable[[], bool], *, escapes: bool) -> None:
        """Pass over text with ``${…}`` and ``%{…}`` in it until it has ended."""
        while self.at < len(self.text) and not ended():
            if self._match(_PLAIN_TEXT):
                continue
            char = self.text[self.at]
            if escapes and char == "\\":
                self._copy(self.at + 2)
            elif self.text.startswith(("$${", "%%{"), self.at):
                self._copy(self.at + 3)
            elif self.text.startswith(("${", "%{"), self.at):
                self._copy(self.at + 2)
                self.code("}")
            else:
                self._copy(self.at + 1)

    def _heredoc_end(self, marker: str) -> int | None:
        # Only text begins lines: behind what is put in, there is always a bracket first.
        if self.text[self.at - 1] != "\n":
            return None
        return hcl.heredoc_end(self.text, self.at, marker)

    def _name(self, found: re.Match[str]) -> None:
        if bracket := _CALLED.match(self.text, found.end()):
            self.calls.append(Call(found[0], self.text[bracket.end() : bracket.end() + _SHOWN]))
        reference, end = self._reference(found)
        instead = self.put(reference) if reference else None
        if instead is None:
            self._copy(end if reference else found.end())
        else:
            self.out.append(instead)
            self.at = end

    def _reference(self, found: re.Match[str]) -> tuple[Reference | None, int]:
        word, end = found[0], found.end()
        if word in _NOT_OURS:
            return None, end
        kind = word if word in _SCOPED | _KINDS else "resource"
        wanted = 1 if word in _SCOPED or word not in _KINDS else 2
        names: list[str] = [] if word in _SCOPED | _KINDS else [word]
        for _ in range(wanted):
            step = _STEP.match(self.text, end)
            if step is None:
                return None, found.end()
            names.append(step[1])
            end = step.end()
        output = self._output(end) if kind == "module" else ""
        return Reference(kind, tuple(names), output), end

    def _output(self, at: int) -> str:
        while index := _INDEX.match(self.text, at):
            at = index.end()
        step = _STEP.match(self.text, at)
        return step[1] if step else ""

    def _comment(self) -> bool:
        if self.text.startswith(("#", "//"), self.at):
            end = self.text.find("\n", self.at)
        elif self.text.startswith("/*", self.at):
            end = self.text.find("*/", self.at + 2)  # "/*/" only begins one.
            end = end + 2 if end >= 0 else end
        else:
            return False
        self._copy(len(self.text) if end < 0 else end)
        return True

    def _match(self, pattern: re.Pattern[str]) -> bool:
        found = pattern.match(self.text, self.at)
        if found:
            self._copy(found.end())
        return found is not None

    def _copy(self, end: int) -> None:
        self.out.append(self.text[self.at : end])
        self.at = end
