"""How much somebody may answer at once. Pure."""

from collections.abc import Mapping

from server.kit.errors import FieldError, Invalid

MOST_INPUTS = 500
MOST_BYTES = 256 << 10


def check_inputs(inputs: Mapping[str, str]) -> None:
    """Refuse answers that no form asks for, by their number or size.

    Raises:
        Invalid: they are too many, too long, or hold what PostgreSQL and terraform cannot.
    """
    if len(inputs) > MOST_INPUTS:
        raise _refusal(f"at most {MOST_INPUTS} values are taken")
    texts = [text for item in inputs.items() for text in item]
    if sum(len(text.encode(errors="replace")) for text in texts) > MOST_BYTES:
        raise _refusal(f"at most {MOST_BYTES >> 10} KiB are taken")
    if any("\0" in text or _is_broken(text) for text in texts):
        raise _refusal("a value holds characters that are no text")


def _refusal(detail: str) -> Invalid:
    return Invalid("The answers cannot be used.", fields=[FieldError("inputs", detail)])


def _is_broken(text: str) -> bool:
    """Tell whether a text holds half of a surrogate pair, which JSON can say and UTF-8 cannot."""
    return any(0xD800 <= ord(char) <= 0xDFFF for char in text)
