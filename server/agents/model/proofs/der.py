"""As much of DER as signed data needs: elements by their tag and length. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass


class BadDer(ValueError):
    """These bytes are no DER."""


@dataclass(frozen=True, slots=True)
class Element:
    """One element. ``whole`` has its tag and length too."""

    tag: int
    content: bytes
    whole: bytes

    def parts(self) -> list["Element"]:
        """Return what is inside.

        Raises:
            BadDer: the inside is no row of elements.
        """
        return list(elements(self.content))


def elements(data: bytes) -> Iterator[Element]:
    """Yield the elements of ``data`` one after the other.

    Raises:
        BadDer: it ends amid one, or has a length of an unknown kind.
    """
    at = 0
    while at < len(data):
        begin, after_tag = at, at + 2
        if after_tag > len(data):
            raise BadDer("it ends amid a length")
        tag, length, at = data[at], data[at + 1], after_tag
        if length & 0x80:
            more = length & 0x7F
            if not 1 <= more <= 4 or at + more > len(data):
                raise BadDer("it has a length of an unknown kind")
            length, at = int.from_bytes(data[at : at + more]), at + more
        if tag & 0x1F == 0x1F or at + length > len(data):
            raise BadDer("it ends amid an element")
        yield Element(tag, data[at : at + length], data[begin : at + length])
        at += length


def only(data: bytes) -> Element:
    """Return the one element of ``data``.

    Raises:
        BadDer: there is none, or more.
    """
    found = list(elements(data))
    if len(found) != 1:
        raise BadDer("it is not one element")
    return found[0]
