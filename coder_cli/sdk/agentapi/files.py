"""Files of a workspace through its agent: what is asked for, and what is told of them."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

LIST_DIRECTORY: Final = "/api/v0/list-directory"
RESOLVE_PATH: Final = "/api/v0/resolve-path"
READ_FILE: Final = "/api/v0/read-file"
READ_FILE_LINES: Final = "/api/v0/read-file-lines"
WRITE_FILE: Final = "/api/v0/write-file"
EDIT_FILES: Final = "/api/v0/edit-files"


class Relativity(StrEnum):
    """What the parts of a path begin at."""

    HOME = "home"
    ROOT = "root"


@dataclass(frozen=True, slots=True)
class ListDirectory:
    path: tuple[str, ...] = ()
    relativity: Relativity = Relativity.ROOT


@dataclass(frozen=True, slots=True)
class DirectoryEntry:
    name: str
    absolute_path_string: str
    is_dir: bool


@dataclass(frozen=True, slots=True)
class Directory:
    absolute_path: tuple[str, ...]
    absolute_path_string: str
    contents: tuple[DirectoryEntry, ...] = ()
    truncated: bool = False
    """There are more than these."""


@dataclass(frozen=True, slots=True)
class ResolvedPath:
    resolved_path: str


@dataclass(frozen=True, slots=True)
class FileLines:
    """Some lines of a file."""

    content: str
    """``number<TAB>text``, line by line."""
    file_size: int
    total_lines: int
    lines_read: int


@dataclass(frozen=True, slots=True)
class FileEdit:
    """Put ``replace`` where ``search`` is: at the one place, or at all of them."""

    search: str
    replace: str
    replace_all: bool = False


@dataclass(frozen=True, slots=True)
class EditFile:
    path: str
    edits: tuple[FileEdit, ...] = ()


@dataclass(frozen=True, slots=True)
class EditFiles:
    """All edits of all files, or none."""

    files: tuple[EditFile, ...] = ()
    include_diff: bool = False


@dataclass(frozen=True, slots=True)
class EditedFile:
    path: str
    diff: str


@dataclass(frozen=True, slots=True)
class Edited:
    message: str
    files: tuple[EditedFile, ...] = ()
    """Only when diffs were asked for."""
