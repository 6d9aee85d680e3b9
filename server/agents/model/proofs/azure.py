"""Azure: signed data about the machine, by a certificate of its metadata service."""

import base64
import binascii
import json
import re
from datetime import datetime
from typing import Any, Final

from cryptography.x509 import (
    Certificate,
    DNSName,
    DuplicateExtension,
    ExtensionNotFound,
    SubjectAlternativeName,
    UnsupportedGeneralNameType,
)
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from server.agents.errors import InvalidProof
from server.agents.model.proofs.anchors import Anchors
from server.agents.model.proofs.pkcs7 import Signed, signed_content

CLOUD: Final = "Azure"
_SIGNER: Final = re.compile(
    r"([a-z0-9-]+\.)*metadata\.(azure\.com|azure\.us|azure\.cn|microsoftazure\.de)"
)
_TIME: Final = "%m/%d/%y %H:%M:%S %z"


def azure_instance(signature: str, encoding: str, anchors: Anchors, now: datetime) -> str:
    """Return the id of the virtual machine that ``signature`` is about.

    Raises:
        InvalidProof: Azure's metadata service has not signed it, or its time is over.
    """
    if encoding and encoding.lower() != "pkcs7":
        raise InvalidProof(CLOUD, f"The encoding {encoding[:40]!r} is not pkcs7.")
    try:
        signed = signed_content(base64.b64decode("".join(signature.split()), validate=True))
    except binascii.Error:
        raise InvalidProof(CLOUD, "The signature is not base64.") from None
    except ValueError as error:
        raise InvalidProof(CLOUD, f"The signature is not accepted: {error}.") from None
    _check_chain(signed, anchors, now)
    return _machine(signed.content, now)


def _check_chain(signed: Signed, anchors: Anchors, now: datetime) -> None:
    name = _name(signed.signer)
    if not anchors.roots:
        raise InvalidProof(CLOUD, "This deployment knows no root certificate.")
    verifier = PolicyBuilder().store(Store(list(anchors.roots))).time(now.replace(tzinfo=None))
    between = [*anchors.azure, *signed.others]
    try:
        verifier.build_server_verifier(DNSName(name)).verify(signed.signer, between)
    except VerificationError as error:
        words = f"The chain of the signer {name!r} is not trusted: {error}"
        raise InvalidProof(CLOUD, words[:300]) from None


def _name(signer: Certificate) -> str:
    try:
        names = signer.extensions.get_extension_for_class(SubjectAlternativeName).value
    except (ExtensionNotFound, DuplicateExtension, UnsupportedGeneralNameType, ValueError):
        names = None
    for name in names.get_values_for_type(DNSName) if names else ():
        plain = name.removeprefix("*.").lower()
        if _SIGNER.fullmatch(plain):
            return name.lower().replace("*", "any")
    raise InvalidProof(CLOUD, "The signer is not Azure's metadata service.")


def _machine(content: bytes, now: datetime) -> str:
    try:
        about: Any = json.loads(content)
        machine, times = str(about["vmId"]), about["timeStamp"]
        begin, end = _moment(times["createdOn"]), _moment(times["expiresOn"])
    except (ValueError, KeyError, TypeError):
        raise InvalidProof(CLOUD, "The document names no machine and its time.") from None
    if not begin <= now <= end:
        raise InvalidProof(CLOUD, "The time of the document is over, or to come.")
    return machine


def _moment(text: object) -> datetime:
    return datetime.strptime(str(text), _TIME)  # noqa: DTZ007 - the format has a zone
