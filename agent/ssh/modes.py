"""Terminal modes as SSH encodes them (RFC 4254, section 8), set on a terminal."""

import contextlib
import termios
from collections.abc import Mapping
from typing import Final

_CHARACTERS: Final[Mapping[int, int]] = {
    1: termios.VINTR,
    2: termios.VQUIT,
    3: termios.VERASE,
    4: termios.VKILL,
    5: termios.VEOF,
    6: termios.VEOL,
    7: termios.VEOL2,
    8: termios.VSTART,
    9: termios.VSTOP,
    10: termios.VSUSP,
    12: termios.VREPRINT,
    13: termios.VWERASE,
    14: termios.VLNEXT,
    18: termios.VDISCARD,
}
_INPUT, _OUTPUT, _LOCAL = 0, 1, 3
"""Where ``tcgetattr`` keeps the three sets of flags."""
_FLAGS: Final[Mapping[int, tuple[int, int]]] = {
    30: (_INPUT, termios.IGNPAR),
    31: (_INPUT, termios.PARMRK),
    32: (_INPUT, termios.INPCK),
    33: (_INPUT, termios.ISTRIP),
    34: (_INPUT, termios.INLCR),
    35: (_INPUT, termios.IGNCR),
    36: (_INPUT, termios.ICRNL),
    38: (_INPUT, termios.IXON),
    39: (_INPUT, termios.IXANY),
    40: (_INPUT, termios.IXOFF),
    41: (_INPUT, termios.IMAXBEL),
    42: (_INPUT, getattr(termios, "IUTF8", 0x4000)),
    50: (_LOCAL, termios.ISIG),
    51: (_LOCAL, termios.ICANON),
    53: (_LOCAL, termios.ECHO),
    54: (_LOCAL, termios.ECHOE),
    55: (_LOCAL, termios.ECHOK),
    56: (_LOCAL, termios.ECHONL),
    57: (_LOCAL, termios.NOFLSH),
    58: (_LOCAL, termios.TOSTOP),
    59: (_LOCAL, termios.IEXTEN),
    60: (_LOCAL, termios.ECHOCTL),
    61: (_LOCAL, termios.ECHOKE),
    62: (_LOCAL, termios.PENDIN),
    70: (_OUTPUT, termios.OPOST),
    72: (_OUTPUT, termios.ONLCR),
    73: (_OUTPUT, termios.OCRNL),
    74: (_OUTPUT, termios.ONOCR),
    75: (_OUTPUT, termios.ONLRET),
}
_DISABLED: Final = 255
"""SSH's word for "no character does that"."""


def apply_modes(fd: int, modes: Mapping[int, int]) -> None:
    """Set ``modes`` (opcode to value) on the terminal ``fd``; unknown ones are passed over."""
    flags = termios.tcgetattr(fd)
    characters: list[bytes] = flags[6]
    for opcode, value in modes.items():
        if opcode in _CHARACTERS:
            code = 0 if value == _DISABLED else value & 0xFF
            characters[_CHARACTERS[opcode]] = bytes([code])
        elif opcode in _FLAGS:
            kind, bit = _FLAGS[opcode]
            flags[kind] = flags[kind] | bit if value else flags[kind] & ~bit
    with contextlib.suppress(termios.error):
        termios.tcsetattr(fd, termios.TCSANOW, flags)
