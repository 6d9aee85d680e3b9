"""Secrets: how they are made, kept and compared (reference: API and CLI, sections 6.1 and 6.2)."""

import base64
import hashlib
import hmac
import re
import secrets
import string

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

_ALPHABET = string.ascii_letters + string.digits
_KEY = re.compile(r"([a-zA-Z0-9]{10})-([a-zA-Z0-9]{22})")
_PBKDF2 = re.compile(r"\$pbkdf2-sha256\$(\d{1,9})\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)")
_MAX_IMPORTED_ITERATIONS = 10_000_000
_hasher = PasswordHasher()


def _no_hash() -> str:
    """Return what looks like the hash of a password that nobody has.

    Made up, not computed: a real one would cost every start of the server a fifth of a second.
    """
    salt, digest = (
        base64.b64encode(secrets.token_bytes(length)).rstrip(b"=").decode()
        for length in (_hasher.salt_len, _hasher.hash_len)
    )
    costs = f"m={_hasher.memory_cost},t={_hasher.time_cost},p={_hasher.parallelism}"
    return f"$argon2id$v=19${costs}${salt}${digest}"


DUMMY_HASH = _no_hash()
"""Verified against when a user is unknown, so that the answer takes as long as for a known one."""


def random_text(length: int) -> str:
    """Return ``length`` random letters and digits."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))


def new_api_key() -> tuple[str, str, bytes]:
    """Return a new key's id, its secret, and the hash to store; the token is ``<id>-<secret>``."""
    key_id, secret = random_text(10), random_text(22)
    return key_id, secret, hash_secret(secret)


def split_api_key(token: str) -> tuple[str, str] | None:
    """Return the id and the secret of a well-formed session token, else None."""
    match = _KEY.fullmatch(token)
    return (match[1], match[2]) if match else None


def hash_secret(secret: str) -> bytes:
    """Return the SHA-256 of a high-entropy secret: fast on purpose, there is nothing to guess."""
    return hashlib.sha256(secret.encode()).digest()


def same(one: bytes, other: bytes) -> bool:
    """Compare in constant time."""
    return hmac.compare_digest(one, other)


def hash_password(password: str) -> str:
    """Return the argon2id hash of ``password``. Slow: call it in a thread."""
    return _hasher.hash(password)


def verify_password(password: str, hashed: str) -> bool:
    """Tell whether ``password`` is the one behind ``hashed`` (argon2id, or imported PBKDF2).

    Slow: call it in a thread.
    """
    if imported := _PBKDF2.fullmatch(hashed):
        rounds = int(imported[1])
        if rounds > _MAX_IMPORTED_ITERATIONS:
            return False
        salt, expected = _unpadded(imported[2]), _unpadded(imported[3])
        actual = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, rounds, len(expected))
        return same(actual, expected)
    try:
        return _hasher.verify(hashed, password)
    except (VerificationError, InvalidHashError):
        return False


def _unpadded(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4))
