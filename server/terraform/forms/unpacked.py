"""Slices on this host's disk: unpacked once for each content and set of values, then only read."""

import asyncio
import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from tempfile import mkdtemp

from coder_cli.kit.clock import Clock
from server.terraform import archive
from server.terraform.forms import declared, reading
from server.terraform.forms.references import references
from server.terraform.forms.slicing import LISTING, PACKED_LISTING
from server.terraform.model import NoForm
from server.terraform.variables import VALUES_FILE, outline

MOST_KEPT = 200
"""Slices whose names are in memory; what is on disk is dropped by age."""
UNUSED = timedelta(days=7)

Names = Mapping[tuple[str, str], str]
"""Module path and label of each parameter block → the name it has, where that is a constant."""


@dataclass(frozen=True, slots=True)
class Unpacked:
    """A slice as a directory in which terraform can plan."""

    directory: Path
    names: Names
    steady: bool
    """No expression looks at a parameter: answers change values, and nothing else."""


@dataclass(slots=True)
class Shelf:
    """Keeps the slices that were used last."""

    root: Path
    clock: Clock
    _kept: dict[str, Unpacked] = field(default_factory=dict[str, Unpacked])
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def get(self, content: bytes, variables: Mapping[str, str]) -> Unpacked:
        """Return a slice's directory; ``variables`` are the values it is planned with.

        Raises:
            NoForm: it cannot be unpacked.
        """
        values = json.dumps(dict(variables), sort_keys=True).encode()
        key = hashlib.sha256(b"%d\0%s%s" % (len(values), values, content)).hexdigest()
        async with self._lock:
            found = self._kept.pop(key, None)
            if found is None or not await asyncio.to_thread(found.directory.is_dir):
                try:
                    found = await asyncio.to_thread(self._unpack, key, content, variables)
                except (OSError, ValueError) as error:
                    raise NoForm(f"its parameters cannot be unpacked: {error}") from error
            self._kept[key] = found  # The newest is last.
            while len(self._kept) > MOST_KEPT:
                self._kept.pop(next(iter(self._kept)))
        return found

    def _unpack(self, key: str, content: bytes, variables: Mapping[str, str]) -> Unpacked:
        target = self.root / key
        if target.is_dir():
            self._touch(target)  # An earlier server, or another one of this host, unpacked it.
            return Unpacked(target, _names(target), _is_steady(target))
        self.root.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._forget_unused()
        draft = Path(mkdtemp(prefix=".draft-", dir=self.root))
        try:
            archive.unpack(content, draft)
            reading.check(draft)
            _list_modules(draft)
            _write_private(draft / VALUES_FILE, outline(draft).file(variables))
            names, steady = _names(draft), _is_steady(draft)
            self._touch(draft)
            with suppress(OSError):
                draft.rename(target)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
        return Unpacked(target, names, steady)

    def _touch(self, directory: Path) -> None:
        now = self.clock.now().timestamp()
        os.utime(directory, (now, now))

    def _forget_unused(self) -> None:
        oldest = (self.clock.now() - UNUSED).timestamp()
        for entry in self.root.iterdir():
            with suppress(OSError):
                if entry.stat().st_mtime < oldest:
                    shutil.rmtree(entry)


def _list_modules(draft: Path) -> None:
    """Write terraform's list of modules anew: a packed one may say more than we read in it."""
    packed = draft / PACKED_LISTING
    listing = draft / LISTING
    listing.parent.mkdir(parents=True)
    try:
        entries = [
            {name: str(entry.get(name, "")) for name in ("Key", "Source", "Dir")}
            for entry in json.loads(packed.read_text("utf-8"))["Modules"]
        ]
    except (KeyError, TypeError, AttributeError, RecursionError):
        raise declared.NoSlice("its list of modules cannot be read") from None
    packed.unlink()
    for entry in entries:
        place = draft / entry["Dir"]
        if not (place.resolve().is_relative_to(draft.resolve()) and place.is_dir()):
            raise declared.NoSlice("a module of it lies elsewhere")
    listing.write_text(json.dumps({"Modules": entries}), "utf-8")


def _names(directory: Path) -> Names:
    names: dict[tuple[str, str], str] = {}
    for module, place in declared.calls(directory, directory / LISTING).items():
        for key, pieces in declared.read(place).pieces.items():
            name = declared.literal(pieces[0].block.arguments.get("name", ""))
            if key[:2] == ("data", "coder_parameter") and isinstance(name, str):
                names[module, key[2]] = name
    return names


def _is_steady(directory: Path) -> bool:
    for path in sorted((*directory.rglob("*.tf"), *directory.rglob("*.tofu"))):
        text = path.read_text("utf-8")
        if "lifecycle" in text:
            return False  # A condition of a parameter may look at its own value.
        for reference in references(text):
            if reference.kind == "data" and reference.names[0] == "coder_parameter":
                return False
    return True


def _write_private(path: Path, text: str) -> None:
    with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
        file.write(text)
