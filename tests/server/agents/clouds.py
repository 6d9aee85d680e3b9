"""Clouds of the test's own: authorities, certificates and proofs, with keys made here."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.hazmat.primitives.serialization.pkcs7 import (
    PKCS7Options,
    PKCS7SignatureBuilder,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

NOW = datetime.now(UTC).replace(microsecond=0)
DAY = timedelta(days=1)


@cache
def key(name: str) -> RSAPrivateKey:
    """Return the key of that name; they are dear to make."""
    return generate_private_key(65537, 2048)


@dataclass(frozen=True)
class Identity:
    """A certificate and its key."""

    certificate: x509.Certificate
    key: RSAPrivateKey = field(repr=False)

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(Encoding.PEM)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def identity(
    name: str, by: Identity | None = None, *, authority: bool = False, since: datetime = NOW - DAY
) -> Identity:
    """Make a certificate, signed by itself or ``by`` another."""
    own = key(name)
    issuer = by.certificate.subject if by else _name(name)
    signer = by.key if by else own
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(name))
        .issuer_name(issuer)
        .public_key(own.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(since)
        .not_valid_after(since + 30 * DAY)
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(own.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False
        )
    )
    if authority:
        usage = x509.KeyUsage(
            digital_signature=True,
            content_commitment=False,
            key_encipherment=False,
            data_encipherment=False,
            key_agreement=False,
            key_cert_sign=True,
            crl_sign=True,
            encipher_only=False,
            decipher_only=False,
        )
        builder = builder.add_extension(usage, critical=True)
    else:
        names = x509.SubjectAlternativeName([x509.DNSName(name)])
        purposes = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
        builder = builder.add_extension(names, critical=False)
        builder = builder.add_extension(purposes, critical=False)
    return Identity(builder.sign(signer, SHA256()), own)


def aws_document(instance: str = "i-0abc", since: datetime = NOW - DAY) -> str:
    return json.dumps({"instanceId": instance, "pendingTime": since.isoformat(), "region": "x"})


def aws_signature(document: str, by: RSAPrivateKey) -> str:
    return base64.b64encode(by.sign(document.encode(), PKCS1v15(), SHA256())).decode()


def azure_document(machine: str = "vm-1", since: datetime = NOW - timedelta(hours=1)) -> bytes:
    text = "%m/%d/%y %H:%M:%S -0000"
    times = {
        "createdOn": since.strftime(text),
        "expiresOn": (since + timedelta(hours=6)).strftime(text),
    }
    return json.dumps({"vmId": machine, "nonce": "1", "timeStamp": times}).encode()


def azure_signature(document: bytes, by: Identity, *others: Identity, bare: bool = False) -> str:
    builder = PKCS7SignatureBuilder().set_data(document)
    builder = builder.add_signer(by.certificate, by.key, SHA256())
    for other in others:
        builder = builder.add_certificate(other.certificate)
    options = [PKCS7Options.Binary, *([PKCS7Options.NoAttributes] if bare else [])]
    return base64.b64encode(builder.sign(Encoding.DER, options)).decode()


def jwt(
    by: RSAPrivateKey, claims: Mapping[str, Any], *, kid: str = "one", alg: str = "RS256"
) -> str:
    head = _part(json.dumps({"alg": alg, "kid": kid}).encode())
    body = _part(json.dumps(dict(claims)).encode())
    signature = by.sign(f"{head}.{body}".encode(), PKCS1v15(), SHA256())
    return f"{head}.{body}.{_part(signature)}"


def google_claims(**changes: Any) -> dict[str, Any]:
    return {
        "iss": "https://accounts.google.com",
        "aud": "coder",
        "iat": int(NOW.timestamp()) - 60,
        "exp": int(NOW.timestamp()) + 3540,
        "google": {"compute_engine": {"instance_id": "77"}},
        **changes,
    }


def jwks(**keys: RSAPrivateKey) -> str:
    rows: list[dict[str, str]] = []
    for kid, one in keys.items():
        numbers = one.public_key().public_numbers()
        rows.append({"kty": "RSA", "kid": kid, "n": _number(numbers.n), "e": _number(numbers.e)})
    return json.dumps({"keys": rows})


def _number(value: int) -> str:
    return _part(value.to_bytes((value.bit_length() + 7) // 8))


def _part(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
