"""The kill switch: stop every chat of a user or of the deployment, and let none begin until lifted.

What was said by then is kept, and so is what waits in queues. A chat whose queue is not empty goes
on with it as soon as the switch is released.
"""

from dataclasses import dataclass
from uuid import UUID

from server import identity
from server.chats import policy
from server.chats.actions import stopping
from server.chats.actions.telling import tell
from server.chats.actions.turns import Ended
from server.chats.events import PausesChanged
from server.chats.model import Status
from server.chats.model.spending import Pause
from server.chats.store import chats, pausing
from server.kit.authz import Actor
from server.kit.db import Database, Tx
from server.kit.errors import Invalid

AT_ONCE = 50
"""Chats that are stopped in one transaction: their rows are locked until its end."""
LONGEST_REASON = 1000
ZERO = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Stop:
    """Whom to stop; an empty ``user`` is everybody."""

    user: str = ""
    reason: str = ""
    pause: bool = True
    """Let nothing begin until it is lifted; else queues go on at once."""


async def stop(db: Database, actor: Actor, order: Stop) -> int:
    """Stop chats, and return how many were at it.

    The pause comes first and is committed: nothing begins behind the back of what is stopped.

    Raises:
        NotFound: there is no such user, or the actor may not change settings of the deployment.
        Forbidden: an actor who may not do that can stop their own chats, not pause them.
    """
    if len(order.reason) > LONGEST_REASON:
        raise Invalid(f"The reason must have at most {LONGEST_REASON} characters.")
    async with db.tx(actor) as tx:
        owner_id = await _whom(tx, order)
        if order.pause:
            await pausing.put(tx, owner_id, order.reason.strip())
            await tx.announce(PausesChanged(owner_id=owner_id))
    stopped, last = 0, ZERO
    while True:
        async with db.tx(actor) as tx:
            ids = await pausing.running(tx, owner_id, last, AT_ONCE)
            for chat_id in ids:
                stopped += await _stop(tx, chat_id)
        if not ids:
            return stopped
        last = ids[-1]


async def release(tx: Tx, user: str) -> bool:
    """Let chats go on; False when nobody had stopped them.

    Raises:
        NotFound: there is no such user, or the actor may not change settings of the deployment.
    """
    policy.may_configure(tx.actor)
    owner_id = (await identity.resolve_user(tx, user)).id if user else None
    lifted = await pausing.lift(tx, owner_id)
    await tx.announce(PausesChanged(owner_id=owner_id))
    return lifted


async def pauses(tx: Tx) -> list[Pause]:
    """Return who is stopped: all for admins, and for others what concerns them."""
    return await pausing.listed(tx, everything=policy.configures(tx.actor))


async def _whom(tx: Tx, order: Stop) -> UUID | None:
    if order.user:
        user = await identity.resolve_user(tx, order.user)
        if user.id != tx.actor.id or order.pause:
            policy.may_configure(tx.actor)
        return user.id
    policy.may_configure(tx.actor)
    return None


async def _stop(tx: Tx, chat_id: UUID) -> bool:
    chat = await chats.lock(tx, chat_id)
    if chat is None:
        return False
    policy.may_update(tx.actor, chat)
    done = await stopping.interrupted(tx, Ended(chat, history_before=chat.history_version))
    if chat.status is Status.REQUIRES_ACTION:
        # Its client's tools were answered in their place, and its model would go on with that.
        done = await stopping.interrupted(tx, done)
    if done.changes:
        await tell(tx, done.chat, *done.changes, ids=done.ids)
    return True
