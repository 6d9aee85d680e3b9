"""HTTP over streams of the relay: what answers on port 4 of an agent."""

import asyncio
from typing import Final

from agent.network.frames import Frames
from agent.network.http.conversation import Conversation
from agent.network.http.messages import App
from agent.network.transport import serve_protocol
from coder_cli.kit.clock import Clock

MOST_CONNECTIONS: Final = 200


class Front:
    """Answers whoever opened a stream; the server has asked before whether they may."""

    def __init__(self, app: App, clock: Clock) -> None:
        self._app = app
        self._clock = clock
        self._open = 0

    async def serve(self, frames: Frames) -> None:
        """Serve one stream until it ends."""
        refused = self._open >= MOST_CONNECTIONS
        self._open += 1
        try:
            async with asyncio.TaskGroup() as group:

                def begin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                    conversation = Conversation(reader, writer, self._clock)
                    group.create_task(self._converse(conversation, refused=refused))

                protocol = asyncio.StreamReaderProtocol(asyncio.StreamReader(), begin)
                await serve_protocol(frames, lambda: protocol)
        finally:
            self._open -= 1

    async def _converse(self, conversation: Conversation, *, refused: bool) -> None:
        if refused:
            await conversation.refuse(503, f"{MOST_CONNECTIONS} connections are open already.")
        else:
            await conversation.run(self._app)
