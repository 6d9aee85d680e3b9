"""What was said in a chat, saying more, and saying it otherwise."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query

from coder_cli.sdk.chats.messages import (
    ChatMessagesResponse,
    CreateChatMessageRequest,
    CreateChatMessageResponse,
    EditChatMessageRequest,
    EditChatMessageResponse,
)
from server.chats.actions import editing, reading, sending
from server.chats.convert import log, requests
from server.chats.errors import BadMessageID, BadPage
from server.chats.model import MessagePage
from server.chats.routes.bodies import Rules, small
from server.kit.routing import Db, Me

routes = APIRouter(prefix="/{chat}/messages")

LARGEST_ID = 2**63 - 1
Cursor = Annotated[int | None, Query(ge=0, le=LARGEST_ID)]


async def _page(
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    before_id: Cursor = None,
    after_id: Cursor = None,
) -> MessagePage:
    if before_id is not None and after_id is not None and after_id >= before_id:
        raise BadPage("after_id", "must be less than before_id.")
    return MessagePage(limit, before_id, after_id)


def message_id(text: str) -> int:
    """Return the id of a message that a path names.

    Raises:
        BadMessageID: it is none.
    """
    # Twenty digits are beyond the largest; more than 4,300 of them Python would not read.
    if not (text.isascii() and text.isdecimal() and len(text) < 20):
        raise BadMessageID
    number = int(text)
    if not 0 < number <= LARGEST_ID:
        raise BadMessageID
    return number


@routes.get("")
async def get_messages(
    db: Db, me: Me, chat: UUID, wanted: Annotated[MessagePage, Depends(_page)]
) -> ChatMessagesResponse:
    """Return a page of a chat; what waits is told with the newest one."""
    async with db.tx(me) as tx:
        read = await reading.page(tx, chat, wanted)
    return log.page(read.messages, read.queued, more=read.more)


@routes.post("", dependencies=[Depends(small)])
async def post_message(
    db: Db, me: Me, rules: Rules, chat: UUID, body: CreateChatMessageRequest
) -> CreateChatMessageResponse:
    """Say something: it runs now, or waits."""
    async with db.tx(me) as tx:
        sent = await sending.send(tx, chat, requests.message_order(body), rules)
    added = [log.message(row) for row in sent.messages]
    return CreateChatMessageResponse(
        message=added[-1] if added and sent.queued is None else None,
        messages=added,
        queued_message=None if sent.queued is None else log.queued(sent.queued),
        queued=sent.queued is not None,
        warnings=list(sent.warnings),
    )


@routes.patch("/{message}", dependencies=[Depends(small)])
async def patch_message(
    db: Db, me: Me, rules: Rules, chat: UUID, message: str, body: EditChatMessageRequest
) -> EditChatMessageResponse:
    """Say something otherwise; what came after it goes."""
    which = message_id(message)
    async with db.tx(me) as tx:
        edited = await editing.edit(tx, chat, which, requests.edit_order(body), rules)
    now = log.message(edited.message)
    return EditChatMessageResponse(
        message=now,
        messages=[now],
        deleted_message_ids=list(edited.deleted),
        warnings=list(edited.warnings),
    )
