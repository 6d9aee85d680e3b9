"""Find what is to be replaced in a text, and replace it. Pure.

Whoever edits has read the file, and may have got its white space wrong. So three rules are tried,
and the first that finds anything decides: the very text; whole lines, whatever white space ends
them; whole lines, whatever they are indented by. What is found twice is refused, unless all is to
be replaced.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from coder_cli.sdk.agentapi.files import FileEdit

Same: TypeAlias = Callable[[str], str]
"""What of a line counts."""


class CannotEdit(Exception):
    """An edit has no place, or several; the message says what to do."""


def apply(text: str, edits: Sequence[FileEdit]) -> str:
    """Return ``text`` with the edits made, one after the other. Line ends stay what they are.

    Raises:
        CannotEdit: one of them cannot be made.
    """
    # A file with CR LF throughout is edited as if it had LF: nobody who edits sees the difference.
    windows = "\r\n" in text and "\n" not in text.replace("\r\n", "")
    if windows:
        text = text.replace("\r\n", "\n")
    for edit in edits:
        search, replace = edit.search, edit.replace
        if windows:
            search, replace = search.replace("\r\n", "\n"), replace.replace("\r\n", "\n")
        text = _one(text, FileEdit(search, replace, edit.replace_all))
    return text.replace("\n", "\r\n") if windows else text


def _one(text: str, edit: FileEdit) -> str:
    if not edit.search:
        raise CannotEdit("search must not be empty")
    count = text.count(edit.search)
    if count:
        _require_one(count, edit)
        return text.replace(edit.search, edit.replace)
    if edit.search.strip():
        for same in (str.rstrip, str.strip):
            found = _Lines(text, edit, same).replaced()
            if found is not None:
                return found
    raise CannotEdit(
        "search string not found in file. Check that it is what the file has now, "
        "white space and indentation included"
    )


def _require_one(count: int, edit: FileEdit) -> None:
    if count > 1 and not edit.replace_all:
        raise CannotEdit(
            f"search string matches {count} places. Add lines around it until it matches one, "
            "or set replace_all"
        )


@dataclass(frozen=True, slots=True)
class _Lines:
    """A text and an edit, line by line."""

    text: str
    edit: FileEdit
    same: Same

    def replaced(self) -> str | None:
        """Return the text with the edit made, or None when it has no place."""
        lines = self.text.split("\n")
        search = self.edit.search.removesuffix("\n").split("\n")
        places = _places([self.same(line) for line in lines], [self.same(one) for one in search])
        if not places:
            return None
        _require_one(len(places), self.edit)
        for at in reversed(places):
            lines[at : at + len(search)] = self._new(lines[at : at + len(search)], search)
        return "\n".join(lines)

    def _new(self, old: Sequence[str], search: Sequence[str]) -> list[str]:
        """Return the lines that stand in for ``old``, indented as that was."""
        replace = self.edit.replace
        if self.edit.search.endswith("\n") and not replace:
            return []
        if self.edit.search.endswith("\n"):
            replace = replace.removesuffix("\n")
        wrong, right = _indent(search), _indent(old)
        end = "\r" if old[0].endswith("\r") else ""
        new: list[str] = []
        for line in replace.split("\n"):
            known = bool(line.strip()) and line.startswith(wrong)
            moved = right + line[len(wrong) :] if known else line
            new.append(moved if moved.endswith("\r") else moved + end)
        return new


def _places(lines: Sequence[str], search: Sequence[str]) -> list[int]:
    """Return where ``search`` begins in ``lines``, no place within another."""
    places: list[int] = []
    at = 0
    while at <= len(lines) - len(search):
        if lines[at] == search[0] and lines[at : at + len(search)] == search:
            places.append(at)
            at += len(search)
        else:
            at += 1
    return places


def _indent(lines: Sequence[str]) -> str:
    """Return the white space before the first line that has anything else."""
    first: Final = next((line for line in lines if line.strip()), "")
    return first[: len(first) - len(first.lstrip())]
