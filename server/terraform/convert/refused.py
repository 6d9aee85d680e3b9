"""The one way in which a plan that terraform accepts is refused by us."""

from collections.abc import Sequence


class Refused(ValueError):
    """The template breaks a rule of ours; the message is a sentence for its author."""

    def __init__(self, message: str, about: str = "", other: str = "") -> None:
        super().__init__(message)
        self.about = about
        """The address of the block that breaks it."""
        self.other = other
        """That of the block it clashes with."""


def join(names: list[str]) -> str:
    """Return ``"a", "b" and "c"``."""
    quoted = [f'"{name}"' for name in names]
    if len(quoted) < 2:
        return "".join(quoted)
    return f"{', '.join(quoted[:-1])} and {quoted[-1]}"


def refuse_twice(kind: str, named: Sequence[tuple[str, str]]) -> None:
    """Refuse names that appear more than once; each comes with the address of its block.

    Raises:
        Refused: naming them, about the first that repeats another.
    """
    names = [name for name, _ in named]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        appear = "appears" if len(twice) == 1 else "appear"
        again = next(i for i, name in enumerate(names) if name in names[:i])
        raise Refused(
            f"{kind} names must be unique but {join(twice)} {appear} multiple times",
            named[again][1],
            named[names.index(names[again])][1],
        )
