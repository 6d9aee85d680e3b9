"""Files of chats, taken in and given out."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Query, Request, Response

from coder_cli.sdk.chats.files import UploadChatFileResponse
from server.chats.actions import files
from server.chats.errors import FileTooLarge, MissingOrganization
from server.chats.model.files import LARGEST, disposition, upload
from server.kit.errors import Invalid
from server.kit.routing import Db, Me, limit_files

routes = APIRouter()

FOR_EVER = "private, max-age=31536000, immutable"


async def _organization(organization: Annotated[str, Query()] = "") -> UUID:
    if not organization:
        raise MissingOrganization
    try:
        return UUID(organization)
    except ValueError:
        raise Invalid("Invalid organization query parameter.", detail=organization[:100]) from None


async def _body(request: Request) -> bytes:
    """Return the body, but never more than a file may have.

    Raises:
        FileTooLarge: there is more.
    """
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST:
            raise FileTooLarge(LARGEST)
    return bytes(body)


Organization = Annotated[UUID, Depends(_organization)]
Body = Annotated[bytes, Depends(_body)]


@routes.post("/files", status_code=201, dependencies=[Depends(limit_files)])
async def post_file(
    db: Db,
    me: Me,
    organization: Organization,
    body: Body,
    content_type: Annotated[str, Header()] = "",
    content_disposition: Annotated[str, Header()] = "",
) -> UploadChatFileResponse:
    """Store a file that messages may then name."""
    checked = upload(body, content_type, content_disposition)
    async with db.tx(me) as tx:
        return UploadChatFileResponse(id=await files.save(tx, organization, checked))


@routes.get("/files/{file}", response_class=Response)
async def get_file(db: Db, me: Me, file: UUID) -> Response:
    """Return a file as it was stored; it never changes."""
    async with db.tx(me) as tx:
        found = await files.read(tx, file)
    headers = {
        "Content-Disposition": disposition(found.name),
        "Cache-Control": FOR_EVER,
        "X-Content-Type-Options": "nosniff",
    }
    return Response(found.data, media_type=found.mimetype, headers=headers)
