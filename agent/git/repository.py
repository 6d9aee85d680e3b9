"""One look at a repository: branch, origin, and what the work tree has beyond HEAD."""

import asyncio
import os
import stat
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from agent.git import config
from agent.git.command import Git, GitFailed, TooMuch
from agent.git.diff import LARGEST_FILE, FileDiff, Patch, Splitter, file_too_large
from agent.git.untracked import add_untracked
from coder_cli.sdk.agentapi.git import Repository

_DIFF: Final = (
    "diff",
    "--no-ext-diff",
    "--no-textconv",
    "--no-color",
    "--no-renames",
    "--no-relative",
    "--no-indent-heuristic",
    "--diff-algorithm=myers",
    "--unified=3",
    "--inter-hunk-context=0",
    "--src-prefix=a/",
    "--dst-prefix=b/",
    "--submodule=short",
    "--ignore-submodules=dirty",  # To look into one would obey the configuration inside it.
    "-O/dev/null",
)
_UNTRACKED: Final = ("ls-files", "--others", "--exclude-standard", "-z")
_CONFIG: Final = ("config", "--list", "--show-scope", "-z")


class Gone(Exception):
    """The repository is not there any more."""


async def find(git: Git, place: str) -> str | None:
    """Return the root of the work tree that ``place``, a directory with ``.git``, belongs to.

    Raises:
        GitMissing: there is no git.
    """
    try:
        said = await git.words(place, ("rev-parse", "--show-toplevel"))
    except GitFailed:
        return None
    root = os.fsdecode(said.removesuffix(b"\n"))
    # A repository may say that its work tree is anywhere; only around itself it is believed.
    real = await asyncio.to_thread(os.path.realpath, place)
    return root if root and Path(real).is_relative_to(root) else None


async def look(git: Git, root: str) -> Repository:
    """Return how the repository at ``root`` is now.

    Raises:
        Gone: it is no repository any more.
        GitFailed: git does not tell now.
        GitMissing: there is no git.
    """
    if await asyncio.to_thread(is_gone, root):
        raise Gone(root)
    try:
        own = config.read(await git.words(root, _CONFIG))
    except config.Suspicious as error:
        raise GitFailed(str(error)) from None
    branch = await _branch(git, root)
    patch = await _tracked(git, root, own.overrides)
    try:
        listed = await git.words(root, _UNTRACKED, own.overrides)
        await asyncio.to_thread(add_untracked, root, listed, patch)
    except TooMuch as error:
        patch.skip(error.size)  # Names alone are more than may be shown.
    return Repository(readable(root), branch, own.origin, patch.text())


def candidates(paths: Iterable[str]) -> list[str]:
    """Return the nearest directories with a ``.git`` at or above ``paths``. Blocks."""
    found: dict[str, None] = {}
    known: set[str] = set()
    for path in paths:
        for place in (path, *map(str, Path(path).parents)):
            if place in known:
                break
            known.add(place)
            if os.path.lexists(os.path.join(place, ".git")):  # noqa: PTH118 - a str stays one
                found[place] = None
                break
    return list(found)


def is_gone(root: str) -> bool:
    """Say whether there is no repository at ``root`` any more. Blocks."""
    dot = Path(root, ".git")
    try:
        about = dot.stat()
        if stat.S_ISDIR(about.st_mode):
            return False
        # In a worktree or a submodule a line says where the repository is.
        said = dot.read_bytes()[:4096] if stat.S_ISREG(about.st_mode) else b""
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:  # Not ours to see at the moment.
        return False
    target = os.fsdecode(said.removeprefix(b"gitdir: ").rstrip(b"\r\n"))
    return not said.startswith(b"gitdir: ") or not Path(root, target).exists()


async def _branch(git: Git, root: str) -> str:
    """Return the name of the branch; none when HEAD is detached."""
    try:
        said = await git.words(root, ("symbolic-ref", "--short", "--quiet", "HEAD"))
    except GitFailed:
        return ""
    return said.decode(errors="replace").strip()


async def _base(git: Git, root: str) -> str:
    """Return what the work tree is compared with: HEAD, or nothing at all before any commit."""
    try:
        await git.words(root, ("rev-parse", "--quiet", "--verify", "HEAD^{commit}"))
    except GitFailed:
        empty = await git.words(root, ("hash-object", "-t", "tree", "--stdin"))
        return empty.decode().strip()
    return "HEAD"


async def _tracked(git: Git, root: str, overrides: Mapping[str, str]) -> Patch:
    patch = Patch()

    def add(diff: FileDiff) -> None:
        name = diff.name
        size = _size(root, name) if name and diff.binary else 0
        if name and size > LARGEST_FILE:
            patch.add(file_too_large(name, size))
        else:
            patch.add(diff.shown())

    splitter = Splitter(add)
    code = await git.pour(root, (*_DIFF, await _base(git, root), "--"), splitter.feed, overrides)
    if code != 0:
        raise GitFailed(f"git diff ended with {code}")
    splitter.end()
    return patch


def _size(root: str, name: bytes) -> int:
    try:
        return os.lstat(os.path.join(os.fsencode(root), name)).st_size  # noqa: PTH118 - bytes
    except OSError:
        return 0


def readable(path: str) -> str:
    """Return ``path`` for people and JSON, which know no odd bytes."""
    return os.fsencode(path).decode(errors="replace")
