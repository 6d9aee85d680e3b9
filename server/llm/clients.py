"""Models for chats: made for each turn from what ``models`` resolved, over one shared transport.

The libraries behind real providers are imported at the first call, or by ``preload`` in the
background; a deployment that has only the scripted model never loads them.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from coder_cli.kit.clock import Clock
from server.llm.credentials import Credentials
from server.llm.errors import ErrorKind
from server.llm.failures import failure
from server.llm.model import CallOptions, Model
from server.llm.scripted import PROVIDER as SCRIPTED
from server.llm.scripted import Scripted

if TYPE_CHECKING:
    import httpx2

    from server.llm.wire.model import Line


@dataclass(frozen=True, slots=True)
class CallLimits:
    """How long to wait for providers, and how many calls of one may run at once."""

    startup_seconds: float = 120
    """Until the answer begins."""
    silence_seconds: float = 180
    """Between two signs of life."""
    calls_per_provider: int = 1000
    """More wait for their turn."""
    answer_characters: int = 16 * 1024 * 1024
    """More is no answer but a flood."""


def check_base_url(url: str) -> None:
    """Refuse what is no address of a server.

    Raises:
        ValueError: a sentence that says why.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"}:
        raise ValueError("The base URL must begin with http:// or https://.")
    if not parts.hostname:
        raise ValueError("The base URL names no host.")
    if parts.username or parts.password:
        raise ValueError("The base URL must not hold a user name or password.")


class Clients:
    """Makes models. One for a process; close it at the end.

    Args:
        clock: the time of the scripted model.
        limits: how long to wait, and how much to do at once.
        transport: how to reach providers; tests pass one.
    """

    def __init__(
        self,
        clock: Clock,
        limits: CallLimits | None = None,
        transport: "httpx2.AsyncBaseTransport | None" = None,
    ) -> None:
        self._clock = clock
        self._limits = limits or CallLimits()
        self._transport = transport
        self._lines: dict[str, Line] = {}
        self._failed: dict[str, int] = {}

    def model(
        self, credentials: Credentials, name: str, options: CallOptions | None = None
    ) -> Model:
        """Return a model of a provider; nothing is called yet.

        Raises:
            ModelError: the provider's address is none.
        """
        if credentials.provider == SCRIPTED:
            return Scripted(self._clock, self._failed, name)
        try:
            if credentials.base_url:
                check_base_url(credentials.base_url)
        except ValueError as wrong:
            raise failure(credentials.provider, str(wrong), kind=ErrorKind.CONFIG) from wrong
        from server.llm.wire.model import WireModel

        line = self._line(credentials.provider)
        return WireModel(line, credentials, name, options or CallOptions())

    def _line(self, provider: str) -> "Line":
        from server.llm.wire.http import transport
        from server.llm.wire.model import Line

        if self._transport is None:
            self._transport = transport(self._limits.calls_per_provider * 2)
        line = self._lines.get(provider)
        if line is None:
            line = self._lines[provider] = Line(
                self._transport,
                asyncio.Semaphore(self._limits.calls_per_provider),
                self._limits.startup_seconds,
                self._limits.silence_seconds,
                self._limits.answer_characters,
            )
        return line

    async def preload(self, providers: Iterable[str]) -> None:
        """Import what calls of these providers need, and the table of prices, in a thread."""
        real = sorted(set(providers) - {SCRIPTED})
        if real:
            await asyncio.to_thread(_import, real)

    async def close(self) -> None:
        """Close the connections that are kept."""
        if self._transport is not None:
            await self._transport.aclose()
        self._transport = None
        self._lines.clear()


def _import(providers: Iterable[str]) -> None:
    for name in ("genai_prices", "server.llm.wire.model"):
        import_module(name)
    from server.llm.wire import vendors

    for provider in providers:
        vendors.preload(provider)
