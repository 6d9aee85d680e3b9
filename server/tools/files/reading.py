"""Read a file of the workspace by lines, or a directory by its names."""

from pathlib import PurePosixPath

from pydantic import Field, field_validator

from coder_cli.sdk.agentapi import to_json
from coder_cli.sdk.agentapi.files import ListDirectory
from server.agents import AgentApi, AgentRefused
from server.llm import Json
from server.loop import Result, Tool
from server.tools.bench import Bench
from server.tools.paths import expanded
from server.tools.shape import Args, shaped

MOST_NAMES = 500


class Read(Args):
    """Arguments of ``read_file``."""

    path: str = Field(description="The absolute path of a file, or of a directory to list.")
    offset: int = Field(default=1, ge=1, description="The first line to read, counted from 1.")
    limit: int = Field(default=2000, ge=1, description="How many lines to read, 2000 at most.")

    @field_validator("path")
    @classmethod
    def _some(cls, value: str) -> str:
        if not value.strip():
            raise ValueError("path is required")
        return value.strip()

    @field_validator("offset", "limit", mode="before")
    @classmethod
    def _zero_is_not_said(cls, value: object, info: object) -> object:
        name = getattr(info, "field_name", "")
        return (1 if name == "offset" else 2000) if value in (0, "0") else value


def read_file(bench: Bench) -> Tool:
    """Return the tool."""

    async def read(args: Read) -> Result:
        path = await expanded(bench.link, args.path)
        async with bench.link.open() as api:
            try:
                lines = await api.read_lines(path, args.offset, min(args.limit, 2000))
            except AgentRefused as refused:
                # Whether it is a directory is the agent's to say; asking twice is cheaper than
                # asking before each file.
                listed = await _listing(api, path) if refused.code == 400 else None
                if listed is None:
                    raise
                return Result(listed)
        return Result(to_json(lines))

    return shaped(__package__ or "", "read_file", Read, read)


async def _listing(api: AgentApi, path: str) -> Json:
    """Return a directory's entries as lines, or None when it is none."""
    if not path.startswith("/"):
        return None
    try:
        names = tuple(PurePosixPath(path).parts[1:])
        directory = await api.list_directory(ListDirectory(names))
    except AgentRefused:
        return None
    entries = sorted(directory.contents, key=lambda each: (not each.is_dir, each.name))
    lines = [f"{each.name}/" if each.is_dir else each.name for each in entries]
    return {
        "content": "\n".join(lines[:MOST_NAMES]),
        "directory": directory.absolute_path_string,
        "entries": len(lines),
        "truncated": directory.truncated or len(lines) > MOST_NAMES,
    }
