"""How large a request to a chat may be. Source: reference, chats, section 1.19."""

from typing import Annotated

from fastapi import Depends, Request

from server.chats.model.config import LARGEST_BODY
from server.chats.model.rules import ChatRules
from server.kit.errors import TooLarge
from server.kit.routing import provided

Rules = Annotated[ChatRules, Depends(provided(ChatRules))]
"""How much a chat may hold on this deployment."""


async def small(request: Request) -> None:
    """Refuse bodies that no message needs.

    Raises:
        TooLarge: it has more than 256 KiB.
    """
    if len(await request.body()) > LARGEST_BODY:
        raise TooLarge("Request body too large.", detail=f"Maximum is {LARGEST_BODY} bytes.")
