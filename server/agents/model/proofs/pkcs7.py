"""Signed data of PKCS #7: the content, if one of its signers has really signed it. Pure.

The library at hand makes such data and reads its certificates, but verifies no signature.
"""

import hashlib
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512, HashAlgorithm
from cryptography.x509 import Certificate, load_der_x509_certificate

from server.agents.model.proofs.der import BadDer, Element, only

_SEQUENCE: Final = 0x30
_SET: Final = 0x31
_OCTETS: Final = 0x04
_ATTRIBUTES: Final = 0xA0
_CERTIFICATES: Final = 0xA0
_SIGNED_DATA: Final = bytes.fromhex("2a864886f70d010702")
_MESSAGE_DIGEST: Final = bytes.fromhex("2a864886f70d010904")
_HASHES: Final[dict[bytes, HashAlgorithm]] = {
    bytes.fromhex("608648016503040201"): SHA256(),
    bytes.fromhex("608648016503040202"): SHA384(),
    bytes.fromhex("608648016503040203"): SHA512(),
}


@dataclass(frozen=True, slots=True)
class Signed:
    """What was signed, by whom, and the certificates that came with it."""

    content: bytes
    signer: Certificate
    others: tuple[Certificate, ...]


def signed_content(data: bytes) -> Signed:
    """Return the content of signed data; whether its signer is to be believed is another question.

    Raises:
        ValueError: it is no signed data, or the signature is wrong; the message says which.
    """
    try:
        content, certificates, infos = _taken_apart(data)
        for info in infos:
            signer = _signer(info, certificates, content)
            if signer is not None:
                others = tuple(one for one in certificates if one != signer)
                return Signed(content, signer, others)
    except (BadDer, IndexError) as error:
        raise ValueError(f"it is no signed data: {error}") from None
    raise ValueError("none of its certificates has signed the content")


def _taken_apart(data: bytes) -> tuple[bytes, list[Certificate], list[Element]]:
    outer = only(data).parts()
    if outer[0].content != _SIGNED_DATA:
        raise BadDer("its kind is another")
    # Version, digest algorithms, content, certificates and revocations, signers.
    inner = only(outer[1].content).parts()
    encapsulated = inner[2].parts()
    content = only(encapsulated[1].content)
    if content.tag != _OCTETS or inner[-1].tag != _SET:
        raise BadDer("its content is elsewhere")
    found = [part for part in inner if part.tag == _CERTIFICATES]
    if len(found) != 1:
        raise BadDer("it has no certificates")
    certificates = [load_der_x509_certificate(one.whole) for one in found[0].parts()]
    return content.content, certificates, inner[-1].parts()


def _signer(info: Element, certificates: list[Certificate], content: bytes) -> Certificate | None:
    # Version, issuer and serial number, digest algorithm, attributes?, algorithm, signature.
    parts = info.parts()
    wanted = parts[1].parts()[-1].content
    algorithm = _HASHES.get(parts[2].parts()[0].content)
    attributes = parts[3] if parts[3].tag == _ATTRIBUTES else None
    signature = parts[5 if attributes else 4].content
    if algorithm is None:
        raise ValueError("it is signed with a hash that is not accepted")
    signed = content
    if attributes is not None:
        if _digest_in(attributes) != hashlib.new(algorithm.name, content).digest():
            raise ValueError("its content is not the one that was signed")
        # Attributes are signed as the set that they are, not by the tag they stand under.
        signed = bytes([_SET]) + attributes.whole[1:]
    for one in certificates:
        if one.serial_number != int.from_bytes(wanted):
            continue
        try:
            key = one.public_key()
        except UnsupportedAlgorithm:
            continue
        if not isinstance(key, RSAPublicKey):
            continue
        try:
            key.verify(signature, signed, PKCS1v15(), algorithm)
        except InvalidSignature:
            continue
        return one
    return None


def _digest_in(attributes: Element) -> bytes:
    for attribute in attributes.parts():
        kind, values = attribute.parts()
        if kind.content == _MESSAGE_DIGEST:
            return only(values.content).content
    raise BadDer("it has no digest")
