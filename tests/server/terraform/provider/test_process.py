"""The provider as a program: go-plugin's handshake, mutual TLS, and its end."""

import asyncio
import base64
import signal
import ssl
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from coder_cli.kit.clock import SystemClock
from server.terraform.provider.process import COOKIE, COOKIE_NAME
from tests.server.terraform.provider.test_host import call
from tests.server.terraform.warm import bare

SHUTDOWN = "/plugin.GRPCController/Shutdown"
SCHEMA = "/tfplugin6.Provider/GetProviderSchema"


@dataclass(frozen=True, slots=True)
class Identity:
    """A client's certificate, as terraform makes one for each provider it starts."""

    certificate: str
    file: Path


def identity(directory: Path, name: str = "client") -> Identity:
    key = ec.generate_private_key(ec.SECP521R1())  # Terraform's curve.
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = SystemClock().now()
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA512())
    )
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file = directory / f"{name}.pem"
    file.write_bytes(private + made.public_bytes(Encoding.PEM))
    return Identity(made.public_bytes(Encoding.PEM).decode(), file)


def trust(handshake: list[str], who: Identity | None) -> ssl.SSLContext:
    der = base64.b64decode(handshake[5] + "=" * (-len(handshake[5]) % 4))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=der)
    context.set_alpn_protocols(["h2"])
    if who is not None:
        context.load_cert_chain(who.file)
    return context


@asynccontextmanager
async def started(env: Mapping[str, str]) -> AsyncGenerator[tuple[Process, list[str]]]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "server.terraform.provider",
        env=bare() | {COOKIE_NAME: COOKIE} | dict(env),
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        line = (await process.stdout.readline()).decode().strip()
        yield process, line.split("|")
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


@pytest.mark.parametrize(
    ("offered", "spoken"), [("5,6", "6"), ("6", "6"), ("5", "5"), ("", "5"), ("4,5", "5")]
)
async def test_the_newest_protocol_of_both_is_spoken(offered: str, spoken: str) -> None:
    async with started({"PLUGIN_PROTOCOL_VERSIONS": offered}) as (_, handshake):
        assert handshake[:3] == ["1", spoken, "unix"]
        assert handshake[4:] == ["grpc", ""]


async def test_both_protocols_have_the_same_schema() -> None:
    async with started({"PLUGIN_PROTOCOL_VERSIONS": "5"}) as (_, handshake):
        old = await call(Path(handshake[3]), "/tfplugin5.Provider/GetSchema")
        new = await call(Path(handshake[3]), SCHEMA)
    assert old == new


async def test_the_client_must_show_the_certificate_that_was_announced(tmp_path: Path) -> None:
    who = identity(tmp_path)
    async with started({"PLUGIN_CLIENT_CERT": who.certificate}) as (_, handshake):
        socket = Path(handshake[3])
        trailers, schema = await call(socket, SCHEMA, tls=trust(handshake, who))
        assert trailers["grpc-status"] == "0"
        assert len(schema) > 4000
        for stranger in (None, identity(tmp_path, "stranger")):
            # TLS 1.3 tells a client of its refusal with the first answer.
            with pytest.raises((ssl.SSLError, ConnectionError)):
                await call(socket, SCHEMA, tls=trust(handshake, stranger))


async def test_no_key_stays_on_the_disk_where_others_read(tmp_path: Path) -> None:
    who = identity(tmp_path)
    env = {"PLUGIN_CLIENT_CERT": who.certificate, "PLUGIN_UNIX_SOCKET_DIR": str(tmp_path)}
    async with started(env) as (_, handshake):
        directory = Path(handshake[3]).parent
        assert directory.parent == tmp_path
        assert directory.stat().st_mode & 0o777 == 0o700


async def test_it_ends_at_once_when_it_is_told_to_and_tidies_up() -> None:
    async with started({}) as (process, handshake):
        trailers, _ = await call(Path(handshake[3]), SHUTDOWN)
        assert trailers["grpc-status"] == "0"
        assert await process.wait() == 0
        assert not Path(handshake[3]).parent.exists()


async def test_an_interrupt_at_the_keyboard_is_terraforms_business() -> None:
    async with started({}) as (process, handshake):
        process.send_signal(signal.SIGINT)
        trailers, _ = await call(Path(handshake[3]), SCHEMA)
        assert trailers["grpc-status"] == "0"
        process.terminate()
        assert await process.wait() == 0
