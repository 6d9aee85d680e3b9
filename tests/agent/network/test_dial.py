"""Reaching the server, and its ways to say no."""

import socket
import ssl
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from agent.network import Dialer, Refused, Unreachable
from coder_cli.sdk.agentapi import TOKEN_HEADER
from coder_cli.sdk.agentidentity import StaticToken
from tests.agent.control_plane import TOKEN, ControlPlane


async def test_the_control_line_says_who_calls_and_by_which_version(plane: ControlPlane) -> None:
    frames = await Dialer(f"{plane.url}/", StaticToken(TOKEN), {"X-Team": "blue"}).control()
    await frames.close()
    (request,) = plane.requests
    assert request.path == "/api/v2/workspaceagents/me/rpc?version=2.0&role=agent"
    assert request.headers[TOKEN_HEADER] == TOKEN
    assert request.headers["X-Team"] == "blue"
    assert "Sec-WebSocket-Extensions" not in request.headers


@pytest.mark.parametrize("status", [400, 401, 403])
async def test_a_refusal_carries_the_servers_words(plane: ControlPlane, status: int) -> None:
    plane.refusal = (status, "Agent trying to connect from non-latest build.")
    with pytest.raises(Refused) as no:
        await Dialer(plane.url, StaticToken(TOKEN)).control()
    assert no.value.status == status
    assert no.value.message == "Agent trying to connect from non-latest build."


async def test_a_server_in_trouble_is_no_refusal(plane: ControlPlane) -> None:
    plane.refusal = (503, "starting")
    with pytest.raises(Unreachable) as trouble:
        await Dialer(plane.url, StaticToken(TOKEN)).control()
    assert not isinstance(trouble.value, Refused)
    assert "503" in str(trouble.value)


async def test_nobody_there() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with pytest.raises(Unreachable):
        await Dialer(f"http://127.0.0.1:{port}", StaticToken(TOKEN)).control()


async def test_a_proxy_is_not_asked_for_the_way_to_this_machine(
    plane: ControlPlane, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    frames = await Dialer(plane.url, StaticToken(TOKEN)).control()
    await frames.close()


async def test_a_server_with_a_certificate_is_reached_if_its_issuer_is_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate, key = _certificate()
    (tmp_path / "both.pem").write_bytes(key + certificate)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "both.pem")
    plane = ControlPlane()
    await plane.start(tls=context)
    assert plane.url.startswith("https:")
    with pytest.raises(Unreachable, match="CERTIFICATE_VERIFY_FAILED"):
        await Dialer(plane.url, StaticToken(TOKEN)).control()
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "both.pem"))
    frames = await Dialer(plane.url, StaticToken(TOKEN)).control()
    await frames.close()
    await plane.stop()


def _certificate() -> tuple[bytes, bytes]:
    key = Ed25519PrivateKey.generate()
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    names = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2100, 1, 1, tzinfo=UTC))
        .add_extension(names, critical=False)
        .sign(key, None)
    )
    encoding = Encoding.PEM
    private = key.private_bytes(encoding, PrivateFormat.PKCS8, NoEncryption())
    return certificate.public_bytes(encoding), private


def test_the_token_is_not_in_the_representation() -> None:
    assert TOKEN not in repr(Dialer("http://x", StaticToken(TOKEN), {"A": "hush"}))
    assert "hush" not in repr(Dialer("http://x", StaticToken(TOKEN), {"A": "hush"}))
