"""``coder server`` as people meet it: its words, its refusals, and how it ends."""

import re
import signal
import socket
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import psutil
import psycopg
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.server.startup.conftest import LAST_LINE, Server, Start

WORDS = """\
   ___ ___  __| |___ _ _
  / _/ _ \\/ _` / -_) '_|
  \\__\\___/\\__,_\\___|_|

Coder <version>
Using built-in PostgreSQL (<postgres>)
Started HTTP listener at http://127.0.0.1:<port>
Warning: The access URL http://127.0.0.1:<port> can be reached from this machine only: workspaces \
and people elsewhere will not find it. Set --access-url to change that.

View the Web UI: http://127.0.0.1:<port>

Get started by creating the first user (in a new terminal):
  coder login http://127.0.0.1:<port>

==> Logs will stream in below (press ctrl+c to gracefully exit):

Exiting gracefully; press ctrl+c again to quit at once.
Stopping built-in PostgreSQL...
Stopped.
"""


def plain(said: str, home: Path) -> str:
    said = re.sub(r"Coder v\S+", "Coder <version>", said)
    said = re.sub(rf"\({home}/\S+\)", "(<postgres>)", said)
    return re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:<port>", said)


def test_the_first_start_from_beginning_to_end(start: Start) -> None:
    server = start()
    server.read_until(LAST_LINE)
    assert (server.home / "config" / "url").read_text() == server.url
    answer = httpx.get(f"{server.url}/api/v2/buildinfo")
    assert answer.status_code == 200
    assert answer.json()["dashboard_url"] == server.url
    server.interrupt()
    code, said = server.end()
    assert code == 0
    assert plain(said, server.home) == WORDS
    assert "schema migrated" in server.log()


def log_in(url: str) -> str:
    person = {"email": "a@example.com", "username": "anna", "password": "Wr1te-mE-a-l3tter"}
    assert httpx.post(f"{url}/api/v2/users/first", json=person).status_code == 201
    return str(httpx.post(f"{url}/api/v2/users/login", json=person).json()["session_token"])


def open_socket(url: str, token: str) -> socket.socket:
    """Open a WebSocket and never say another word on it."""
    host, port = url.removeprefix("http://").split(":")
    line = socket.create_connection((host, int(port)))
    line.sendall(
        f"GET /api/v2/debug/ws HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        f"Coder-Session-Token: {token}\r\n\r\n".encode()
    )
    assert b"101 Switching" in line.recv(4096)
    return line


def test_a_host_without_terraform_is_told_at_the_start(start: Start, url: str) -> None:
    server = start("--postgres-url", url, PATH="/nowhere", CODER_PROVISIONER_DAEMONS="1")
    server.read_until(LAST_LINE)
    assert "Terraform is not installed where the server runs." in server.log()
    server.interrupt()
    assert server.end()[0] == 0


def test_a_second_ctrl_c_does_not_wait_for_whoever_hangs_on(start: Start, url: str) -> None:
    server = start("--postgres-url", url)
    server.read_until(LAST_LINE)
    with open_socket(server.url, log_in(server.url)):
        server.interrupt()
        server.read_until("Exiting gracefully")
        server.interrupt()
        code, said = server.end()
    assert code == 1
    assert said.endswith("Quitting at once.\n")


def test_a_reader_who_went_away_does_not_hold_the_server(start: Start, url: str) -> None:
    server = start("--postgres-url", url)
    server.read_until(LAST_LINE)
    assert server.process.stdout
    server.process.stdout.close()
    server.process.send_signal(signal.SIGHUP)
    assert server.process.wait(15) == 0


def refused(server: Server) -> str:
    """Return the one sentence with which a server gave up."""
    code, _ = server.end()
    assert code == 1
    first, second = server.log().strip().splitlines()
    assert first.startswith('Encountered an error running "coder server"')
    return second.removeprefix("error: ")


def test_an_address_in_use_is_one_sentence(start: Start) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        assert refused(start("--http-address", address)) == (
            f"configure http(s): listen tcp {address}: bind: address already in use "
            "(another process listens there; stop it or choose another address)"
        )


def test_an_unreachable_database_is_one_sentence_without_its_password(start: Start) -> None:
    server = start("--postgres-url", "postgres://coder:hunter2@127.0.0.1:1/coder")
    assert refused(server).startswith("connect to postgres: the database cannot be reached: ")
    assert "hunter2" not in server.log() + server.said


def test_a_newer_database_is_one_sentence(start: Start, dsn: str, url: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as line:
        line.execute("INSERT INTO schema_migrations (version, name) VALUES (9999, 'future')")
    assert "schema version 9999" in refused(start("--postgres-url", url))


def test_bad_tls_files_are_one_sentence(start: Start, home: Path) -> None:
    server = start("--tls-enable", "--tls-cert-file", f"{home}/no", "--tls-key-file", f"{home}/no")
    assert (
        refused(server) == f"--tls-cert-file: {home}/no cannot be read: No such file or directory"
    )


def certificate(folder: Path) -> tuple[Path, Path]:
    """Write a certificate for localhost and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    (folder / "cert").write_bytes(made.public_bytes(pem))
    (folder / "key").write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return folder / "cert", folder / "key"


def test_two_replicas_share_a_tls_port_and_show_their_numbers(
    start: Start, home: Path, url: str
) -> None:
    cert, key = certificate(home)
    server = start(
        *("--http-address", "", "--postgres-url", url, "--workers", "2"),
        *("--tls-enable", "--tls-address", "127.0.0.1:0"),
        *("--tls-cert-file", str(cert), "--tls-key-file", str(key)),
        *("--prometheus-enable", "--prometheus-address", "127.0.0.1:0"),
    )
    server.read_until(LAST_LINE)
    assert "Started TLS/HTTPS listener at https://127.0.0.1:" in server.said
    trusted = ssl.create_default_context(cafile=cert)
    trusted.check_hostname = False
    assert httpx.get(f"{server.url}/healthz", verify=trusted).text == "OK"
    parent = psutil.Process(server.process.pid)
    numbers = [page for child in parent.children() for page in pages(child)]
    assert len([page for page in numbers if "coderd_db_pool" in page]) == 2
    server.interrupt()
    assert server.end()[0] == 0
    assert "replica joined" in server.log()


def pages(process: psutil.Process) -> list[str]:
    """Return what a replica shows over plain HTTP: its metrics."""
    found: list[str] = []
    for line in process.net_connections("tcp4"):
        if line.status == psutil.CONN_LISTEN:
            try:
                found.append(httpx.get(f"http://127.0.0.1:{line.laddr.port}/metrics").text)
            except httpx.HTTPError:
                continue
    return found


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--no-such-flag"], "Unrecognized arguments: --no-such-flag."),
        (["--workers", "many"], "--workers: 'many' is not a whole number."),
        (["--http-address", ""], "--http-address is empty and --tls-enable is off"),
    ],
)
def test_a_wrong_flag_is_one_sentence(start: Start, flags: list[str], words: str) -> None:
    assert words in refused(start(*flags))


def test_the_effective_settings_are_written(start: Start) -> None:
    server = start("--write-config", CODER_ACCESS_URL="https://coder.example.com")
    code, said = server.end()
    assert code == 0
    assert "  accessURL: https://coder.example.com\n" in said
    assert not (server.home / "config").exists(), "nothing else is done"
    assert [path.name for path in server.home.iterdir()] == ["stderr"]
