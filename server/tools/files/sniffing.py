"""What kind of file this is, by its bytes; its name only tells texts apart. Pure."""

from server.tools.sentences import ToolError

_MAGIC = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"%PDF-", "application/pdf"),
)
_TEXTS = {
    "json": "application/json",
    "csv": "text/csv",
    "md": "text/markdown",
    "markdown": "text/markdown",
}
_NO_TEXT = frozenset({"svg", "svgz", "html", "htm", "xhtml"})


def media_type(name: str, content: bytes) -> str:
    """Return the media type of a file that chats can keep.

    Raises:
        ToolError: they keep none of this kind.
    """
    for magic, kind in _MAGIC:
        if content.startswith(magic):
            return kind
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    end = name.rpartition(".")[2].lower()
    if end in _NO_TEXT:
        raise _refusal(name)
    try:
        text = content.decode()
    except UnicodeDecodeError:
        raise _refusal(name) from None
    if "\0" in text:
        raise _refusal(name)
    return _TEXTS.get(end, "text/plain")


def _refusal(name: str) -> ToolError:
    return ToolError(
        f"files like {name!r} cannot be attached: only PNG, JPEG, GIF, WebP, PDF and text can"
    )
