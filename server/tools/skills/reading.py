"""Read a skill of the workspace, and the files beside it."""

from pathlib import PurePosixPath
from typing import Final

from pydantic import Field

from coder_cli.sdk.agentapi.files import ListDirectory
from server.agents import AgentApi, AgentRefused
from server.llm import Json
from server.loop import Result, Tool
from server.tools.bench import Bench
from server.tools.context.discover import discover
from server.tools.context.inside import inside, names_of
from server.tools.found import FoundSkill
from server.tools.sentences import ToolError
from server.tools.shape import Args, shaped

LARGEST: Final = 512 * 1024
MOST_FILES: Final = 200
MOST_LISTINGS: Final = 20


class Which(Args):
    """Arguments of ``read_skill``."""

    name: str = Field(description="The name of a skill, as in the list of available skills.")


class File(Which):
    """Arguments of ``read_skill_file``."""

    path: str = Field(description="A file's path below the skill's directory.")


def read_skill(bench: Bench) -> Tool:
    """Return the tool."""

    async def read(args: Which) -> Result:
        skill = await _skill(bench, args.name)
        async with bench.link.open() as api:
            files: list[Json] = [*await _files(api, skill.directory)]
        return Result(
            {"name": skill.name, "dir": skill.directory, "body": skill.body, "files": files}
        )

    return shaped(__package__ or "", "read_skill", Which, read)


def read_skill_file(bench: Bench) -> Tool:
    """Return the tool."""

    async def read(args: File) -> Result:
        skill = await _skill(bench, args.name)
        path = f"{skill.directory}/{_checked(args.path)}"
        async with bench.link.open() as api:
            if not await inside(api, path, skill.directory):
                raise ToolError(f"path: {args.path!r} leads out of the skill's directory")
            content = await api.read_file(path, 0, LARGEST + 1)
        text = content[:LARGEST].decode(errors="replace")
        value: dict[str, Json] = {"content": text}
        if len(content) > LARGEST:
            value["truncated"] = True
        return Result(value)

    return shaped(__package__ or "", "read_skill_file", File, read)


async def _skill(bench: Bench, name: str) -> FoundSkill:
    found = await discover(bench.means, bench.link)
    for skill in found.skills:
        if skill.name == name.strip():
            return skill
    known = ", ".join(skill.name for skill in found.skills[:100])
    raise ToolError(
        f"there is no skill {name!r}. " + (f"There are: {known}" if known else "There are none")
    )


def _checked(path: str) -> str:
    """Return a path that can only lead downwards.

    Raises:
        ToolError: it is absolute, or has ``..`` or a hidden name in it.
    """
    parts = path.strip().split("/")
    if not path.strip() or path.strip().startswith("/") or "\0" in path or "\\" in path:
        raise ToolError("path must be relative to the skill's directory")
    if any(not part or part.startswith(".") for part in parts):
        raise ToolError("path must have no empty, hidden or parent directories in it")
    return "/".join(parts)


async def _files(api: AgentApi, directory: str) -> list[str]:
    """Return the paths of a skill's files, hidden ones left out; directories are looked into."""
    found: list[str] = []
    waiting = [""]
    for _ in range(MOST_LISTINGS):
        if not waiting or len(found) >= MOST_FILES:
            break
        below = waiting.pop(0)
        at = f"{directory}/{below}".rstrip("/")
        if below and not await inside(api, at, directory):
            continue
        try:
            listed = await api.list_directory(ListDirectory(names_of(at)))
        except AgentRefused:
            continue
        for entry in sorted(listed.contents, key=lambda each: each.name):
            name = entry.name
            if name.startswith(".") or not name.isprintable() or "/" in name:
                continue
            path = str(PurePosixPath(below) / name) if below else name
            if entry.is_dir:
                waiting.append(path)
            elif path != "SKILL.md":
                found.append(path)
    return found[:MOST_FILES]
