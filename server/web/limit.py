"""No request may fill the memory: bodies end somewhere, announced or not."""

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from server.kit.errors import TooLarge

LARGEST_BODY = 16 << 20
"""More than any route takes: template archives are the largest, at 10 MiB."""


class BodyLimit:
    """Refuse bodies of more than ``largest`` bytes."""

    def __init__(self, app: ASGIApp, largest: int = LARGEST_BODY) -> None:
        self._app = app
        self._largest = largest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        announced = Headers(scope=scope).get("content-length", "")
        if announced.isdecimal() and int(announced) > self._largest:
            refusal = JSONResponse({"message": self._words()}, status_code=TooLarge.status)
            await refusal(scope, receive, send)
            return
        taken = 0

        async def counted() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > self._largest:
                raise TooLarge(self._words())
            return message

        await self._app(scope, counted, send)

    def _words(self) -> str:
        return f"The request body is larger than {self._largest >> 20} MiB."
