"""Large payloads of a line, in pieces: a body goes ahead of the message that names it. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from server.provisioning.errors import LineAbused

CHUNK = 128 * 1024
"""Bytes of a body in one frame: heartbeats never wait behind more than two of them."""

LARGEST_BODY = 64 * 1024 * 1024
"""An archive of 10 MiB and a state, in base64, with room."""

MOST_BODIES = 8
"""How many bodies may wait for the message that names them."""

_HEAD = 4


def pieces(number: int, body: bytes) -> Iterator[bytes]:
    """Yield the frames that carry a body."""
    head = number.to_bytes(_HEAD, "big")
    for start in range(0, len(body), CHUNK):
        yield head + body[start : start + CHUNK]


@dataclass(slots=True)
class Bodies:
    """Bodies that have come, whole or in part, and were not asked for yet."""

    largest: int = LARGEST_BODY
    _parts: dict[int, bytearray] = field(default_factory=dict[int, bytearray])

    def take_in(self, frame: bytes) -> None:
        """Add a frame to the body that it is a piece of.

        Raises:
            LineAbused: too large, too many, or no piece at all.
        """
        if not _HEAD < len(frame) <= _HEAD + CHUNK:
            raise LineAbused("a binary frame has a wrong size")
        number = int.from_bytes(frame[:_HEAD], "big")
        if number not in self._parts and len(self._parts) >= MOST_BODIES:
            raise LineAbused("too many payloads at once")
        if sum(map(len, self._parts.values())) + len(frame) - _HEAD > self.largest:
            raise LineAbused(f"the payload was too big: more than {self.largest >> 20} MiB")
        self._parts.setdefault(number, bytearray()).extend(frame[_HEAD:])

    def hand_out(self, number: int, size: int) -> bytes:
        """Return a body, whole, and forget it.

        Raises:
            LineAbused: it is not there, or not as long as was said.
        """
        body = bytes(self._parts.pop(number, b""))
        if len(body) != size:
            raise LineAbused("a payload is not as long as was said")
        return body
