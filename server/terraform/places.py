"""Where things stand in a template's text, for complaints that do not say it themselves.

Terraform names no line for circles, providers and modules that it cannot fetch, and what we refuse
ourselves is known by its address alone. Lines are searched, not parsed: a broken file has lines,
too.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

from server.terraform.convert.instances import label
from server.terraform.model import Diagnostic

_MODULES = ".terraform/modules/modules.json"
_SUFFIXES = (".tf", ".tofu")
_LARGEST = 4 << 20
_SAID = re.compile(r"\b(?:at|on|in)? ?\(?([\w./-]+\.(?:tf|tofu)(?:\.json)?)(?::| line )(\d+)")
_PROVIDER = re.compile(r'provider "?(?:[\w.:-]+/)?([\w-]+/([\w-]+))"?')
_MISSING = re.compile(r"lstat ([\w./-]+): no such file")
_BLOCK = re.compile(r'(\w+(?:\s+"[^"]*")*)\s*\{')
_CYCLE = "Cycle: "
_BARE = re.compile(r" \([^)]*\)$|^\[root\] ")
_ADVICE = re.compile(r"\n+To see which modules are currently depending on .*", re.DOTALL)
_UNREACHABLE = ("no such host", "could not connect", "connection refused", "i/o timeout")
_MIRRORS = (
    "The server cannot reach that registry. Give it a network mirror or a filesystem mirror of "
    "providers: a Terraform CLI configuration, named by TF_CLI_CONFIG_FILE in the server's "
    "environment."
)
_MODULE_MIRROR = (
    "The server cannot reach that registry. Modules can come from a directory or a Git mirror on "
    "the server's host: --terraform-modules-dir."
)


@dataclass(frozen=True, slots=True)
class Place:
    """A line of a template."""

    file: str
    line: int
    source: str
    block: str = ""


class Places:
    """The text of the template in a work directory, and of the modules that it uses."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def completed(self, found: Diagnostic) -> Diagnostic:
        """Return a complaint with its place, if it has none and the template tells."""
        if found.file or found.block:
            begins = None if found.block else _BLOCK.match(found.source)
            return _advised(replace(found, block=begins[1]) if begins else found)
        place = self.of(found.resource) or self._said(found)
        place = place or self._module(found) or self._provider(found)
        if found.summary.startswith(_CYCLE):
            return self._circle(found)
        if place is None:
            return _advised(found)
        return _advised(
            replace(
                found,
                file=place.file,
                line=place.line,
                source=place.source,
                source_line=place.line,
                block=place.block,
            )
        )

    def shown(self, address: str) -> str:
        """Return the line of an address as a complaint about another one quotes it."""
        place = self.of(address)
        return f"{place.file}:{place.line}: {place.source.strip()}" if place else address

    def of(self, address: str) -> Place | None:
        """Return where the block of an address begins, or where its local value is set."""
        *modules, last = _split(address)
        directory = self._directory(modules)
        if directory is None:
            return None
        match last.split("."):
            case ["local", name]:
                return self._local(directory, name)
            case ["var", name]:
                words = ["variable", name]
            case ["output" | "module" | "variable" | "data", *_] as words:
                pass
            case names:
                words = ["resource", *names]
        return self._block(directory, *words)

    def _said(self, found: Diagnostic) -> Place | None:
        """Return the line that the words of a complaint name."""
        said = _SAID.search(f"{found.summary}\n{found.detail}")
        if said is None:
            return None
        path = self._root / said[1]
        number = int(said[2])
        lines = _lines(path) if ".." not in path.parts else []
        if not 0 < number <= len(lines):
            return None
        return self._place(path, number, lines[number - 1])

    def _module(self, found: Diagnostic) -> Place | None:
        """Return where a directory is named that is not there."""
        named = _MISSING.search(found.detail)
        if named is None:
            return None
        source = re.compile(rf'^\s*source\s*=\s*"(?:\./)?{re.escape(named[1])}(?:/|")')
        return self._search(source, [self._root])

    def _circle(self, found: Diagnostic) -> Diagnostic:
        """Name the line of each part of a circle, in the order of the file."""
        parts = found.summary.removeprefix(_CYCLE).split(", ")
        names = sorted({_BARE.sub("", name) for name in parts})
        places = [place for place in map(self.of, names) if place is not None]
        places = sorted(dict.fromkeys(places), key=lambda p: (p.file, p.line))
        if not places:
            return found
        first, *rest = places
        others = "\n".join(f"{p.file}:{p.line}: {p.source.strip()}" for p in rest)
        return replace(
            found,
            file=first.file,
            line=first.line,
            source=first.source,
            source_line=first.line,
            block=first.block,
            summary=_CYCLE + ", ".join(names),
            detail="Each of these needs another one first." + (f"\n{others}" if others else ""),
        )

    def _provider(self, found: Diagnostic) -> Place | None:
        """Return who asks for the provider that a complaint is about."""
        named = _PROVIDER.search(f"{found.summary}\n{found.detail}")
        if named is None:
            return None
        wanted = re.compile(rf'source\s*=\s*"(?:[\w.:-]+/)?{re.escape(named[1])}"')
        user = re.compile(rf'^\s*(?:resource|data)\s+"{re.escape(named[2])}(?:_[^"]*)?"\s+"[^"]*"')
        directories = self._directories()
        return self._search(wanted, directories) or self._search(user, directories)

    def _search(self, wanted: re.Pattern[str], directories: list[Path]) -> Place | None:
        for directory in directories:
            for path, number, text in _numbered(directory):
                if wanted.search(text):
                    return self._place(path, number, text)
        return None

    def _place(self, path: Path, number: int, text: str) -> Place:
        above = reversed(_lines(path)[:number])
        begins = next(filter(None, map(_BLOCK.match, above)), None)
        file = str(path.relative_to(self._root))
        return Place(file, number, text, begins[1] if begins else "")

    def _block(self, directory: Path, *words: str) -> Place | None:
        labels = "".join(rf'\s+"?{re.escape(word)}"?' for word in words[1:])
        begins = re.compile(rf"^\s*{words[0]}{labels}\s*(?:\{{|$)")
        found = self._search(begins, [directory])
        block = " ".join([words[0], *(f'"{word}"' for word in words[1:])])
        return replace(found, block=block) if found else None

    def _local(self, directory: Path, name: str) -> Place | None:
        sets = re.compile(rf"(?:^|\blocals\s*\{{)\s*{re.escape(name)}\s*=(?![=])")
        inside = False
        for path, number, text in _numbered(directory):
            inside = inside or re.match(r"\s*locals\s*\{", text) is not None
            if inside and sets.search(text):
                return self._place(path, number, text)
            inside = inside and not text.startswith("}")
        return None

    def _directory(self, modules: list[str]) -> Path | None:
        if not modules:
            return self._root
        return self._installed().get(".".join(m.removeprefix("module.") for m in modules))

    def _directories(self) -> list[Path]:
        return list(dict.fromkeys([self._root, *self._installed().values()]))

    def _installed(self) -> dict[str, Path]:
        try:
            content: object = json.loads((self._root / _MODULES).read_text())
            modules = cast("dict[str, list[dict[str, Any]]]", content)["Modules"]
            return {str(one["Key"]): self._root / str(one["Dir"]) for one in modules}
        except (OSError, ValueError, KeyError, TypeError):
            return {}


