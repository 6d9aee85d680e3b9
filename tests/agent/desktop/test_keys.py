"""Names of keys."""

import pytest

from agent.desktop.keys import UnknownKey, chord, typed


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("a", [0x61]),
        ("ctrl+s", [0xFFE3, 0x73]),
        ("Ctrl+Shift+T", [0xFFE3, 0xFFE1, 0x54]),
        ("Return", [0xFF0D]),
        ("Page_Down", [0xFF56]),
        ("F1", [0xFFBE]),
        ("F12", [0xFFC9]),
        ("f", [0x66]),
        ("+", [0x2B]),
        ("ctrl++", [0xFFE3, 0x2B]),
        ("é", [0xE9]),
        ("€", [0x010020AC]),
        ("super", [0xFFEB]),
    ],
)
def test_chords_are_pressed_in_their_order(text: str, keys: list[int]) -> None:
    assert chord(text) == keys


def test_text_is_typed_character_by_character() -> None:
    assert typed("aB\r\n\t😀") == [0x61, 0x42, 0xFF0D, 0xFF09, 0x0101F600]


@pytest.mark.parametrize("text", ["hyper_x", "F99", "Fx", "ctrl+nonsense", "F0"])
def test_unknown_keys_are_named(text: str) -> None:
    with pytest.raises(UnknownKey, match="Unknown key: "):
        chord(text)


@pytest.mark.parametrize("text", ["\x00", "\x1b", "\ud800"])
def test_what_no_key_writes_is_refused(text: str) -> None:
    with pytest.raises(UnknownKey):
        typed(text)
