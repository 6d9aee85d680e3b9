"""What one module of a template declares, as found in its files."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from server.terraform import hcl
from server.terraform.forms.references import Reference

Key = tuple[str, ...]
"""``("local", name)``, ``("var", name)``, ``("data", type, name)``, ``("module", name)``, …"""

ASKED = frozenset(
    {
        "coder_parameter",
        "coder_workspace_preset",
        "coder_workspace_tags",
        "coder_external_auth",
        "coder_git_auth",
        "coder_secret",
    }
)
"""Data sources that a form is about."""
KNOWN = ASKED | {"coder_workspace", "coder_workspace_owner", "coder_provisioner", "coder_task"}
"""Data sources that the provider can answer without the world."""

_LARGEST_FILE = 4 << 20
_BLOCKS = {"variable": "var", "data": "data", "resource": "resource", "ephemeral": "ephemeral"}


class NoSlice(ValueError):
    """A template cannot be cut down to its parameters; the message says why."""


@dataclass(frozen=True, slots=True)
class Piece:
    """One declaration, and the file that it stands in: overrides stay overrides."""

    file: str
    block: hcl.Block


@dataclass(slots=True)
class Module:
    """The declarations of one module; a key may have several when override files add to it."""

    pieces: dict[Key, list[Piece]] = field(default_factory=dict[Key, list[Piece]])

    def add(self, key: Key, piece: Piece) -> None:
        """Note a declaration."""
        self.pieces.setdefault(key, []).append(piece)

    def declares(self, key: Key) -> bool:
        """Tell whether there is one."""
        return key in self.pieces

    def says_yes(self, key: Key, argument: str) -> bool:
        """Tell whether an argument of a declaration is written as ``true``."""
        return any(
            literal(piece.block.arguments.get(argument, "")) is True
            for piece in self.pieces.get(key, ())
        )


def key_of(reference: Reference) -> Key:
    """Return the key of what a reference means."""
    return (reference.kind, *reference.names)


def literal(text: str) -> object:
    """Return the value of a constant expression, or None."""
    try:
        return hcl.literal(text) if text else None
    except (hcl.NotHcl, ValueError, RecursionError):
        return None


def read(directory: Path) -> Module:
    """Read a module's files.

    Raises:
        NoSlice: a file is written in a way that this cannot read.
    """
    module = Module()
    for path in _files(directory):
        try:
            if path.stat().st_size > _LARGEST_FILE:
                raise NoSlice(f"{path.name} is larger than {_LARGEST_FILE >> 20} MiB")
            parsed = hcl.blocks(path.read_text("utf-8"))
        except (hcl.NotHcl, UnicodeDecodeError, RecursionError) as error:
            raise NoSlice(f"{path.name} cannot be read: {error}") from None
        for block in parsed.blocks:
            _note(module, path.name, block)
    return module


def _files(directory: Path) -> Iterator[Path]:
    for path in sorted(directory.iterdir()):
        if not path.is_file():
            continue
        if path.name.endswith((".tf.json", ".tofu.json")):
            raise NoSlice(f"{path.name} is written in JSON")
        if path.name.endswith((".tf", ".tofu")):
            yield path


def _note(module: Module, file: str, block: hcl.Block) -> None:
    match block.kind, block.labels:
        case "locals", ():
            for name, text in block.arguments.items():
                one = hcl.Block("locals", (), {name: text}, ())
                module.add(("local", name), Piece(file, one))
        case "module" | "output" as kind, (name,):
            module.add((kind, name), Piece(file, block))
        case ("variable" | "data" | "resource" | "ephemeral") as kind, labels:
            module.add((_BLOCKS[kind], *labels), Piece(file, block))
        case _:
            pass


def calls(directory: Path, listing: Path) -> dict[str, Path]:
    """Return where each module of an initialised template is, by its dotted path of calls.

    Raises:
        NoSlice: terraform's listing is not as expected.
    """
    if not listing.is_file():
        return {"": directory}
    try:
        entries: list[dict[str, str]] = json.loads(listing.read_text("utf-8"))["Modules"]
        found = {entry["Key"]: directory / entry["Dir"] for entry in entries}
    except (ValueError, KeyError, TypeError) as error:
        raise NoSlice(f"terraform's list of modules cannot be read: {error}") from None
    return {"": directory} | {key: path for key, path in found.items() if path.is_dir()}
