"""Sockets and certificates: what is bound, and how a refusal reads."""

import socket
from pathlib import Path

import pytest

from coder_cli.kit.refused import Refused
from server.cli.listeners import Listener, bind, open_listeners, tls_context
from server.settings import Address, Given, load
from tests.server.startup.test_serve import certificate


def test_a_free_port_is_chosen_and_named() -> None:
    with bind(Address("127.0.0.1", 0)) as bound:
        port = bound.getsockname()[1]
        assert Listener(bound, secure=False).url == f"http://127.0.0.1:{port}"
        assert Listener(bound, secure=True).url == f"https://127.0.0.1:{port}"


def test_every_interface_is_reached_by_loopback() -> None:
    with bind(Address("", 0)) as bound:
        assert Listener(bound, secure=False).url.startswith("http://127.0.0.1:")


@pytest.mark.parametrize(
    ("address", "words"),
    [
        (Address("203.0.113.1", 80), "bind: cannot assign requested address (choose an address"),
        (Address("no.such.host.invalid", 80), "listen tcp no.such.host.invalid:80: bind: "),
    ],
)
def test_an_address_that_is_not_ours_is_refused(address: Address, words: str) -> None:
    with pytest.raises(Refused) as refused:
        bind(address)
    assert words in str(refused.value)


def test_a_taken_second_address_frees_the_first() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        flags = {
            "http-address": [f"127.0.0.1:{port}"],
            "tls-enable": ["true"],
            "tls-address": ["127.0.0.1:0"],
            "tls-cert-file": ["x"],
            "tls-key-file": ["x"],
        }
        with pytest.raises(Refused, match="address already in use"):
            open_listeners(load(Given(flags=flags)))


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"tls-key-file": "cert"}, "do not hold a certificate and its key"),
        ({"tls-cert-file": "nonsense"}, "do not hold a certificate and its key"),
        ({"tls-cert-file": "missing"}, "missing cannot be read: No such file"),
        ({"tls-ciphers": "ROT13"}, "--tls-ciphers: ROT13 is unknown or not secure"),
        ({"tls-client-auth": "require-and-verify"}, "--tls-client-ca-file: must be set"),
        (
            {"tls-client-auth": "verify-if-given", "tls-client-ca-file": "nonsense"},
            "nonsense holds no certificate",
        ),
    ],
)
def test_bad_tls_settings_are_one_sentence(
    more: dict[str, str], words: str, tmp_path: Path
) -> None:
    certificate(tmp_path)
    (tmp_path / "nonsense").write_text("nonsense")
    files = {"tls-cert-file": "cert", "tls-key-file": "key", **more}
    flags = {
        key: [str(tmp_path / value) if key.endswith("-file") else value]
        for key, value in files.items()
    }
    with pytest.raises(Refused) as refused:
        tls_context(load(Given(flags={"tls-enable": ["true"], **flags})))
    assert words in str(refused.value)
    assert "\n" not in str(refused.value)


def test_two_certificates_are_chosen_by_name(tmp_path: Path) -> None:
    cert, key = certificate(tmp_path)
    flags = {
        "tls-enable": ["true"],
        "tls-cert-file": [str(cert), str(cert)],
        "tls-key-file": [str(key), str(key)],
        "tls-min-version": ["tls13"],
    }
    assert tls_context(load(Given(flags=flags))).sni_callback is not None


def test_ciphers_that_are_not_secure_need_to_be_let_in(tmp_path: Path) -> None:
    certificate(tmp_path)
    flags = {
        "tls-enable": ["true"],
        "tls-cert-file": [str(tmp_path / "cert")],
        "tls-key-file": [str(tmp_path / "key")],
    }
    good = {**flags, "tls-ciphers": ["ECDHE-RSA-AES128-GCM-SHA256"]}
    chosen = {cipher["name"] for cipher in tls_context(load(Given(flags=good))).get_ciphers()}
    assert "ECDHE-RSA-AES128-GCM-SHA256" in chosen
    assert "DHE-RSA-AES128-SHA256" not in chosen
    weak = {**flags, "tls-ciphers": ["AES128-SHA"]}
    with pytest.raises(Refused, match="AES128-SHA is unknown or not secure"):
        tls_context(load(Given(flags=weak)))
    weak["tls-allow-insecure-ciphers"] = ["true"]
    chosen = {cipher["name"] for cipher in tls_context(load(Given(flags=weak))).get_ciphers()}
    assert "AES128-SHA" in chosen
