"""Names that anybody may have chosen, shown so that no character of theirs does anything."""

import json


def quoted(name: str) -> str:
    """Return ``name`` in double quotes, on one line; what a terminal would act on is escaped."""
    # Not printable are control characters, line separators, marks that turn text around, and the
    # halves of characters that stand for bytes which are no UTF-8.
    shows = all(char.isprintable() or char < " " for char in name)
    return json.dumps(name, ensure_ascii=not shows).replace("\x7f", "\\u007f")


def bare(name: str) -> str:
    """Return ``name`` as ``quoted`` does, without the quotes around it."""
    return quoted(name)[1:-1]
