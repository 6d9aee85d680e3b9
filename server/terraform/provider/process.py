"""Process mode, for people who run terraform by hand: go-plugin's handshake, with mutual TLS."""

import asyncio
import base64
import os
import signal
import ssl
import sys
import tempfile
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from coder_cli.kit.clock import Clock, SystemClock
from server.terraform.provider.grpc import GrpcProtocol
from server.terraform.provider.service import Session

COOKIE_NAME = "TF_PLUGIN_MAGIC_COOKIE"
COOKIE = "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2"
"""Published by the protocol; it only tells a person's shell from terraform."""


async def serve(env: Mapping[str, str]) -> None:
    """Serve one terraform command; return when it asks to shut down."""
    done = asyncio.Event()
    loop = asyncio.get_running_loop()
    # An interrupt at the keyboard reaches the whole process group; terraform decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    loop.add_signal_handler(signal.SIGTERM, done.set)
    session = Session(env)
    root = env.get("PLUGIN_UNIX_SOCKET_DIR") or None
    with tempfile.TemporaryDirectory(prefix="coder-tf-", dir=root) as directory:
        socket = Path(directory) / "s"
        tls, certificate = _tls(env.get("PLUGIN_CLIENT_CERT", ""), Path(directory), SystemClock())
        server = await loop.create_unix_server(
            lambda: GrpcProtocol(session, done.set), str(socket), ssl=tls
        )
        versions = env.get("PLUGIN_PROTOCOL_VERSIONS", "5").split(",")
        version = "6" if "6" in versions else "5"
        sys.stdout.write(f"1|{version}|unix|{socket}|grpc|{certificate}\n")
        sys.stdout.flush()
        await done.wait()
        server.close()


def _tls(client: str, directory: Path, clock: Clock) -> tuple[ssl.SSLContext | None, str]:
    if not client:
        return None, ""
    chain, der = _certificate(clock)
    pem = directory / "certificate.pem"
    with os.fdopen(os.open(pem, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
        file.write(chain)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    context.load_verify_locations(cadata=client)
    context.verify_mode = ssl.CERT_REQUIRED
    context.set_alpn_protocols(["h2"])
    return context, base64.b64encode(der).decode().rstrip("=")


def _certificate(clock: Clock) -> tuple[bytes, bytes]:
    """Return a key with its certificate for ``localhost`` as PEM, and the certificate as DER."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = clock.now()
    usages = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(days=2))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.ExtendedKeyUsage(usages), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    chain = private + certificate.public_bytes(Encoding.PEM)
    return chain, certificate.public_bytes(Encoding.DER)
