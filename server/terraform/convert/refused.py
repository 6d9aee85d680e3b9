"""The one way in which a plan that terraform accepts is refused by us."""


class Refused(ValueError):
    """The template breaks a rule of ours; the message is a sentence for its author."""


def join(names: list[str]) -> str:
    """Return ``"a", "b" and "c"``."""
    quoted = [f'"{name}"' for name in names]
    if len(quoted) < 2:
        return "".join(quoted)
    return f"{', '.join(quoted[:-1])} and {quoted[-1]}"


def refuse_twice(kind: str, names: list[str]) -> None:
    """Refuse names that appear more than once.

    Raises:
        Refused: naming them.
    """
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        appear = "appears" if len(twice) == 1 else "appear"
        raise Refused(f"{kind} names must be unique but {join(twice)} {appear} multiple times")
