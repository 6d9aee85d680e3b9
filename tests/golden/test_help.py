"""The help of every command, found by walking the table."""

from importlib import import_module

import pytest
from syrupy.assertion import SnapshotAssertion

from coder_cli.commands.table import COMMANDS
from coder_cli.commands.typed import subcommand_names
from coder_cli.main import run


def paths() -> list[tuple[str, ...]]:
    """Return every command that can be typed; ``()`` is ``coder`` itself."""
    found: list[tuple[str, ...]] = [()]
    for name, entry in COMMANDS.items():
        if entry.boot:
            found.append((name,))
            if entry.group:
                found += [(name, *rest) for rest in import_module(entry.module).paths()]
        else:
            found += [(name, *rest) for rest in subcommand_names(import_module(entry.module).app)]
    return found


@pytest.mark.parametrize("path", paths(), ids=lambda path: "-".join(path) or "coder")
def test_help(
    path: tuple[str, ...],
    golden: SnapshotAssertion,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    assert run([*path, "--help"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert out == golden
