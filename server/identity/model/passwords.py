"""How strong a password is: an estimate of its entropy. Pure.

Source: reference, API and CLI, section 6.2: at least 52 bits, at most 64 characters.
"""

import math
import string

from server.identity.errors import WeakPassword

MIN_BITS = 52
MAX_LENGTH = 64

_CLASSES = (
    string.ascii_lowercase,
    string.ascii_uppercase,
    string.digits,
    "!@$&*",
    "_-., ",
    "\"#%'()+/:;<=>?[\\]^{|}~`",
)
_RUNS = (
    string.ascii_lowercase,
    "01234567890",
    "qwertyuiop",
    "asdfghjkl",
    "zxcvbnm",
)


def bits(password: str) -> float:
    """Estimate the entropy of ``password``; repetition and runs such as ``abcd`` count little."""
    alphabet = sum(len(group) for group in _CLASSES if any(char in group for char in password))
    alphabet += len({char for char in password if not any(char in group for group in _CLASSES)})
    return _surprises(password) * math.log2(alphabet) if alphabet else 0.0


def weakness(password: str) -> str:
    """Return why ``password`` is refused, or an empty string."""
    if len(password) > MAX_LENGTH:
        return f"password must be no more than {MAX_LENGTH} characters"
    if bits(password) < MIN_BITS:
        return (
            "insecure password, try including more special characters, using uppercase letters, "
            "using numbers or using a longer password"
        )
    return ""


def require_strong(password: str) -> None:
    """Refuse a password that can be guessed.

    Raises:
        WeakPassword: it can, or it is too long.
    """
    if why := weakness(password):
        raise WeakPassword(why)


def _surprises(password: str) -> int:
    """Count the characters that do not just repeat or continue the two before them."""
    lowered = password.lower()
    return sum(
        1 for at in range(len(lowered)) if at < 2 or not _predictable(lowered[at - 2 : at + 1])
    )


def _predictable(three: str) -> bool:
    if len(set(three)) == 1:
        return True
    return any(three in run or three in run[::-1] for run in _RUNS)
