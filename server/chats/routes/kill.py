"""HTTP edges of the kill switch."""

from fastapi import APIRouter

from coder_cli.sdk.chats.stopping import ChatPauses, StopChatsRequest, StopChatsResponse
from server.chats.actions import killing
from server.chats.actions.killing import Stop
from server.chats.convert import money
from server.kit.routing import Db, Me

routes = APIRouter(prefix="/kill-switch")


@routes.get("")
async def get_chat_pauses(db: Db, me: Me) -> ChatPauses:
    """Return whose chats are stopped, as far as it concerns the caller."""
    async with db.tx(me) as tx:
        rows = await killing.pauses(tx)
    mine = any(row.user_id in (None, me.id) for row in rows)
    return ChatPauses(paused=mine, pauses=[money.pause(row) for row in rows])


@routes.post("")
async def post_chat_stop(db: Db, me: Me, body: StopChatsRequest) -> StopChatsResponse:
    """Stop all chats of a user or of the deployment; by default nothing begins until released."""
    stopped = await killing.stop(db, me, Stop(body.user, body.reason, body.pause))
    return StopChatsResponse(stopped=stopped, paused=body.pause)


@routes.delete("", status_code=204)
async def delete_chat_stop(db: Db, me: Me, user: str = "") -> None:
    """Let chats of a user or of the deployment go on."""
    async with db.tx(me) as tx:
        await killing.release(tx, user)
