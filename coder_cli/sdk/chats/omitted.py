"""Fields that are left out where they have nothing to say.

Chats differ from older shapes: an absent workspace is no ``null`` but no field. A part of a message
is one flat object in which most fields belong to other types, so this holds for parts above all.
"""

from typing import Annotated, TypeVar

from pydantic import Field

T = TypeVar("T")


def _is_none(value: object) -> bool:
    return value is None


def _is_empty(value: object) -> bool:
    return not value


Maybe = Annotated[T | None, Field(exclude_if=_is_none)]
"""A field that is left out while it is None; give it the default ``None``."""

Filled = Annotated[T, Field(exclude_if=_is_empty)]
"""A field that is left out while it is empty, false or zero; give it that as its default."""
