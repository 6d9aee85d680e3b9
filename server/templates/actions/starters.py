"""Starter templates: directories of this package, each described by its README's front matter."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from coder_cli.sdk.templates import TemplateExample
from server.kit.errors import NotFound
from server.templates.convert import example_to_sdk
from server.templates.model.archives import pack

_HOME = Path(__file__).parent.parent / "starters"


@dataclass(frozen=True, slots=True)
class Starter:
    """A template that the server carries."""

    example: TemplateExample
    archive: bytes


@cache
def starters() -> dict[str, Starter]:
    """Return the starter templates by id; they are read once."""
    folders = sorted(path for path in _HOME.iterdir() if (path / "README.md").is_file())
    return {folder.name: _read(folder) for folder in folders}


def starter(example_id: str) -> Starter:
    """Return one starter template.

    Raises:
        NotFound: there is none of this id.
    """
    found = starters().get(example_id)
    if found is None:
        known = ", ".join(starters())
        raise NotFound(f"Example {example_id!r} not found.", detail=f"There are: {known}.")
    return found


def _read(folder: Path) -> Starter:
    files = {path.relative_to(folder).as_posix(): path for path in _files(folder)}
    executable = frozenset(name for name, path in files.items() if os.access(path, os.X_OK))
    content = {name: path.read_bytes() for name, path in files.items()}
    about, markdown = split_front_matter(content["README.md"].decode())
    return Starter(example_to_sdk(folder.name, about, markdown), pack(content, executable))


def _files(folder: Path) -> Iterator[Path]:
    return (
        path
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    )


def split_front_matter(text: str) -> tuple[dict[str, Any], str]:
    """Return what a README says of itself at its top, and the rest of it."""
    if not text.startswith("---\n"):
        return {}, text
    head, _, body = text.removeprefix("---\n").partition("\n---\n")
    return yaml.safe_load(head) or {}, body.lstrip()