def _split(address: str) -> list[str]:
    """Return ``["module.a", "x_vm.b"]`` of ``module.a[0].x_vm.b["c"]``."""
    parts = label(address).split(".")
    found: list[str] = []
    while parts[:1] == ["module"] and len(parts) > 2:
        found.append(".".join(parts[:2]))
        parts = parts[2:]
    return [*found, ".".join(parts)]


def _numbered(directory: Path) -> Iterator[tuple[Path, int, str]]:
    try:
        paths = sorted(path for path in directory.iterdir() if path.name.endswith(_SUFFIXES))
    except OSError:
        return
    for path in paths:
        for number, text in enumerate(_lines(path), start=1):
            yield path, number, text


def _lines(path: Path) -> list[str]:
    try:
        if path.is_symlink() or not path.is_file() or path.stat().st_size > _LARGEST:
            return []
        return path.read_text("utf-8", "replace").splitlines()
    except OSError:
        return []


def _advised(found: Diagnostic) -> Diagnostic:
    """Replace advice for people at a terminal by what helps the owner of a server."""
    detail = _ADVICE.sub("", found.detail)
    if any(word in detail for word in _UNREACHABLE):
        if "module" in found.summary:
            detail = f"{detail}\n{_MODULE_MIRROR}"
        elif "provider" in found.summary:
            detail = f"{detail}\n{_MIRRORS}"
    return found if detail == found.detail else replace(found, detail=detail)
