"""The desktop's API: one method for each route."""

import asyncio
from contextlib import suppress
from typing import Final

from agent.desktop.actions import Hand, WrongAction
from agent.desktop.keys import UnknownKey
from agent.desktop.rfb import NotRfb, Screen
from agent.desktop.server import Desktop
from agent.desktop.starting import NoDesktop
from agent.network import join_tcp
from agent.network.frames import Frames
from agent.network.http import Answer, Refusal, Request, Table, Upgrade
from coder_cli.kit.clock import Clock
from coder_cli.sdk.agentapi import desktop, to_json

PATIENCE: Final = 90.0
"""Seconds for one action: longer than any key is held."""
LARGEST_FRAME: Final = 16 * 1024 * 1024
FAILED: Final = "The workspace has no desktop."


class DesktopRoutes:
    """Shows a desktop to viewers, and moves it for models."""

    def __init__(self, shown: Desktop, clock: Clock) -> None:
        self._desktop = shown
        self._clock = clock
        self._turn = asyncio.Lock()
        self._screen: Screen | None = None

    def mount(self, table: Table) -> None:
        """Add the routes."""
        table.add("GET", desktop.VNC, self._vnc)
        table.add("POST", desktop.ACTION, self._action)

    async def _vnc(self, _: Request) -> Upgrade:
        try:
            await self._desktop.place()
        except NoDesktop as error:
            raise Refusal(424, FAILED, str(error)) from None
        return Upgrade(self._pass_through, LARGEST_FRAME)

    async def _pass_through(self, frames: Frames) -> None:
        try:
            reader, writer = await self._desktop.connect()
        except NoDesktop as error:
            await frames.close(1011, str(error)[:100])
            return
        await join_tcp(frames, reader, writer)

    async def _action(self, request: Request) -> Answer:
        wanted = await request.shape(desktop.Action)
        # One model at a time has the mouse; keys stay pressed from one action to the next.
        async with self._turn:
            try:
                async with asyncio.timeout(PATIENCE):
                    return Answer(200, to_json(await self._act(wanted)))
            except (WrongAction, UnknownKey) as error:
                raise Refusal(400, str(error)) from None
            except BaseException as error:
                self._leave()  # Who knows what of it was said.
                if isinstance(error, (NoDesktop, NotRfb)):
                    raise Refusal(424, FAILED, str(error)) from None
                if isinstance(error, TimeoutError):
                    raise Refusal(504, "The desktop did not answer in time.") from None
                raise

    async def _act(self, wanted: desktop.Action) -> desktop.ActionResult:
        if self._screen is not None and self._screen.gone:
            self._leave()
        if self._screen is None:
            self._screen = await Screen.greet(*await self._desktop.connect())
        return await Hand(self._screen, self._clock, wanted).act()

    def _leave(self) -> None:
        if self._screen is not None:
            with suppress(OSError):
                self._screen.close()
            self._screen = None
