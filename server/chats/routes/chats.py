"""Make a chat, look at one, stop it, fold it, put it away."""

from collections.abc import Sequence
from uuid import UUID

from fastapi import APIRouter, Depends

from coder_cli.sdk.chats.chats import Chat, CreateChatRequest
from coder_cli.sdk.chats.messages import SubmitToolResultsRequest
from server.chats import model
from server.chats.actions import (
    archiving,
    compacting,
    creating,
    files,
    find,
    listing,
    results,
    stopping,
    turns,
)
from server.chats.convert import requests
from server.chats.convert.chats import shown as to_sdk
from server.chats.routes.bodies import Rules, small
from server.kit.db import Tx
from server.kit.routing import Db, Me

routes = APIRouter()


@routes.post("", status_code=201, dependencies=[Depends(small)])
async def post_chat(db: Db, me: Me, rules: Rules, body: CreateChatRequest) -> Chat:
    """Make a chat and begin its first turn."""
    created = await creating.create(db, me, requests.chat_order(body), rules)
    async with db.tx(me) as tx:
        return await _served(tx, created.chat, created.warnings)


@routes.get("/{chat}")
async def get_chat(db: Db, me: Me, chat: UUID) -> Chat:
    """Return a chat with its files."""
    async with db.tx(me) as tx:
        found = await find.chat(tx, chat)
        (shown,) = await listing.complete(tx, [found])
        return to_sdk(shown, files=await files.of_chat(tx, found.id))


@routes.post("/{chat}/interrupt")
async def post_interrupt(db: Db, me: Me, chat: UUID) -> Chat:
    """Stop a chat; one that is idle stays as it is."""
    async with db.tx(me) as tx:
        return await _served(tx, await stopping.interrupt(tx, chat))


@routes.post("/{chat}/compact")
async def post_compact(db: Db, me: Me, chat: UUID) -> Chat:
    """Have the history folded."""
    async with db.tx(me) as tx:
        return await _served(tx, await compacting.request_compaction(tx, chat))


@routes.post("/{chat}/clear")
async def post_clear(db: Db, me: Me, chat: UUID) -> Chat:
    """Hide the history from the model."""
    async with db.tx(me) as tx:
        return await _served(tx, await compacting.clear(tx, chat))


@routes.post("/{chat}/reconcile-invalid")
async def post_reconcile(db: Db, me: Me, chat: UUID) -> Chat:
    """Repair a chat whose state cannot be; any other stays as it is."""
    async with db.tx(me) as tx:
        found = await find.locked(tx, chat)
        done = await turns.reconcile(tx, found)
        return await _served(tx, found if done is None else done.chat)


@routes.post("/{chat}/tool-results", status_code=204, dependencies=[Depends(small)])
async def post_tool_results(db: Db, me: Me, chat: UUID, body: SubmitToolResultsRequest) -> None:
    """Answer the calls of the client's tools that a chat waits for."""
    async with db.tx(me) as tx:
        await results.submit(tx, chat, requests.results(body))


@routes.post("/{chat}/archive", status_code=204, include_in_schema=False)
async def post_archive(db: Db, me: Me, chat: UUID) -> None:
    """Put a chat away with its sub-agents, as older clients ask; newer ones PATCH it."""
    async with db.tx(me) as tx:
        await archiving.archive(tx, await find.locked(tx, chat))


@routes.post("/{chat}/unarchive", status_code=204, include_in_schema=False)
async def post_unarchive(db: Db, me: Me, chat: UUID) -> None:
    """Bring a chat back with its sub-agents, as older clients ask; newer ones PATCH it."""
    async with db.tx(me) as tx:
        await archiving.unarchive(tx, await find.locked(tx, chat))


async def _served(tx: Tx, chat: model.Chat, warnings: Sequence[str] = ()) -> Chat:
    (shown,) = await listing.complete(tx, [chat])
    return to_sdk(shown, warnings=warnings)
