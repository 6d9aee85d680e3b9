"""A terminal that we keep ourselves: one process, a model of its screen, any number of clients.

A client that comes gets the screen as the model has it, then what the process writes. With one
client the process waits for it; with several, those that fall behind get the screen anew.
"""

from typing import Final

from typing_extensions import override

from agent.pty.client import Client
from agent.pty.model import Model
from agent.pty.options import Command, PtyOptions
from agent.pty.parser import Parser
from agent.pty.redraw import redraw
from agent.pty.session import Session, describe
from agent.pty.tty import Ears, Tty
from agent.pty.wire import Init, Said

_UNREAD: Final = 128 * 1024
"""Bytes that the model need not know yet: floods are cheaper to follow in large pieces."""


class Buffered(Session):
    """The backend that is always there."""

    def __init__(self, options: PtyOptions, command: Command, init: Init) -> None:
        """Start the process. Raises ``OSError`` if that cannot be done."""
        super().__init__(options.clock)
        self._model = Model(init.columns, init.rows)
        self._parser = Parser(self._model)
        self._unread = bytearray()
        self._begun = False
        """The process has written something."""
        ears = Ears(self._data, self._exited, self._hold, self._release)
        self._tty = Tty(command, options.children, (init.columns, init.rows), ears)

    @override
    def join(self, client: Client) -> None:
        self._resize((client.init.columns, client.init.rows))
        if self._begun:
            client.show(self._screen())
        client.on_room = lambda: self._has_room(client)
        self.clients.add(client)
        self._balance()

    @override
    def leave(self, client: Client) -> None:
        self.clients.discard(client)
        self._balance()

    @override
    def hear(self, client: Client, said: Said) -> None:
        if said.size:
            self._resize(said.size)
        if said.data:
            self._tty.feed(said.data)

    @override
    async def end(self) -> None:
        self.over = True
        await self._tty.end(self.clock)

    def _data(self, data: bytes) -> None:
        self._begun = True
        self._unread += data
        if len(self._unread) >= _UNREAD:
            self._read()
        for client in self.clients:
            client.show(data)
        self._balance()

    def _read(self) -> None:
        self._parser.feed(bytes(self._unread))
        self._unread.clear()

    def _screen(self) -> bytes:
        self._read()
        return redraw(self._model) + self._parser.rest

    def _resize(self, size: tuple[int, int]) -> None:
        if size != (self._model.columns, self._model.rows):
            self._read()
            self._model.resize(*size)
            self._tty.resize(size)

    def _has_room(self, client: Client) -> None:
        if client.lost:
            client.lost = False
            client.show(self._screen())
        self._balance()

    def _balance(self) -> None:
        """Let the process wait while everybody is behind; it goes on without anybody."""
        if self.clients and all(client.behind for client in self.clients):
            self._tty.pause()
        else:
            self._tty.resume()

    def _hold(self) -> None:
        for client in self.clients:
            client.hold()

    def _release(self) -> None:
        for client in self.clients:
            client.release()

    def _exited(self, code: int) -> None:
        self.over = True
        for client in self.clients:
            client.finish(*describe(code))
        self.on_over()
