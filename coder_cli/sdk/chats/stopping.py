"""The kill switch: stop all chats of a user or of the deployment, and let them go on again.

``POST /chats/kill-switch`` stops, ``DELETE /chats/kill-switch?user=`` lets go on, ``GET`` tells who
is stopped: all pauses for admins, for others what concerns them.
"""

from uuid import UUID

from coder_cli.sdk.chats.omitted import Filled, Maybe
from coder_cli.sdk.common import Request, Shape, Time


class StopChatsRequest(Request):
    """Whom to stop, and why. Without ``pause`` what waits in queues goes on at once."""

    user: str = ""
    """A name, an id or ``me``; empty is everybody."""
    reason: str = ""
    """Told to whoever wants to say something meanwhile."""
    pause: bool = True
    """Nothing begins until it is lifted. Without, users may stop all chats of their own."""


class StopChatsResponse(Shape):
    """How many chats were at work, and were stopped."""

    stopped: int
    paused: bool


class ChatPause(Shape):
    """Whose chats begin nothing; without a user it is everybody's."""

    user_id: Maybe[UUID] = None
    username: Filled[str] = ""
    reason: Filled[str] = ""
    paused_by: Maybe[UUID] = None
    paused_by_username: Filled[str] = ""
    created_at: Time


class ChatPauses(Shape):
    """``paused`` says whether the caller's own chats begin nothing."""

    paused: bool
    pauses: list[ChatPause] = []
