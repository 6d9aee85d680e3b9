"""Which files a slice may read: those that came with it, and no others.

Forms are evaluated where the server runs, which need not be where builds run; and what people
type must never become a path there.
"""

import re
from collections.abc import Iterable
from pathlib import Path

from server.terraform import hcl
from server.terraform.forms.declared import KNOWN, NoSlice
from server.terraform.forms.references import Call, calls

MOST_BYTES = 10 << 20
"""Of a slice's files."""

_READERS = frozenset(
    {
        "file",
        "filebase64",
        "filebase64sha256",
        "filebase64sha512",
        "fileexists",
        "filemd5",
        "fileset",
        "filesha1",
        "filesha256",
        "filesha512",
        "templatefile",
    }
)
_PLAIN = r'\s*"(?!\.\.|/|~)(?:[^"$%\\.]|\.(?!\.)|\$(?!\{)|%(?!\{))*"\s*'
_INSIDE = re.compile(r'\s*"\$\{path\.(?:module|root)\}(?:/(?:[^"$%\\.]|\.(?!\.))*)?"\s*[,)]')
_BESIDE = re.compile(rf"{_PLAIN}[,)]")
_FOLDER = r'(?:path\.(?:module|root)|"\$\{path\.(?:module|root)\}(?:/(?:[^"$%\\.]|\.(?!\.))*)?")'
_SET = re.compile(rf"\s*{_FOLDER}\s*,{_PLAIN}\)")
_OURS = re.compile(r"[^,)]*\.(?:coder-|terraform)", re.IGNORECASE)
"""What a run of ours puts beside the slice: nobody checked what would be in it as a template."""


def reads_files(texts: Iterable[str]) -> bool:
    """Tell whether Terraform files read other files at all.

    Raises:
        NoSlice: one may read a file that is not the slice's own.
    """
    return _check(calls(text) for text in texts)


def check_templates(texts: Iterable[str]) -> None:
    """Check the files beside them, any of which may be evaluated as a template.

    Raises:
        NoSlice: one may read a file that is not the slice's own.
    """
    _check(calls(text, template=True) for text in texts)


def check(directory: Path) -> None:
    """Check an unpacked slice: who made it may have been another machine.

    Raises:
        NoSlice: it may read a file that is not its own.
    """
    files = [path for path in sorted(directory.rglob("*")) if path.is_file()]
    if any(path.is_symlink() for path in directory.rglob("*")):
        raise NoSlice("it holds a link")
    if sum(path.stat().st_size for path in files) > MOST_BYTES:
        raise NoSlice(f"it holds more than {MOST_BYTES >> 20} MiB")
    terraform = {path: _text(path) for path in files if path.name.endswith((".tf", ".tofu"))}
    if any(path.name.endswith((".tf.json", ".tofu.json")) for path in files):
        raise NoSlice("it holds Terraform files in JSON")
    for path, text in terraform.items():
        try:
            _check_blocks(hcl.blocks(text))
        except (hcl.NotHcl, RecursionError) as error:
            raise NoSlice(f"{path.name} cannot be read: {error}") from None
    if reads_files(terraform.values()):
        # All of them: terraform's own files can be read as templates as well.
        check_templates(path.read_bytes().decode("utf-8", "replace") for path in files)


def _text(path: Path) -> str:
    """Return a Terraform file as terraform sees it: a lone return ends no line there."""
    try:
        text = path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        raise NoSlice(f"{path.name} cannot be read: {error}") from None
    if "\r" in text.replace("\r\n", ""):
        raise NoSlice(f"{path.name} has a carriage return in a line")
    return text


def _check_blocks(file: hcl.Block) -> None:
    for block in file.blocks:
        match block.kind, block.labels:
            case (("locals" | "variable" | "output" | "module"), _):
                continue
            case "data", (kind, _) if kind in KNOWN:
                continue
            case "resource", ("terraform_data", "unknown__"):
                continue
            case "terraform", () if all(b.kind == "required_providers" for b in block.blocks):
                continue
            case _:
                head = " ".join((block.kind, *block.labels))
                raise NoSlice(f"it holds {head!r}, which no form needs")


def _check(found: Iterable[list[Call]]) -> bool:
    reads = False
    for call in (call for some in found for call in some):
        if call.function == "templatestring" or (call.function in _READERS and not _harmless(call)):
            raise NoSlice(f"it calls {call.function}() with a path that is not plain to see")
        reads = reads or call.function in _READERS
    return reads


def _harmless(call: Call) -> bool:
    if call.function == "fileset":
        return _SET.match(call.rest) is not None
    if _OURS.match(call.rest):
        return False
    return bool(_INSIDE.match(call.rest) or _BESIDE.match(call.rest))
