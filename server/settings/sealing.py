"""Options of the keys with which secrets are sealed in the database."""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass

from server.settings.kinds import Kind, Shown
from server.settings.option import Group, Names, option

KEY_BYTES = 32
_SEALING = Group("Encryption", "", "Secrets of other services in the database.")


def read_keys(words: Sequence[str]) -> tuple[bytes, ...]:
    """Return the keys that ``words`` spell in base64, separated by commas.

    Raises:
        ValueError: one is no base64, or not of 32 bytes; the text does not repeat it.
    """
    spelled = [part.strip() for word in words for part in word.split(",")]
    return tuple(_key(number, part) for number, part in enumerate(filter(None, spelled), start=1))


def _key(number: int, spelled: str) -> bytes:
    try:
        key = base64.b64decode(spelled, validate=True)
    except binascii.Error:
        raise ValueError(f"key {number} is not base64.") from None
    if len(key) != KEY_BYTES:
        raise ValueError(f"key {number} has {len(key)} bytes; it must have {KEY_BYTES}.")
    return key


def _hidden(keys: tuple[bytes, ...]) -> Shown:
    return ["" for _ in keys]


KEYS = Kind[tuple[bytes, ...]]("string-array", read_keys, _hidden, _hidden, many=True)


@dataclass(frozen=True, slots=True)
class Sealing:
    """The keys for columns that hold secrets."""

    keys: tuple[bytes, ...] = option(
        KEYS,
        Names(
            flag="external-token-encryption-keys",
            yaml="externalTokenEncryptionKeys",
            json="external_token_encryption_keys",
        ),
        _SEALING,
        "Keys for the secrets of other services in the database, such as those of model "
        "providers: each 32 bytes in base64, separated by commas. The first seals, all of them "
        "open. Without any, a key that is kept in the same database is used.",
        secret=True,
    )
