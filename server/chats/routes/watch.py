"""All chats of whoever asks, as a WebSocket of what happens to them.

Source: reference, chats, section 2.8.
"""

from typing import Any
from uuid import UUID

from fastapi import APIRouter, WebSocket

from server import identity
from server.chats import policy
from server.chats.actions.watching import Outlook, Watches
from server.kit.errors import ApiError, Forbidden, Unauthorized
from server.kit.pubsub import Bell, Pubsub
from server.kit.routing import Authenticator, Me, service
from server.kit.speaking import speak

routes = APIRouter()

LOOK_EVERY = 60.0
NORMAL, BEHIND, FORBIDDEN = 1000, 4408, 4403


@routes.websocket("/watch")
async def watch(websocket: WebSocket, me: Me) -> None:
    """Send what happens to the actor's chats from now on, one event in each frame."""
    policy.may_watch(me)
    with service(websocket, Watches).open(me.user_id) as (outlook, bell):
        await websocket.accept()
        await speak(websocket, me.id, _send(websocket, me.user_id, outlook, bell))


async def _send(websocket: WebSocket, user_id: UUID, outlook: Outlook, bell: Bell) -> int:
    watches, place, doubt = service(websocket, Watches), outlook.next, False

    def suspect(_: dict[str, Any] | None) -> None:
        nonlocal doubt
        doubt = True
        bell.ring()

    with service(websocket, Pubsub).tap(identity.access_topic(user_id), suspect):
        while True:
            await watches.news(outlook)
            if place < outlook.first:
                # Too far behind: whoever comes anew reads the list, and misses nothing.
                return BEHIND
            events = outlook.events[place - outlook.first :]
            place += len(events)
            for event in events:
                await websocket.send_text(event)
            if events:
                continue
            rung = await bell.wait(LOOK_EVERY)
            if (doubt or not rung) and not await _may_stay(websocket):
                return FORBIDDEN
            doubt = False


async def _may_stay(websocket: WebSocket) -> bool:
    try:
        policy.may_watch(await service(websocket, Authenticator)(websocket))
    except (Unauthorized, Forbidden):
        return False
    except ApiError:
        return True
    return True
