"""What people may attach to a chat: which types, how they are told from their bytes, their names.

Source: reference, chats, sections 1.14 and 2.11. Pure.
"""

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import quote, unquote_to_bytes
from uuid import UUID

from server.chats.errors import MismatchedFileType, UnsupportedFileType

LARGEST: Final = 10 * 2**20
SNIFFED: Final = 512
"""Bytes that a type is told from."""
LONGEST_NAME: Final = 255
"""Bytes of UTF-8."""
KEPT_UNLINKED: Final = timedelta(days=1)
"""An upload that no chat uses is kept for as long as a person may write at one message."""

TEXTS: Final = frozenset({"text/plain", "text/csv", "text/markdown", "application/json"})
IMAGES: Final = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
ALLOWED: Final = TEXTS | IMAGES | {"application/pdf"}

_SVG: Final = re.compile(
    rb"(?:\s|<\?xml\b.*?\?>|<!--.*?-->|<!DOCTYPE[^>]*>)*<svg\b", re.DOTALL | re.IGNORECASE
)
_MARKS: Final = (
    ("image/png", re.compile(rb"\x89PNG\r\n\x1a\n")),
    ("image/jpeg", re.compile(rb"\xff\xd8\xff")),
    ("image/gif", re.compile(rb"GIF8[79]a")),
    ("image/webp", re.compile(rb"RIFF....WEBPVP", re.DOTALL)),
    ("application/pdf", re.compile(rb"%PDF-")),
    ("image/svg+xml", _SVG),
)
_BINARY: Final = re.compile(rb"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f]")
"""Bytes that no text has (WHATWG, MIME Sniffing, "binary data byte")."""
_BOMS: Final = (b"\xef\xbb\xbf", b"\xfe\xff", b"\xff\xfe")

_PARAMETER: Final = re.compile(
    r';\s*(filename\*?)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;]*))', re.IGNORECASE
)
_EXTENDED: Final = re.compile(r"([\w-]+)'[\w-]*'(.*)", re.DOTALL)
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file without its bytes."""

    id: UUID
    owner_id: UUID
    organization_id: UUID
    name: str
    mimetype: str
    size_bytes: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class FileContent:
    """A file with its bytes, as a prompt or a download needs it."""

    id: UUID
    name: str
    mimetype: str
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that was checked and may be stored."""

    name: str
    mimetype: str
    data: bytes = field(repr=False)


def upload(data: bytes, content_type: str, disposition: str) -> Upload:
    """Check what was uploaded against what it was said to be.

    Raises:
        UnsupportedFileType: chats do not take such files, or nobody said what it is.
        MismatchedFileType: its bytes are something else.
    """
    declared = content_type.partition(";")[0].strip().lower()
    if declared not in ALLOWED:
        raise UnsupportedFileType(declared)
    found = sniff(data)
    if found == "image/svg+xml":
        raise UnsupportedFileType(found)
    if found != ("text/plain" if declared in TEXTS else declared):
        raise MismatchedFileType(declared, found)
    return Upload(name(disposition), declared, data)


def sniff(data: bytes) -> str:
    """Return the type that the first bytes tell; what nobody knows is ``octet-stream``."""
    head = data[:SNIFFED]
    for mimetype, mark in _MARKS:
        if mark.match(head.removeprefix(_BOMS[0]) if mimetype == "image/svg+xml" else head):
            return mimetype
    if head.startswith(_BOMS) or not _BINARY.search(head):
        return "text/plain"
    return "application/octet-stream"


def name(disposition: str) -> str:
    """Return the file's name in a ``Content-Disposition``: RFC 5987's form wins over the plain one.

    Without directories and control characters, and cut where a character ends.
    """
    plain = extended = ""
    for found in _PARAMETER.finditer(disposition):
        quoted, bare = found[2], found[3]
        value = re.sub(r"\\(.)", r"\1", quoted) if quoted is not None else bare.strip()
        if found[1].endswith("*"):
            extended = extended or _decoded(value)
        else:
            plain = plain or value
    return fit(extended or plain)


def fit(text: str) -> str:
    """Return a name that can be stored: one line, no directories, at most 255 bytes."""
    last = re.split(r"[/\\]", text)[-1]
    clean = _CONTROL.sub("", last).strip()
    return clean.encode(errors="ignore")[:LONGEST_NAME].decode(errors="ignore")


def disposition(file_name: str) -> str:
    """Return the ``Content-Disposition`` of a file that a browser may show."""
    if not file_name:
        return "inline"
    if file_name.isascii():
        escaped = file_name.replace("\\", "\\\\").replace('"', '\\"')
        return f'inline; filename="{escaped}"'
    return f"inline; filename=\"file\"; filename*=UTF-8''{quote(file_name, safe='')}"


def _decoded(value: str) -> str:
    found = _EXTENDED.fullmatch(value)
    if found is None or found[1].lower() not in ("utf-8", "iso-8859-1"):
        return ""
    return unquote_to_bytes(found[2]).decode(found[1].lower(), errors="ignore")
