"""Find configurations of dev containers: in git repositories at a directory, or one level below.

Nothing else is walked: a home directory may be large, and on the network.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

MOST_REPOSITORIES: Final = 500
MOST_CONFIGURATIONS: Final = 200
_FOLDER: Final = ".devcontainer"
_FILE: Final = "devcontainer.json"


@dataclass(frozen=True, slots=True)
class Project:
    """A repository with a configuration."""

    folder: str
    config: str


def discover(directory: str) -> list[Project]:
    """Return the configurations that are found from ``directory`` on. Blocks: use a thread."""
    found: list[Project] = []
    for repository in _repositories(Path(directory)):
        for config in _configurations(repository):
            if len(found) >= MOST_CONFIGURATIONS:
                return found
            found.append(Project(str(repository), str(config)))
    return found


def _repositories(directory: Path) -> Iterator[Path]:
    # A repository's own folders belong to it: a nested one is a submodule or a vendored copy.
    if _is_repository(directory):
        yield directory
    for child in _children(directory)[:MOST_REPOSITORIES]:
        if _is_repository(child):
            yield child


def _is_repository(directory: Path) -> bool:
    # A work tree or a submodule has a file of that name.
    try:
        return (directory / ".git").exists()
    except OSError:
        return False


def _configurations(repository: Path) -> Iterator[Path]:
    places = [repository / _FOLDER / _FILE, repository / f".{_FILE}"]
    places += [child / _FILE for child in _children(repository / _FOLDER)]
    for place in places:
        try:
            if place.is_file():
                yield place
        except OSError:
            continue


def _children(directory: Path) -> list[Path]:
    try:
        with os.scandir(directory) as entries:
            return sorted(
                Path(entry.path) for entry in entries if entry.is_dir(follow_symlinks=False)
            )
    except OSError:
        return []
