"""From words to a command: what is imported, how it ends, what it says when it fails."""

import socket
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
import typer

from coder_cli.commands.table import ALIASES, COMMANDS, find
from coder_cli.kit.build import VERSION, version
from coder_cli.kit.refused import Refused
from coder_cli.main import run
from tests.coder_cli.conftest import Cli

HEAVY = ["typer", "httpx", "pydantic", "rich", "websockets", "starlette", "psycopg", "asyncssh"]


@pytest.mark.parametrize("line", ["--help", "--version", "version", "help", "nonsense"])
def test_help_and_version_import_nothing_but_the_table(line: str) -> None:
    code = (
        "import sys; from coder_cli.main import run; run(sys.argv[1:]);"
        "print(sorted(m for m in sys.modules if m.split('.')[0] in"
        f" {[*HEAVY, 'argparse', 'dataclasses']} or m.startswith('coder_cli.commands.')))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code, line], capture_output=True, text=True, check=True
    )
    loaded = ran.stdout.splitlines()[-1]
    assert not [name for name in HEAVY if f"'{name}" in loaded], loaded
    own = {"'coder_cli.commands.table'", "'coder_cli.commands.version'"}
    assert {word for word in loaded.strip("[]").split(", ") if "coder_cli" in word} <= own


def test_what_may_be_left_out_is_not_called_required(typed: Cli) -> None:
    ran = typed("ssh")
    assert ran.code == 1
    assert ran.err.endswith("error: The following arguments are required: workspace.\n")


@pytest.mark.parametrize(
    "line", ["whoami", "list", "users list", "tokens list", "show dev", "templates list", "stop d"]
)
def test_a_request_leaves_before_shapes_and_tables_are_loaded(line: str) -> None:
    """200 ms of CPU are allowed until then: pydantic, rich and HTTP/2 would not fit in."""
    code = (
        "import socket, sys, os\n"
        "def first_byte(self, *a):\n"
        "    heavy = {'pydantic', 'rich', 'click', 'h2', 'websockets', 'yaml', 'keyring'}\n"
        "    os.write(1, repr(sorted(heavy & set(sys.modules))).encode()); os._exit(0)\n"
        "socket.socket.sendall = socket.socket.send = first_byte\n"
        "from coder_cli.main import run\n"
        "run(sys.argv[1:])\n"
    )
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        words = ["--url", url, "--token", "x", *line.split()]
        ran = subprocess.run(
            [sys.executable, "-c", code, *words], capture_output=True, text=True, check=True
        )
    assert ran.stdout == "[]", ran.stderr


@pytest.mark.parametrize("name", COMMANDS)
def test_every_entry_can_be_imported_and_is_what_it_says(name: str) -> None:
    entry = COMMANDS[name]
    module = import_module(entry.module)
    if entry.boot:
        assert callable(module.main)
    else:
        assert isinstance(module.app, typer.Typer)
    assert not entry.help.endswith(".")


def test_aliases_lead_to_their_commands() -> None:
    assert all(find(alias) == (name, COMMANDS[name]) for alias, name in ALIASES.items())
    assert not ALIASES.keys() & COMMANDS.keys()
    assert find("org") == find("organizations")
    assert find("nonsense") is None


def test_the_version_is_the_packages() -> None:
    pyproject = (Path(__file__).parents[2] / "pyproject.toml").read_text()
    assert f'\nversion = "{VERSION}"\n' in pyproject


@pytest.mark.parametrize("words", [["--version"], ["version"], ["-v", "version"]])
def test_version(words: list[str], typed: Cli) -> None:
    assert typed(*words).out == f"Coder {version()}\n"


def test_help_of_a_command_by_either_way(typed: Cli) -> None:
    assert typed("help", "templates", "push").out == typed("templates", "push", "--help").out


def test_switches_take_values_as_upstreams_do(typed: Cli) -> None:
    # Not a usage error: the flag was understood, and only the log-in is missing.
    for word in ("--yes=true", "--yes=false", "-y"):
        assert "logged out" in typed("stop", "dev", word).err
    assert "No such option" in typed("stop", "dev", "--nope=true").err


def test_debug_options_show_values_and_sources(typed: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CODER_URL", "https://env.example.com")
    out = typed("list", "--debug-options", "--token", "s3cret", "-v").out
    assert "--url=https://env.example.com ($CODER_URL, env)" in out
    assert "--token=*** ($CODER_SESSION_TOKEN, flag)" in out
    assert "--no-open= ($CODER_NO_OPEN, default)" in out


class _Stub:
    def __init__(self, error: BaseException) -> None:
        self.error = error

    def main(self, argv: list[str]) -> int:
        raise self.error


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (KeyboardInterrupt(), 130),
        (Refused("No."), 1),
        (Refused("No.", exit_code=42), 42),
        (SystemExit(3), 3),
        (SystemExit(None), 0),
        (SystemExit("bye"), 1),
        (RuntimeError("a bug"), 1),
    ],
)
def test_exit_codes(
    error: BaseException, code: int, monkeypatch: pytest.MonkeyPatch, typed: Cli
) -> None:
    monkeypatch.setitem(sys.modules, "coder_cli.commands.version", _Stub(error))
    assert run(["version"]) == code


def test_a_bug_is_called_one(typed: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    stub = _Stub(ValueError("what"))
    monkeypatch.setitem(sys.modules, "coder_cli.commands.version", stub)
    assert "error: ValueError: what\nThis is a bug" in typed("version").err
    assert "Traceback" in typed("--verbose", "version").err


def test_a_closed_pipe_is_quiet() -> None:
    ran = subprocess.run(
        f"{sys.executable} -m coder_cli --help | true",
        shell=True, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ran.stderr == ""


def test_no_color_and_pipes_carry_no_colours(cli: Cli) -> None:
    assert "\x1b" not in cli("whoami").out + cli("show", "dev").err
