"""A workspace's desktop, as the agent's HTTP API shows and moves it."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

VNC: Final = "/api/v0/desktop/vnc"
"""A WebSocket of binary frames: RFB, as viewers in browsers speak it."""
ACTION: Final = "/api/v0/desktop/action"


class ActionName(StrEnum):
    """What can be done."""

    KEY = "key"
    KEY_DOWN = "key_down"
    KEY_UP = "key_up"
    TYPE = "type"
    HOLD_KEY = "hold_key"
    CURSOR_POSITION = "cursor_position"
    MOUSE_MOVE = "mouse_move"
    LEFT_CLICK = "left_click"
    LEFT_CLICK_DRAG = "left_click_drag"
    LEFT_MOUSE_DOWN = "left_mouse_down"
    LEFT_MOUSE_UP = "left_mouse_up"
    RIGHT_CLICK = "right_click"
    MIDDLE_CLICK = "middle_click"
    DOUBLE_CLICK = "double_click"
    TRIPLE_CLICK = "triple_click"
    SCROLL = "scroll"
    SCREENSHOT = "screenshot"


@dataclass(frozen=True, slots=True)
class Action:
    """One thing to do. Places are on a screen of ``scaled_width`` by ``scaled_height``."""

    action: str
    coordinate: tuple[int, ...] | None = None
    start_coordinate: tuple[int, ...] | None = None
    text: str | None = None
    """What to type; or keys, as in ``ctrl+s``; with a click the keys that are held."""
    duration: int | None = None
    """Milliseconds for which keys are held."""
    scroll_amount: int | None = None
    scroll_direction: str | None = None
    scaled_width: int | None = None
    scaled_height: int | None = None


@dataclass(frozen=True, slots=True)
class ActionResult:
    """What came of it; ``screenshot_data`` is a PNG in Base64."""

    output: str = ""
    screenshot_data: str = ""
    screenshot_width: int = 0
    screenshot_height: int = 0
