"""Secrets in columns: AES-256-GCM, with the key's name in front and the place bound in.

A sealed value cannot be opened in another row or column than its own, nor changed. Keys come from
``--external-token-encryption-keys``: the first seals, all of them open. Without any, a key of the
deployment does, which is a row of the same database. Source: architecture, D14.
"""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import LiteralString

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from typing_extensions import override

from server.kit.db import Tx

_FORMAT = b"\x01"
_NAME = 8
_NONCE = 12
_HEAD = len(_FORMAT) + _NAME

# The key is made by a migration: made on demand, it could be used and then rolled back.
DEPLOYMENT_KEYS: LiteralString = """
    SELECT secret FROM crypto_keys WHERE feature = 'columns' ORDER BY sequence DESC
"""


class CannotUnseal(Exception):
    """A sealed value does not open; the text is a sentence, and holds no secret."""


@dataclass(frozen=True, slots=True)
class SealedValue:
    """A sealed value, the place it is sealed to, and the column it is from."""

    place: str
    blob: bytes = field(repr=False)
    column: str = ""


class Ring:
    """Keys by their names. Pure."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        """Take ``keys``: the first seals, all open."""
        self._first = keys[0] if keys else b""
        self._ciphers = {key_name(key): AESGCM(key) for key in reversed(keys)}

    def seal(self, text: str, place: str) -> bytes:
        """Return ``text`` sealed for ``place``, such as ``chat_providers.api_key/<id>``."""
        name, nonce = key_name(self._first), secrets.token_bytes(_NONCE)
        sealed = self._ciphers[name].encrypt(nonce, text.encode(), place.encode())
        return _FORMAT + name + nonce + sealed

    def opens(self, blob: bytes) -> bool:
        """Tell whether one of the keys is the one that ``blob`` names."""
        return _name_of(blob) in self._ciphers

    def open(self, blob: bytes, place: str) -> str:
        """Return what was sealed for ``place``.

        Raises:
            CannotUnseal: sealed with another key, for another place, or changed since.
        """
        name = _name_of(blob)
        cipher = self._ciphers.get(name)
        if cipher is None:
            raise CannotUnseal(
                f"It is sealed with key {name.hex()}, which this server does not have: give it "
                "with --external-token-encryption-keys, or enter the secret anew."
            )
        nonce, sealed = blob[_HEAD : _HEAD + _NONCE], blob[_HEAD + _NONCE :]
        try:
            return cipher.decrypt(nonce, sealed, place.encode()).decode()
        except (InvalidTag, ValueError):
            raise CannotUnseal(
                "It was changed in the database, or copied from another row: enter it anew."
            ) from None


def key_name(key: bytes) -> bytes:
    """Return the public name of a key: it tells keys apart, and nothing about them."""
    return hashlib.sha256(b"name of a key\x00" + key).digest()[:_NAME]


def _name_of(blob: bytes) -> bytes:
    if len(blob) < _HEAD + _NONCE or not blob.startswith(_FORMAT):
        raise CannotUnseal("It is not sealed at all, or by a newer release.")
    return blob[len(_FORMAT) : _HEAD]


class Sealer:
    """Seals and opens columns with the keys of the settings and of the deployment."""

    def __init__(self, keys: Sequence[bytes] = ()) -> None:
        """Take the keys of the settings; none leaves it to the deployment's."""
        self._keys = tuple(keys)
        self._ring = Ring(self._keys) if keys else None
        self._whole: Ring | None = None

    @override
    def __repr__(self) -> str:
        """Say how many keys there are, not which."""
        return f"Sealer({len(self._keys)} keys)"

    async def seal(self, tx: Tx, text: str, place: str) -> bytes:
        """Return ``text`` sealed for ``place``."""
        ring = self._ring or await self.ring(tx)
        return ring.seal(text, place)

    async def open(self, tx: Tx, blob: bytes, place: str) -> str:
        """Return what was sealed for ``place``.

        Raises:
            CannotUnseal: sealed with another key, for another place, or changed since.
        """
        if self._ring is not None and self._ring.opens(blob):
            return self._ring.open(blob, place)
        return (await self.ring(tx)).open(blob, place)

    async def ring(self, tx: Tx) -> Ring:
        """Return all keys that this server has: of the settings, then of the deployment."""
        if self._whole is None:
            own = [bytes(key) for key in await tx.values(DEPLOYMENT_KEYS)]
            self._whole = Ring((*self._keys, *own))
        return self._whole


async def reseal(
    tx: Tx, values: Sequence[SealedValue], opens: Sealer, seals: Sealer
) -> list[SealedValue]:
    """Return values that ``opens`` can open, sealed by ``seals``.

    Raises:
        CannotUnseal: one does not open; the text names its place.
    """
    anew: list[SealedValue] = []
    for value in values:
        try:
            text = await opens.open(tx, bytes(value.blob), value.place)
        except CannotUnseal as broken:
            raise CannotUnseal(f"{value.place} does not open. {broken}") from None
        anew.append(replace(value, blob=await seals.seal(tx, text, value.place)))
    return anew
