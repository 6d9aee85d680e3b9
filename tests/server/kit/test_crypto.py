"""Secrets: token form, stored hashes, imported passwords."""

import base64
import hashlib

import pytest

from server.kit.crypto import (
    hash_password,
    hash_secret,
    new_api_key,
    same,
    split_api_key,
    verify_password,
)


def test_a_token_is_ten_characters_a_hyphen_and_twenty_two() -> None:
    key_id, secret, hashed = new_api_key()
    assert (len(key_id), len(secret)) == (10, 22)
    assert split_api_key(f"{key_id}-{secret}") == (key_id, secret)
    assert same(hashed, hash_secret(secret))


@pytest.mark.parametrize("token", ["", "a-b", "x" * 33, "0123456789-" + "a" * 23, "é" * 33])
def test_a_malformed_token_is_none(token: str) -> None:
    assert split_api_key(token) is None


def test_a_password_is_verified_and_never_stored() -> None:
    hashed = hash_password("correct horse")
    assert hashed.startswith("$argon2id$")
    assert verify_password("correct horse", hashed)
    assert not verify_password("wrong horse", hashed)
    assert not verify_password("anything", "")


def test_a_pbkdf2_hash_can_be_imported() -> None:
    salt = b"0123456789abcdef"
    key = hashlib.pbkdf2_hmac("sha256", b"pw", salt, 1024, 64)
    parts = [base64.b64encode(part).decode().rstrip("=") for part in (salt, key)]
    hashed = f"$pbkdf2-sha256$1024${parts[0]}${parts[1]}"
    assert verify_password("pw", hashed)
    assert not verify_password("pw2", hashed)
    assert not verify_password("pw", hashed.replace("$1024$", "$999999999$"))
