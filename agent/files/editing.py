"""Edit several files, all or none of them."""

import difflib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from agent.files.edits import CannotEdit, apply
from agent.files.locks import Locks
from agent.files.opening import absolute, ordinary, read_all
from agent.files.writing import Draft, same
from agent.kit.aside import aside
from agent.network.http import Refusal
from coder_cli.sdk.agentapi.files import Edited, EditedFile, EditFile, EditFiles

LARGEST_EDITED: Final = 16 * 1024 * 1024
LARGEST_DIFF: Final = 256 * 1024
"""Of larger files, or with longer diffs, no diff is told."""
MOST_FILES: Final = 100
MOST_EDITS: Final = 1000
DONE: Final = "Successfully edited file(s)"


@dataclass(frozen=True, slots=True)
class _Changed:
    """A file, before and after its edits."""

    path: str
    before: bytes
    after: bytes
    found: os.stat_result

    def diff(self) -> str:
        """Return the unified diff; empty when it would take too long or be too long."""
        if len(self.before) + len(self.after) > 2 * LARGEST_DIFF:
            return ""
        before, after = (
            content.decode(errors="replace").splitlines(keepends=True)
            for content in (self.before, self.after)
        )
        lines = difflib.unified_diff(before, after, self.path, self.path)
        diff = "".join(line if line.endswith("\n") else f"{line}\n" for line in lines)
        return diff if len(diff) <= LARGEST_DIFF else ""


async def edit(wanted: EditFiles, locks: Locks) -> Edited:
    """Make all edits of all files, or change nothing.

    Raises:
        Refusal: a sentence for each file that cannot be edited, with the highest of their codes.
    """
    files = _checked(wanted.files)
    real = [await aside(os.path.realpath, file.path) for file in files]
    for at, path in enumerate(real):
        if path in real[:at]:
            raise Refusal(400, f"files[{at}].path: {files[at].path} is there twice")
    changed = await locks.change(real, lambda: aside(_edit_all, files))
    if not wanted.include_diff:
        return Edited(DONE)
    diffs = await aside(lambda: tuple(EditedFile(one.path, one.diff()) for one in changed))
    return Edited(DONE, diffs)


def _checked(files: Sequence[EditFile]) -> list[EditFile]:
    if not files:
        raise Refusal(400, "must specify at least one file")
    if len(files) > MOST_FILES or sum(len(file.edits) for file in files) > MOST_EDITS:
        raise Refusal(400, f"{MOST_FILES} files and {MOST_EDITS} edits are the most")
    checked: list[EditFile] = []
    for at, file in enumerate(files):
        path = file.path.strip()
        if not path:
            raise Refusal(400, f"files[{at}].path is required")
        if not file.edits:
            raise Refusal(400, f"{path}: must specify at least one edit")
        checked.append(EditFile(absolute(path), file.edits))
    return checked


def _edit_all(files: Sequence[EditFile]) -> list[_Changed]:
    changed: list[_Changed] = []
    refusals: list[Refusal] = []
    for file in files:
        try:
            changed.append(_edited(file))
        except Refusal as no:
            refusals.append(no)
    if refusals:
        status = max(no.status for no in refusals)
        raise Refusal(status, "\n".join(str(no) for no in refusals))
    _put_all(changed)
    return changed


def _edited(file: EditFile) -> _Changed:
    before, found = read_all(file.path, LARGEST_EDITED)
    # What is no UTF-8 stays as it is.
    text = before.decode(errors="surrogateescape")
    try:
        after = apply(text, file.edits).encode(errors="surrogateescape")
    except CannotEdit as no:
        raise Refusal(400, f"{file.path}: {no}") from None
    except UnicodeEncodeError:
        raise Refusal(400, f"{file.path}: half a character cannot be written") from None
    if len(after) > LARGEST_EDITED:
        raise Refusal(413, f"{file.path} would have {len(after)} bytes; {LARGEST_EDITED} at most")
    return _Changed(file.path, before, after, found)


def _put_all(changed: Sequence[_Changed]) -> None:
    drafts: list[Draft] = []
    put: list[_Changed] = []
    try:
        for one in changed:
            draft = Draft.begin(one.path)
            drafts.append(draft)
            draft.write(one.after)
        _require_unchanged(changed)
        for one, draft in zip(changed, drafts, strict=True):
            draft.put()
            put.append(one)
    except Refusal:
        for one in put:
            _put_back(one)
        raise
    finally:
        for draft in drafts:
            draft.discard()


def _require_unchanged(changed: Sequence[_Changed]) -> None:
    for one in changed:
        if not same(one.found, ordinary(one.path)):
            raise Refusal(409, f"{one.path} has changed meanwhile; read it again")


def _put_back(one: _Changed) -> None:
    draft = Draft.begin(one.path)
    try:
        draft.write(one.before)
        draft.put()
    finally:
        draft.discard()
