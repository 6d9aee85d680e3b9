"""Cut a template down to what its parameters need, so that a form is evaluated in milliseconds.

What is kept is a template of its own: parameters, presets and tags, and whatever they refer to
among variables, locals, data about the workspace, and modules. A reference to anything else (a
resource, a cloud's data) becomes a value that is not known yet; no other provider is started.
"""

import io
import json
import tarfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from server.terraform import hcl
from server.terraform.forms import declared, reading
from server.terraform.forms.declared import ASKED, KNOWN, Key, Module, NoSlice, Piece, key_of
from server.terraform.forms.references import Reference, references, rewrite
from server.terraform.model import FormSlice

LISTING = ".terraform/modules/modules.json"
PACKED_LISTING = "zzzz_modules__.json"
"""Under what name the list of modules travels: an archive may not hold a ``.terraform``."""
MOST_BYTES = reading.MOST_BYTES
MOST_MODULES = 200

_UNKNOWN = "terraform_data.unknown__.output"
_UNKNOWN_FILE = "zzzz_unknown__.tf"
_UNKNOWN_TEXT = 'resource "terraform_data" "unknown__" {\n  input = jsondecode(timestamp())\n}\n'
_PROVIDERS_FILE = "zzzz_providers__.tf"
_PROVIDERS_TEXT = (
    'terraform {\n  required_providers {\n    coder = { source = "coder/coder" }\n  }\n}\n'
)
_LARGEST_FILE = 1 << 20
_NOT_COPIED = (".terraform", "terraform.tfstate", "terraform.tfplan", "terraform.pid", ".coder-")

_DROPPED: Mapping[str, frozenset[str]] = {
    "data": frozenset({"provider", "depends_on"}),
    "module": frozenset({"version", "providers", "depends_on", "source"}),
    "output": frozenset({"depends_on"}),
}
_META = frozenset({"count", "for_each"})

At = tuple[str, Key]
"""A declaration: the module's dotted path, and the key in it."""


def cut(directory: Path) -> FormSlice:
    """Return the slice of an initialised template, or why there is none."""
    try:
        return FormSlice(_Slicer(directory).tar())
    except (NoSlice, OSError, RecursionError) as error:
        return FormSlice(problem=str(error) or type(error).__name__)


@dataclass(slots=True)
class _Slicer:
    directory: Path
    places: dict[str, Path] = field(init=False)
    modules: dict[str, Module] = field(init=False)
    reached: set[At] = field(default_factory=set[At])

    def __post_init__(self) -> None:
        self.places = declared.calls(self.directory, self.directory / LISTING)
        if len(self.places) > MOST_MODULES:
            raise NoSlice(f"it has more than {MOST_MODULES} modules")
        self.modules = {key: declared.read(path) for key, path in self.places.items()}

    def tar(self) -> bytes:
        """Return the slice, packed."""
        self._reach()
        files: dict[str, bytes] = {}
        for key in sorted(self.modules):
            if not key or any(at == key for at, _ in self.reached):
                files |= self._module_files(key)
        files[PACKED_LISTING] = self._listing(files)
        if sum(map(len, files.values())) > MOST_BYTES:
            raise NoSlice(f"what its parameters need is larger than {MOST_BYTES >> 20} MiB")
        return _packed(files)

    # ------------------------------------------------------------ what is needed

    def _reach(self) -> None:
        todo: list[At] = [
            (module, key)
            for module, content in self.modules.items()
            for key in content.pieces
            if key[0] == "data" and key[1] in ASKED
        ]
        while todo:
            at = todo.pop()
            if at not in self.reached and self.modules[at[0]].declares(at[1]):
                self.reached.add(at)
                todo += self._needs(*at)

    def _needs(self, module: str, key: Key) -> Iterator[At]:
        if module:
            # Whatever is in a module is there as often as the module is called.
            yield _call(module)
        if key[0] == "var" and module:
            parent, (_, name) = _call(module)
            for piece in self.modules[parent].pieces.get(("module", name), ()):
                yield from self._mentions(parent, piece.block.arguments.get(key[1], ""))
        for piece in self.modules[module].pieces[key]:
            for text in _texts(piece.block, meta_only=key[0] == "module"):
                yield from self._mentions(module, text)

    def _mentions(self, module: str, text: str) -> Iterator[At]:
        for reference in references(text):
            key = key_of(reference)
            if not self.modules[module].declares(key) or self._is_unknown(module, key):
                continue
            yield module, key
            if reference.kind == "module":
                yield from self._outputs(_join(module, key[1]), reference)

    def _outputs(self, child: str, reference: Reference) -> Iterator[At]:
        for key in self.modules[child].pieces:
            if key[0] == "output" and reference.output in ("", key[1]):
                yield child, key

    def _is_unknown(self, module: str, key: Key) -> bool:
        match key:
            case ("local" | "var", _):
                return False
            case ("data", kind, _):
                return kind not in KNOWN
            case ("module", name):
                return _join(module, name) not in self.modules
            case _:
                return True

    # ------------------------------------------------------------ what is written

    def _module_files(self, module: str) -> dict[str, bytes]:
        texts: dict[str, list[str]] = {_PROVIDERS_FILE: [_PROVIDERS_TEXT]}
        for key, pieces in self.modules[module].pieces.items():
            if (module, key) in self.reached:
                for piece in pieces:
                    texts.setdefault(piece.file, []).append(self._written(module, key, piece))
        if any(_UNKNOWN in text for parts in texts.values() for text in parts):
            texts[_UNKNOWN_FILE] = [_UNKNOWN_TEXT]
        folder = _folder(module)
        files = {folder + name: "\n".join(parts).encode() for name, parts in texts.items()}
        if reading.reads_files(text for parts in texts.values() for text in parts):
            others = dict(_others(self.places[module]))
            reading.check_templates(
                data.decode(errors="replace") for data in (*files.values(), *others.values())
            )
            files |= {folder + name: data for name, data in others.items()}
        if not module:
            files |= dict(self._values())
        return files

    def _written(self, module: str, key: Key, piece: Piece) -> str:
        if key[0] == "module":
            return self._written_call(module, key[1], piece)

        secretive = key[:2] == ("data", "coder_parameter") and self._has_secrets()

        def put(name: str, text: str) -> str:
            written = self._put(module, text)
            if not secretive or name in _META or declared.literal(text) is not None:
                return written
            # A form is for people who need not know the secrets of a template.
            return f"issensitive(\n{written}\n) ? {_UNKNOWN} : (\n{written}\n)"

        return _text(piece.block, put)

    def _has_secrets(self) -> bool:
        return any(
            self.modules[module].says_yes(key, "sensitive")
            for module, key in self.reached
            if key[0] in {"var", "output"}
        )

    def _written_call(self, module: str, name: str, piece: Piece) -> str:
        child = _join(module, name)
        kept = {
            argument: self._put(module, text)
            for argument, text in piece.block.arguments.items()
            if argument in _META or (child, ("var", argument)) in self.reached
        }
        if "source" in piece.block.arguments:
            up = "../../" if module else "./"
            kept["source"] = json.dumps(f"{up}{_folder(child)}".rstrip("/"))
        return _rendered(piece.block.kind, piece.block.labels, kept, [])

    def _put(self, module: str, text: str) -> str:
        if "provider::" in text:
            return _UNKNOWN  # A function of some provider, which nobody starts for a form.

        def instead(reference: Reference) -> str | None:
            key = key_of(reference)
            known = self.modules[module]
            return _UNKNOWN if known.declares(key) and self._is_unknown(module, key) else None

        return rewrite(text, instead)

    def _values(self) -> Iterator[tuple[str, bytes]]:
        """Yield the template's own files of values, without what is not declared here."""
        names = {key[1] for at, key in self.reached if not at and key[0] == "var"}
        for path in sorted(self.directory.iterdir()):
            bare = path.name.removesuffix(".json")
            if path.is_file() and (bare == "terraform.tfvars" or bare.endswith(".auto.tfvars")):
                yield path.name, _kept_values(path, names)

    def _listing(self, files: Mapping[str, bytes]) -> bytes:
        entries = [
            {"Key": key, "Source": f"./{_folder(key)}" if key else "", "Dir": _folder(key) or "."}
            for key in sorted(self.modules)
            if not key or f"{_folder(key)}{_PROVIDERS_FILE}" in files
        ]
        return json.dumps({"Modules": entries}).encode()


