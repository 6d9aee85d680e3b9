"""Whom a deployment believes about machines of a cloud."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey, RSAPublicNumbers
from cryptography.x509 import Certificate

LEAST_BITS = 2048


@dataclass(frozen=True, slots=True)
class Anchors:
    """Certificates and keys that proofs are checked against."""

    aws: tuple[Certificate, ...] = ()
    """Of AWS regions; each signs by itself."""
    azure: tuple[Certificate, ...] = ()
    """Between a signer of Azure and a root."""
    roots: tuple[Certificate, ...] = ()
    google: Mapping[str, RSAPublicKey] = field(default_factory=dict[str, RSAPublicKey])
    """By key id."""


def public_keys(text: str | bytes) -> dict[str, RSAPublicKey]:
    """Return the RSA keys of a JSON Web Key Set, by id; what is no such key is left out.

    Raises:
        ValueError: it is no key set.
    """
    body: Any = json.loads(text)
    rows = cast("Any", body).get("keys") if isinstance(body, dict) else None
    if not isinstance(rows, list):
        raise ValueError("it has no list of keys")  # noqa: TRY004 - of the text, not of its type
    found: dict[str, RSAPublicKey] = {}
    for row in cast("list[Any]", rows):
        match row:
            case {"kty": "RSA", "kid": str(kid), "n": str(modulus), "e": str(exponent)}:
                key = RSAPublicNumbers(_number(exponent), _number(modulus)).public_key()
                if key.key_size >= LEAST_BITS:
                    found[kid] = key
            case _:
                continue
    return found


def _number(text: str) -> int:
    return int.from_bytes(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
