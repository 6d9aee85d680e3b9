"""Write a file of the workspace whole, or change parts of several, all or none."""

import json
from typing import Annotated, cast

from pydantic import AliasChoices, BeforeValidator, Field, field_validator

from coder_cli.sdk.agentapi.files import EditFile, EditFiles, FileEdit
from server.llm import Json
from server.loop import Result, Tool
from server.tools.bench import Bench
from server.tools.paths import expanded, require_no_legacy_plan, require_plan_file
from server.tools.sentences import ToolError
from server.tools.shape import Args, shaped

LARGEST_WRITTEN = 16 * 1024 * 1024
MOST_FILES = 100
MOST_EDITS = 500


def _parsed(value: object) -> object:
    """Take a list that a model wrote as a text of JSON."""
    if not isinstance(value, str):
        return value
    try:
        return cast("object", json.loads(value))
    except (ValueError, RecursionError):
        return value


def _path(value: str) -> str:
    if not value.strip():
        raise ValueError("path is required")
    return value.strip()


class Write(Args):
    """Arguments of ``write_file``."""

    path: str = Field(description="The absolute path of the file; directories are made.")
    content: str = Field(description="All that the file shall hold.")

    _some = field_validator("path")(_path)


class Edit(Args):
    """One replacement; the names of both eras are understood."""

    old_text: str = Field(
        validation_alias=AliasChoices("old_text", "search"),
        description="The text to replace, exactly as the file has it, without line numbers.",
    )
    new_text: str = Field(
        validation_alias=AliasChoices("new_text", "replace"), description="What to put there."
    )
    replace_all: bool = Field(
        default=False, description="Replace all places instead of the only one."
    )


class EditOne(Args):
    """The replacements of one file."""

    path: str = Field(default="", description="The absolute path of the file.")
    edits: Annotated[list[Edit], BeforeValidator(_parsed)] = Field(
        max_length=MOST_EDITS, description="Made one after the other."
    )


class EditAll(Args):
    """Arguments of ``edit_files``."""

    files: Annotated[list[EditOne], BeforeValidator(_parsed)] = Field(
        min_length=1, max_length=MOST_FILES, description="Each file once."
    )


def write_file(bench: Bench) -> Tool:
    """Return the tool."""

    async def write(args: Write) -> Result:
        path = await expanded(bench.link, args.path)
        await _may_write(bench, path)
        content = args.content.encode(errors="replace")
        if len(content) > LARGEST_WRITTEN:
            raise ToolError(f"content has {len(content)} bytes, the most is {LARGEST_WRITTEN}")
        async with bench.link.open() as api:
            await api.write_file(path, content)
        return Result({"ok": True})

    return shaped(__package__ or "", "write_file", Write, write)


def edit_files(bench: Bench) -> Tool:
    """Return the tool."""

    async def edit(args: EditAll) -> Result:
        wanted: dict[str, EditFile] = {}
        for at, one in enumerate(args.files):
            if not one.path.strip():
                raise ToolError(f"files[{at}].path is required")
            path = await expanded(bench.link, one.path)
            if path in wanted:
                raise ToolError(
                    f"files[{at}].path: {path} is there twice; put all its edits in one"
                )
            if not one.edits:
                raise ToolError(f"files[{at}].edits must not be empty")
            await _may_write(bench, path)
            edits = (FileEdit(e.old_text, e.new_text, e.replace_all) for e in one.edits)
            wanted[path] = EditFile(path, tuple(edits))
        async with bench.link.open() as api:
            edited = await api.edit_files(EditFiles(tuple(wanted.values()), include_diff=True))
        files: list[Json] = [{"path": each.path, "diff": each.diff} for each in edited.files]
        return Result({"ok": True, "files": files})

    return shaped(__package__ or "", "edit_files", EditAll, edit)


async def _may_write(bench: Bench, path: str) -> None:
    if bench.facts.planning:
        await require_plan_file(bench.link, path)
    else:
        await require_no_legacy_plan(bench.link, path)