def _join(module: str, name: str) -> str:
    return f"{module}.{name}" if module else name


def _call(module: str) -> At:
    parent, _, name = module.rpartition(".")
    return parent, ("module", name)


def _folder(module: str) -> str:
    return f"m/{module}/" if module else ""


def _texts(block: hcl.Block, *, meta_only: bool) -> Iterator[str]:
    for name, text in block.arguments.items():
        if (name in _META or not meta_only) and not _is_dropped(block.kind, name):
            yield text
    if not meta_only:
        for inner in _inner(block):
            yield from _texts(inner, meta_only=False)


def _is_dropped(kind: str, argument: str) -> bool:
    return argument in _DROPPED.get(kind, ()) or (kind == "variable" and argument == "type")


def _inner(block: hcl.Block) -> tuple[hcl.Block, ...]:
    # What a variable may be was judged at the import; newer terraforms are needed for some rules.
    return () if block.kind in {"variable", "output"} else block.blocks


def _text(block: hcl.Block, put: Callable[[str, str], str]) -> str:
    dropped = _DROPPED.get(block.kind, frozenset())
    arguments = {
        name: text if block.kind == "variable" and name == "type" else put(name, text)
        for name, text in block.arguments.items()
        if name not in dropped
    }
    inner = [_text(one, put) for one in _inner(block)]
    return _rendered(block.kind, block.labels, arguments, inner)


def _rendered(
    kind: str, labels: tuple[str, ...], arguments: Mapping[str, str], inner: list[str]
) -> str:
    head = " ".join([kind, *(json.dumps(label) for label in labels)])
    lines = [f"{name} = {text}" for name, text in arguments.items()]
    return "\n".join([f"{head} {{", *lines, *inner, "}"])


def _others(directory: Path) -> Iterator[tuple[str, bytes]]:
    """Yield the files that expressions may read."""
    left = MOST_BYTES
    for path in sorted(directory.rglob("*")):
        name = path.relative_to(directory).as_posix()
        if name.startswith(_NOT_COPIED) or path.is_symlink() or not path.is_file():
            continue
        size = path.stat().st_size
        if path.name.endswith((".tf", ".tofu", ".tfvars", ".tfvars.json")) or size > _LARGEST_FILE:
            continue
        left -= size
        if left < 0:
            raise NoSlice(f"the files beside it are larger than {MOST_BYTES >> 20} MiB")
        yield name, path.read_bytes()


def _kept_values(path: Path, names: set[str]) -> bytes:
    try:
        text = path.read_text("utf-8")
        if path.suffix == ".json":
            content: dict[str, object] = json.loads(text)
            return json.dumps({n: v for n, v in content.items() if n in names}).encode()
        given = hcl.blocks(text).arguments
    except (ValueError, AttributeError) as error:
        raise NoSlice(f"{path.name} cannot be read: {error}") from None
    return "".join(f"{n} = {v}\n" for n, v in given.items() if n in names).encode()


def _packed(files: Mapping[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for name, content in sorted(files.items()):
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), 0o600
            tar.addfile(entry, io.BytesIO(content))
    return packed.getvalue()
