"""Why a stream does not come to be, or ends."""

from server.kit.errors import ApiError, NotFound


class Closed(Exception):
    """The other end closed the channel, or the line to it broke."""

    def __init__(self, code: int, reason: str = "") -> None:
        super().__init__(f"{code} {reason}".strip())
        self.code = code
        self.reason = reason


class Unreachable(ApiError):
    """No stream to the agent can be opened now; the message says why."""

    status = 502


class NoSuchStream(NotFound):
    """Nobody waits for this stream: its time ran out, or it was asked of another agent."""

    def __init__(self) -> None:
        super().__init__("Nobody waits for this stream.")
