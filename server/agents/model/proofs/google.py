"""Google: a JSON Web Token about the machine, for the audience "coder"."""

import base64
import binascii
import json
from datetime import datetime, timedelta
from typing import Any, Final, cast

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256

from server.agents.errors import InvalidProof
from server.agents.model.proofs.anchors import Anchors

CLOUD: Final = "GCP"
AUDIENCE: Final = "coder"
ISSUERS: Final = frozenset({"https://accounts.google.com", "accounts.google.com"})
SLACK: Final = timedelta(minutes=5)


def google_instance(token: str, anchors: Anchors, now: datetime) -> str:
    """Return the id of the machine that ``token`` is about.

    Raises:
        InvalidProof: Google has not signed it, it is for somebody else, or its time is over.
    """
    parts = token.split(".")
    if len(parts) != 3:
        raise InvalidProof(CLOUD, "It is no JSON Web Token.")
    head, claims = _json(parts[0]), _json(parts[1])
    # The algorithm is ours to choose: a token that says "none" is not signed.
    key = anchors.google.get(str(head.get("kid")))
    if head.get("alg") != "RS256" or key is None:
        raise InvalidProof(CLOUD, "No known key of Google has signed the token.")
    try:
        key.verify(_bytes(parts[2]), f"{parts[0]}.{parts[1]}".encode(), PKCS1v15(), SHA256())
    except InvalidSignature:
        raise InvalidProof(CLOUD, "The signature of the token is wrong.") from None
    _check(claims, now)
    match claims:
        case {"google": {"compute_engine": {"instance_id": str(instance)}}} if instance:
            return instance
        case _:
            raise InvalidProof(CLOUD, "The token names no instance.")


def _check(claims: dict[str, Any], now: datetime) -> None:
    if claims.get("iss") not in ISSUERS:
        raise InvalidProof(CLOUD, "Google is not the issuer of the token.")
    if claims.get("aud") != AUDIENCE:
        raise InvalidProof(CLOUD, f"The token is not for the audience {AUDIENCE!r}.")
    match claims:
        case {"iat": int(issued), "exp": int(expires)}:
            moment, slack = now.timestamp(), SLACK.total_seconds()
            if not issued - slack <= moment <= expires:
                raise InvalidProof(CLOUD, "The time of the token is over, or to come.")
        case _:
            raise InvalidProof(CLOUD, "The token does not say until when it is good.")


def _json(part: str) -> dict[str, Any]:
    try:
        found: Any = json.loads(_bytes(part))
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise InvalidProof(CLOUD, "It is no JSON Web Token.")
    return cast("dict[str, Any]", found)


def _bytes(part: str) -> bytes:
    try:
        return base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise InvalidProof(CLOUD, "It is no JSON Web Token.") from None
