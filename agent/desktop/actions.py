"""What a model does with a mouse and a keyboard, on a screen of the size it was told."""

import asyncio
import base64
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Final

from agent.desktop.keys import chord, typed
from agent.desktop.rfb import Screen
from coder_cli.kit.clock import Clock
from coder_cli.sdk.agentapi.desktop import Action, ActionName, ActionResult

HOLD: Final = 1000
LONGEST_HOLD: Final = 60_000
"""Milliseconds."""
SCROLL: Final = 3
MOST_SCROLL: Final = 100
MOST_TYPED: Final = 10_000
LARGEST_SCALED: Final = 8192
_LEFT, _MIDDLE, _RIGHT = 1, 2, 3
_WHEEL: Final[Mapping[str, int]] = {"up": 4, "down": 5, "left": 6, "right": 7}


class WrongAction(ValueError):
    """It cannot be done; the message is a sentence."""


@dataclass(frozen=True, slots=True)
class Hand:
    """Does one action."""

    screen: Screen
    clock: Clock
    wanted: Action

    async def act(self) -> ActionResult:
        """Do it.

        Raises:
            WrongAction: nobody can do that.
            UnknownKey: there is no such key.
            NotRfb: the screen is gone.
        """
        name = self.wanted.action
        if name not in set(ActionName):
            raise WrongAction(f"Unknown action: {name}")
        match ActionName(name):
            case ActionName.SCREENSHOT:
                return await self._screenshot()
            case ActionName.CURSOR_POSITION:
                x, y = self._declared(*self.screen.pointer)
                return ActionResult(f"x={x},y={y}")
            case known:
                await self._moves()[known]()
                return ActionResult(f"{name} action performed")

    def _moves(self) -> Mapping[ActionName, Callable[[], Awaitable[None]]]:
        return {
            ActionName.KEY: self._press,
            ActionName.KEY_DOWN: lambda: self._keys(down=True),
            ActionName.KEY_UP: lambda: self._keys(down=False),
            ActionName.TYPE: self._type,
            ActionName.HOLD_KEY: self._hold,
            ActionName.MOUSE_MOVE: lambda: self._move(self.wanted.coordinate),
            ActionName.LEFT_CLICK: lambda: self._click(_LEFT),
            ActionName.RIGHT_CLICK: lambda: self._click(_RIGHT),
            ActionName.MIDDLE_CLICK: lambda: self._click(_MIDDLE),
            ActionName.DOUBLE_CLICK: lambda: self._click(_LEFT, times=2),
            ActionName.TRIPLE_CLICK: lambda: self._click(_LEFT, times=3),
            ActionName.LEFT_MOUSE_DOWN: lambda: self._button(down=True),
            ActionName.LEFT_MOUSE_UP: lambda: self._button(down=False),
            ActionName.LEFT_CLICK_DRAG: self._drag,
            ActionName.SCROLL: self._scroll,
        }

    async def _screenshot(self) -> ActionResult:
        picture = await self.screen.picture()
        width, height = self._size()
        png = await asyncio.to_thread(lambda: picture.scaled(width, height).png())
        return ActionResult("", base64.b64encode(png).decode(), width, height)

    async def _press(self) -> None:
        async with AsyncExitStack() as held:
            await self._push(held, self._text())

    async def _hold(self) -> None:
        duration = self.wanted.duration if self.wanted.duration is not None else HOLD
        if not 0 <= duration <= LONGEST_HOLD:
            raise WrongAction(f"duration is from 0 to {LONGEST_HOLD} milliseconds.")
        async with AsyncExitStack() as held:
            await self._push(held, self._text())
            await self.clock.sleep(duration / 1000)

    async def _push(self, held: AsyncExitStack, keys: str) -> None:
        """Press keys, and let go of them, the last one first, at the end of ``held``."""
        for key in chord(keys):
            await self.screen.key(key, down=True)
            held.push_async_callback(self.screen.key, key, down=False)

    async def _keys(self, *, down: bool) -> None:
        for key in chord(self._text()):
            await self.screen.key(key, down=down)

    async def _type(self) -> None:
        text = self._text()
        if len(text) > MOST_TYPED:
            raise WrongAction(f"text has {MOST_TYPED} characters at most.")
        for key in typed(text):
            await self.screen.key(key, down=True)
            await self.screen.key(key, down=False)

    async def _click(self, number: int, times: int = 1) -> None:
        await self._move_if_told()
        async with AsyncExitStack() as held:
            await self._push(held, self.wanted.text or "")
            for _ in range(times):
                await self.screen.button(number, down=True)
                await self.screen.button(number, down=False)

    async def _button(self, *, down: bool) -> None:
        await self._move_if_told()
        await self.screen.button(_LEFT, down=down)

    async def _drag(self) -> None:
        if self.wanted.start_coordinate is not None:
            await self._move(self.wanted.start_coordinate)
        begin, end = self.screen.pointer, self._real(self.wanted.coordinate)
        await self.screen.button(_LEFT, down=True)
        # Most programs take it for a drag only when they see the pointer on its way.
        await self.screen.move((begin[0] + end[0]) // 2, (begin[1] + end[1]) // 2)
        await self.screen.move(*end)
        await self.screen.button(_LEFT, down=False)

    async def _scroll(self) -> None:
        direction = self.wanted.scroll_direction or "down"
        amount = self.wanted.scroll_amount if self.wanted.scroll_amount is not None else SCROLL
        if direction not in _WHEEL:
            raise WrongAction("scroll_direction is one of up, down, left and right.")
        if not 0 <= amount <= MOST_SCROLL:
            raise WrongAction(f"scroll_amount is from 0 to {MOST_SCROLL}.")
        await self._move_if_told()
        async with AsyncExitStack() as held:
            await self._push(held, self.wanted.text or "")
            for _ in range(amount):
                await self.screen.button(_WHEEL[direction], down=True)
                await self.screen.button(_WHEEL[direction], down=False)

    async def _move_if_told(self) -> None:
        if self.wanted.coordinate is not None:
            await self._move(self.wanted.coordinate)

    async def _move(self, place: tuple[int, ...] | None) -> None:
        await self.screen.move(*self._real(place))

    def _text(self) -> str:
        if not self.wanted.text:
            raise WrongAction(f"{self.wanted.action} needs text.")
        return self.wanted.text

    def _size(self) -> tuple[int, int]:
        """Return the size of the screen as whoever asks sees it."""
        width = self.wanted.scaled_width or self.screen.width
        height = self.wanted.scaled_height or self.screen.height
        if not (0 < width <= LARGEST_SCALED and 0 < height <= LARGEST_SCALED):
            raise WrongAction(f"scaled_width and scaled_height are from 1 to {LARGEST_SCALED}.")
        return width, height

    def _real(self, place: tuple[int, ...] | None) -> tuple[int, int]:
        if place is None or len(place) != 2:
            raise WrongAction(f"{self.wanted.action} needs a coordinate: [x, y].")
        width, height = self._size()
        return place[0] * self.screen.width // width, place[1] * self.screen.height // height

    def _declared(self, x: int, y: int) -> tuple[int, int]:
        width, height = self._size()
        return x * width // self.screen.width, y * height // self.screen.height
