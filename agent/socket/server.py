"""The socket of an agent: opened before the first script runs, closed after the last one."""

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Final

from agent.kit.child import within
from agent.network.http import Conversation
from agent.socket.board import Board
from agent.socket.place import NotAvailable, Place, take
from agent.socket.routes import Routes
from coder_cli.kit.clock import Clock
from coder_cli.sdk.agentapi import AppStatus
from coder_cli.sdk.agentsocket import peer_uid

MOST_CONNECTIONS: Final = 1000
_MORE_TO_REFUSE: Final = 100
"""Connections above the limit that still hear why they are refused."""
_END_WITHIN: Final = 1.0
log = logging.getLogger("agent.socket")


class Socket:
    """The agent's door for the workspace's own processes, as one user to themselves."""

    def __init__(
        self,
        places: Sequence[str],
        clock: Clock,
        tell: Callable[[AppStatus], Awaitable[object]],
    ) -> None:
        self._places = places
        self._clock = clock
        self._board = Board(clock)
        self._routes = Routes(self._board, tell)
        self._place: Place | None = None
        self._server: asyncio.Server | None = None
        self._conversations: dict[Conversation, asyncio.Task[object]] = {}
        self._silent = asyncio.Event()
        self._silent.set()

    @property
    def path(self) -> str:
        """Return where the socket is; empty while it is closed."""
        return str(self._place.path) if self._place else ""

    async def open(self) -> None:
        """Listen at the first of our places where that can be.

        Processes learn the place from their environment. Without any socket the agent goes on:
        a person must be able to log in and see what is wrong.
        """
        for path in self._places:
            try:
                self._place = take(Path(path))
            except NotAvailable as no:
                log.warning("%s", no)
                continue
            listener = self._place.listener
            self._server = await asyncio.start_unix_server(self._serve, sock=listener)
            log.info("the socket is %s", self._place.path)
            return
        if self._places:
            log.warning("there is no socket for the workspace's processes: exp sync will not work")

    async def close(self) -> None:
        """Refuse whoever waits, and be gone."""
        self._board.end()
        for conversation in self._conversations:
            conversation.last = True
        if self._place:
            self._place.leave()
            self._place = None
        if self._server:
            self._server.close()
        await within(self._silent.wait(), _END_WITHIN, self._clock)
        for task in self._conversations.values():
            task.cancel()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        conversation = Conversation(reader, writer, self._clock)
        if len(self._conversations) > MOST_CONNECTIONS + _MORE_TO_REFUSE:
            writer.close()
            return
        task = asyncio.current_task()
        assert task is not None
        self._conversations[conversation] = task
        self._silent.clear()
        try:
            await self._converse(conversation)
        except asyncio.CancelledError:
            # This is the end of the task. Python 3.11 logs one that was cancelled as an error.
            return
        finally:
            del self._conversations[conversation]
            if not self._conversations:
                self._silent.set()

    async def _converse(self, conversation: Conversation) -> None:
        uid = peer_uid(conversation.writer.get_extra_info("socket"))
        if uid not in (None, os.getuid()):
            words = f"this agent listens to user {os.getuid()} only, and you are user {uid}"
            await conversation.refuse(403, words)
        elif len(self._conversations) > MOST_CONNECTIONS:
            await conversation.refuse(503, f"{MOST_CONNECTIONS} connections are open already")
        else:
            await conversation.run(self._routes)
