"""Go's regular expressions. Template authors write RE2; Python's ``re`` differs and can hang."""

from typing import Any

import re2

_re2: Any = re2  # The library has no types.


class BadPattern(ValueError):
    """The pattern is not RE2."""


def found(pattern: str, text: str) -> bool:
    """Tell whether ``pattern`` matches anywhere in ``text``.

    Raises:
        BadPattern: with RE2's own explanation.
    """
    options = _re2.Options()
    options.log_errors = False
    try:
        return _re2.compile(pattern, options=options).search(text) is not None
    except _re2.error as error:
        why = error.args[0] if error.args else error
        raise BadPattern(why.decode() if isinstance(why, bytes) else str(why)) from None
