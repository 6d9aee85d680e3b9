"""Uploads and downloads of archives."""

import asyncio
from collections.abc import Callable
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Query, Request, Response

from coder_cli.sdk.common import UploadResponse
from server.kit.routing import Db, Me, limit_files
from server.templates.actions import files
from server.templates.errors import ArchiveTooLarge
from server.templates.model.archives import LIMIT, TAR, ZIP, as_tar, as_zip

routes = APIRouter()

_STATUS = {True: 201, False: 200}
_FORMS: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "": (TAR, bytes),
    "tar": (TAR, bytes),
    "zip": (ZIP, as_zip),
}
Form = Annotated[Literal["", "tar", "zip"], Query(alias="format")]


async def _body(request: Request) -> bytes:
    """Return the body, but never more than an archive may have.

    Raises:
        ArchiveTooLarge: there is more.
    """
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LIMIT:
            raise ArchiveTooLarge(LIMIT)
    return bytes(body)


Body = Annotated[bytes, Depends(_body)]


@routes.post("/files", status_code=201, dependencies=[Depends(limit_files)])
async def post_file(
    db: Db, me: Me, body: Body, response: Response, content_type: Annotated[str, Header()] = ""
) -> UploadResponse:
    """Store an archive: a tar, or a zip that becomes one."""
    archive = await asyncio.to_thread(as_tar, body, content_type)
    async with db.tx(me) as tx:
        stored = await files.save(tx, archive)
    response.status_code = _STATUS[stored.fresh]
    return UploadResponse(hash=stored.id)


@routes.get("/files/{file_id}")
async def get_file(db: Db, me: Me, file_id: UUID, form: Form = "") -> Response:
    """Return a stored archive."""
    async with db.tx(me) as tx:
        _, content = await files.read(tx, file_id)
    content_type, turn = _FORMS[form]
    return Response(await asyncio.to_thread(turn, content), media_type=content_type)
