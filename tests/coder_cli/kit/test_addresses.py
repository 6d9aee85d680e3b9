"""Addresses of clients, as they are told."""

import pytest

from coder_cli.kit.addresses import plain_address


@pytest.mark.parametrize(
    ("told", "address"),
    [
        ("localhost", "127.0.0.1"),
        ("localhost:22", "127.0.0.1"),
        ("10.1.2.3", "10.1.2.3"),
        ("10.1.2.3:4444", "10.1.2.3"),
        ("fd7a:115c:a1e0::1", "fd7a:115c:a1e0::1"),
        ("[fd7a:115c:a1e0::1]:22", "fd7a:115c:a1e0::1"),
        ("fe80::1%eth0", "fe80::1"),
        ("", ""),
        ("  ", ""),
        ("pipe", None),
        ("999.1.1.1", None),
        ("1.2.3.4:x", None),
    ],
)
def test_an_address_stands_by_itself(told: str, address: str | None) -> None:
    assert plain_address(told) == address
