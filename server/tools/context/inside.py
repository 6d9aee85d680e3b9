"""Paths that were found in a workspace: whether they are plain, and where they lead."""

from pathlib import PurePosixPath
from typing import Final

from server.agents import AgentApi, AgentRefused

LONGEST: Final = 1024


def plain(path: str) -> bool:
    """Tell whether a directory's path can be shown and walked: absolute, printable, no detours."""
    parts = PurePosixPath(path).parts
    return (
        path.startswith("/") and len(path) <= LONGEST and path.isprintable() and ".." not in parts
    )


def names_of(path: str) -> tuple[str, ...]:
    """Return the names on the way to an absolute path."""
    return PurePosixPath(path).parts[1:]


async def inside(api: AgentApi, path: str, within: str) -> bool:
    """Tell whether ``path`` is below ``within`` once all links are followed."""
    try:
        target = PurePosixPath(await api.resolve_path(path))
        top = PurePosixPath(await api.resolve_path(within))
    except AgentRefused:
        return False
    return target.is_relative_to(top)
