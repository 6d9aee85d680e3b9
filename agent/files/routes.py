"""The file API: one method for each route."""

import os
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Final

from agent.files.editing import edit
from agent.files.listing import list_directory, resolve
from agent.files.locks import Locks
from agent.files.opening import absolute
from agent.files.reading import MOST_LINES, Piece, content_of, lines_of
from agent.files.writing import Draft
from agent.kit.aside import acquire, aside, behind
from agent.network.http import Answer, Refusal, Reply, Request, Table, Touched, nobody_asks
from coder_cli.sdk.agentapi import files, to_json
from coder_cli.sdk.agentapi.files import EditFiles, ListDirectory, ResolvedPath

LARGEST_WRITTEN: Final = 256 * 1024 * 1024
LARGEST_EDITS: Final = 16 * 1024 * 1024
BLOCKED: Final = "File transfer has been disabled."
_LARGEST_NUMBER: Final = (1 << 63) - 1


class FileRoutes:
    """Answers requests about files, as the user whom the agent runs as.

    With ``block_transfer`` whole files neither leave nor come: what remains is what a terminal
    shows and changes too.
    """

    def __init__(
        self,
        home: Callable[[], str],
        *,
        block_transfer: bool = False,
        touched: Touched = nobody_asks,
    ) -> None:
        self._home = home
        self._touched = touched
        self._blocked = block_transfer
        self._locks = Locks()

    def mount(self, table: Table) -> None:
        """Add the routes."""
        table.add("POST", files.LIST_DIRECTORY, self._list)
        table.add("GET", files.RESOLVE_PATH, self._resolve)
        table.add("GET", files.READ_FILE, self._read)
        table.add("HEAD", files.READ_FILE, self._read)
        table.add("GET", files.READ_FILE_LINES, self._read_lines)
        table.add("POST", files.WRITE_FILE, self._write)
        table.add("POST", files.EDIT_FILES, self._edit)

    async def _list(self, request: Request) -> Reply:
        wanted = await request.shape(ListDirectory)
        return Answer(200, to_json(await aside(list_directory, wanted, self._home())))

    async def _resolve(self, request: Request) -> Reply:
        query = _query(request, "path")
        path = await aside(resolve, absolute(query["path"]))
        return Answer(200, to_json(ResolvedPath(path)))

    async def _read(self, request: Request) -> Reply:
        self._require_transfer()
        query = _query(request, "path", "offset", "limit")
        path = absolute(query["path"])
        return await content_of(Piece(path, _number(query, "offset"), _number(query, "limit")))

    async def _read_lines(self, request: Request) -> Reply:
        query = _query(request, "path", "offset", "limit")
        path = absolute(query["path"])
        offset, limit = _number(query, "offset") or 1, _number(query, "limit") or MOST_LINES
        return Answer(200, to_json(await lines_of(path, offset, limit)))

    async def _write(self, request: Request) -> Reply:
        self._require_transfer()
        path = absolute(_query(request, "path")["path"])
        draft = await acquire(lambda: Draft.begin(path), Draft.discard)
        try:
            await _fill(draft, request.chunks)
            await self._locks.change([draft.target], lambda: aside(draft.put))
        finally:
            behind(draft.discard)
        self._touched(request, [path])
        return Answer(200, {"message": f'Successfully wrote to "{path}"'})

    async def _edit(self, request: Request) -> Reply:
        wanted = await request.shape(EditFiles, LARGEST_EDITS)
        edited = to_json(await edit(wanted, self._locks))
        self._touched(request, [each.path for each in wanted.files])
        if not wanted.include_diff:
            del edited["files"]
        return Answer(200, edited)

    def _require_transfer(self) -> None:
        if self._blocked:
            raise Refusal(403, BLOCKED)


async def _fill(draft: Draft, chunks: AsyncIterator[bytes]) -> None:
    size = 0
    async for chunk in chunks:
        size += len(chunk)
        if size > LARGEST_WRITTEN:
            raise Refusal(413, f"a file is written with {LARGEST_WRITTEN} bytes at most")
        await aside(draft.write, chunk)


def _query(request: Request, *known: str) -> Mapping[str, str]:
    """Return the query with a path in it; what is unknown is refused, as is no path."""
    for name in request.query:
        if name not in known:
            detail = f'Query param "{name}" is not a valid query param'
            raise Refusal(400, "Query parameters have invalid values.", detail)
    path = request.query.get("path", "")
    # Names of files are bytes; those of a URL become the same ones here.
    return {**request.query, "path": os.fsdecode(path.encode(errors="surrogateescape"))}


def _number(query: Mapping[str, str], name: str) -> int:
    text = query.get(name) or "0"
    if not text.isascii() or not text.isdigit() or int(text[:20]) > _LARGEST_NUMBER:
        detail = f'Query param "{name}" must be a number that is not negative'
        raise Refusal(400, "Query parameters have invalid values.", detail)
    return int(text)
