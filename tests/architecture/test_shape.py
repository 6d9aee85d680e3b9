"""Small, and said once: files, functions and rooms keep their size. The list may only shrink."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("coder_cli", "agent", "server")
MAX_FILE = 400
MAX_FUNCTION = 60
FORBIDDEN_NAMES = {"utils", "util", "helpers", "helper", "common", "manager", "base", "misc"}

EXCEPTIONS: dict[str, str] = {
    "coder_cli/sdk/common.py": "2026-11-21: its name; wire shapes that every noun shares",
}
"""Path -> date and reason. A path leaves when it no longer needs to be here."""


def sources() -> Iterator[Path]:
    for package in PACKAGES:
        yield from (ROOT / package).rglob("*.py")


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", sorted(sources()), ids=relative)
def test_a_file_stays_small(path: Path) -> None:
    lines = len(path.read_text().splitlines())
    assert lines <= MAX_FILE or relative(path) in EXCEPTIONS, f"{relative(path)} has {lines} lines"


@pytest.mark.parametrize("path", sorted(sources()), ids=relative)
def test_a_function_stays_small(path: Path) -> None:
    # A command declares its flags in its signature: only what is done counts.
    long = [
        f"{node.name} ({(node.end_lineno or 0) - node.body[0].lineno + 1} lines)"
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or 0) - node.body[0].lineno + 1 > MAX_FUNCTION
    ]
    assert not long, f"{relative(path)}: {', '.join(long)}"


def test_no_module_is_a_drawer_for_odds_and_ends() -> None:
    named = [relative(path) for path in sources() if path.stem in FORBIDDEN_NAMES]
    assert [path for path in named if path not in EXCEPTIONS] == []


def test_every_module_says_why_it_exists() -> None:
    silent = [relative(p) for p in sources() if ast.get_docstring(ast.parse(p.read_text())) is None]
    assert silent == []


def test_exceptions_are_still_needed() -> None:
    assert [path for path in EXCEPTIONS if not (ROOT / path).exists()] == []


def test_every_room_has_its_page() -> None:
    rooms = [
        folder
        for package in ("server", "agent")
        for folder in (ROOT / package).iterdir()
        if (folder / "__init__.py").exists()
    ]
    assert [relative(room) for room in rooms if not (room / "README.md").exists()] == []
