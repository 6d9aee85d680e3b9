"""Sealed columns: they open at their place with their key, and nowhere else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.kit.authz import as_system
from server.kit.db import Database
from server.kit.sealing import CannotUnseal, Ring, Sealer, key_name

OLD, NEW = b"o" * 32, b"n" * 32
PLACE = "chat_providers.api_key/1"


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_what_was_sealed_opens_again(text: str) -> None:
    blob = Ring([NEW]).seal(text, PLACE)
    assert Ring([OLD, NEW]).open(blob, PLACE) == text
    if len(text) > 3:
        assert text.encode() not in blob


def test_the_same_secret_never_looks_the_same() -> None:
    ring = Ring([NEW])
    assert ring.seal("secret", PLACE) != ring.seal("secret", PLACE)


def test_a_value_does_not_open_in_another_row() -> None:
    ring = Ring([NEW])
    with pytest.raises(CannotUnseal, match="copied from another row"):
        ring.open(ring.seal("secret", PLACE), "chat_providers.api_key/2")


@pytest.mark.parametrize("at", range(0, 60, 7))
def test_a_changed_byte_is_noticed(at: int) -> None:
    ring = Ring([NEW])
    blob = bytearray(ring.seal("a secret that is long enough", PLACE))
    blob[at] ^= 1
    with pytest.raises(CannotUnseal):
        ring.open(bytes(blob), PLACE)


@pytest.mark.parametrize("blob", [b"", b"\x01", b"plain text", b"\x02" + b"x" * 40])
def test_what_is_not_sealed_is_refused(blob: bytes) -> None:
    with pytest.raises(CannotUnseal, match="not sealed at all"):
        Ring([NEW]).open(blob, PLACE)


def test_a_missing_key_is_named() -> None:
    blob = Ring([OLD]).seal("secret", PLACE)
    with pytest.raises(CannotUnseal, match=f"key {key_name(OLD).hex()}, which this server"):
        Ring([NEW]).open(blob, PLACE)
    assert not Ring([NEW]).opens(blob)


async def test_the_first_key_seals_and_all_open(database: Database) -> None:
    async with database.tx(as_system("test")) as tx:
        before = await Sealer([OLD]).seal(tx, "secret", PLACE)
        both = Sealer([NEW, OLD])
        assert await both.open(tx, before, PLACE) == "secret"
        after = await both.seal(tx, "secret", PLACE)
        assert await Sealer([NEW]).open(tx, after, PLACE) == "secret"
        with pytest.raises(CannotUnseal):
            await Sealer([OLD]).open(tx, after, PLACE)
    assert repr(both) == "Sealer(2 keys)"


async def test_without_keys_the_deployment_has_one_of_its_own(database: Database) -> None:
    async with database.tx(as_system("test")) as tx:
        blob = await Sealer().seal(tx, "secret", PLACE)
        assert await Sealer().open(tx, blob, PLACE) == "secret"
        # Keys that come later do not lock out what was sealed before.
        assert await Sealer([NEW]).open(tx, blob, PLACE) == "secret"
        ring = await Sealer([NEW]).ring(tx)
        assert ring.opens(blob)
