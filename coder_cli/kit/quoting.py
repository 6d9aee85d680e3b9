"""Names that anybody may have chosen, shown so that no character of theirs does anything."""


def bare(name: str) -> str:
    """Return ``name`` on one line; what a terminal would act on is escaped."""
    # Not printable are control characters, line separators, marks that turn text around, and the
    # halves of characters that stand for bytes which are no UTF-8.
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in name)


def quoted(name: str) -> str:
    """Return ``name`` as ``bare`` does, in double quotes."""
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{bare(escaped)}"'
