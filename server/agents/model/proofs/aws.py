"""AWS: a JSON document about the machine, and its region's RSA signature of it."""

import base64
import binascii
import json
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509 import Certificate

from server.agents.errors import InvalidProof
from server.agents.model.proofs.anchors import Anchors

CLOUD = "AWS"
SLACK = timedelta(minutes=5)


def aws_instance(document: str, signature: str, anchors: Anchors, now: datetime) -> str:
    """Return the id of the machine that ``document`` is about.

    Raises:
        InvalidProof: no region that we know has signed it, or it is about the future.
    """
    try:
        signed = base64.b64decode("".join(signature.split()), validate=True)
    except (binascii.Error, ValueError):
        raise InvalidProof(CLOUD, "The signature is not base64.") from None
    current = [one for one in anchors.aws if _is_valid(one, now)]
    if not current:
        raise InvalidProof(CLOUD, "This deployment has no certificate of AWS that is valid now.")
    if not _signed_by_any(current, document.encode(), signed):
        raise InvalidProof(CLOUD, "No known certificate of AWS has signed the document.")
    return _instance(document, now)


def _is_valid(one: Certificate, now: datetime) -> bool:
    return one.not_valid_before_utc <= now <= one.not_valid_after_utc


def _signed_by_any(candidates: Iterable[Certificate], document: bytes, signed: bytes) -> bool:
    for one in candidates:
        key = one.public_key()
        if not isinstance(key, RSAPublicKey):
            continue
        try:
            key.verify(signed, document, PKCS1v15(), SHA256())
        except InvalidSignature:
            continue
        return True
    return False


def _instance(document: str, now: datetime) -> str:
    try:
        about: Any = json.loads(document)
        instance, since = str(about["instanceId"]), datetime.fromisoformat(about["pendingTime"])
    except (ValueError, KeyError, TypeError):
        raise InvalidProof(CLOUD, "The document names no instance and its time.") from None
    if since.tzinfo is None or since > now + SLACK:
        raise InvalidProof(CLOUD, "The document is of a time to come.")
    return instance
