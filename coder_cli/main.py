"""From words to a command: global flags, the lazy table, one way to fail.

Nothing here imports Typer, httpx or a command before the words say that they are needed: editors
and ssh run this once per connection.
"""

import sys
from importlib import import_module
from typing import TYPE_CHECKING

from coder_cli import config
from coder_cli.commands.table import SECTIONS, Entry, find, passes_on
from coder_cli.kit.build import version
from coder_cli.kit.environ import environ
from coder_cli.kit.refused import Refused

if TYPE_CHECKING:
    from coder_cli.config import Globals

INTERRUPTED = 130
PIPE_CLOSED = 141
_ASKS = ("Username for '", "Password for '")
"""How git begins when it runs us as GIT_ASKPASS."""
HELP = frozenset({"-h", "--help", "help"})


def run(argv: list[str]) -> int:
    """Run one command line and return its exit code."""
    command = ["coder"]
    try:
        return _dispatch(argv, command)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        from coder_cli.ui.printer import close_quietly

        close_quietly()
        return PIPE_CLOSED
    except SystemExit as leaving:
        return _exit_code(leaving)
    except Exception as error:  # noqa: BLE001 - the one place that turns errors into words
        return _fail(" ".join(command), error)


def root_help() -> str:
    """Return the text of ``coder --help``, from the table alone."""
    lines = [
        f"Coder {version()}: development environments on your own infrastructure",
        "",
        "Usage: coder [global flags] <command>",
    ]
    for title, commands in SECTIONS.items():
        lines += ["", f"{title}:"]
        lines += [
            f"  {name:<21}{entry.help}" for name, entry in commands.items() if not entry.hidden
        ]
    lines += ["", "Global flags:"]
    for flag in config.FLAGS:
        if not flag.hidden:
            short = f"-{flag.short}, " if flag.short else ""
            name = f"{short}--{flag.name} {flag.metavar}".rstrip()
            lines.append(f"  {name:<32}{flag.help}{f' (${flag.env})' if flag.env else ''}")
    lines += ["", 'Learn more about a command: "coder <command> --help"']
    return "\n".join(lines)


def _dispatch(argv: list[str], command: list[str]) -> int:
    options, words = config.parse(argv, environ(), passes_on)
    config.use(options)
    if options.on("debug-options"):
        return _show_options(options)
    if words and words[0] == "--version":
        words = ["version", *words[1:]]
    if words and words[0] in HELP and len(words) > 1:
        words = [*words[1:], "--help"]
    if not words or words[0] in HELP:
        return _say(root_help())
    if words[0].startswith(_ASKS):
        words = ["gitaskpass", *words]
    found = find(words[0])
    if found is None:
        raise Refused(_unknown(words[0]))
    name, entry = found
    command.append(name)
    if entry.boot:
        module = import_module(entry.module)
        if entry.group:
            command += module.path(words[1:])
        return _exit_code(module.main(words[1:]))
    from coder_cli.commands.typed import run_typed

    app = import_module(entry.module).app
    return run_typed(app, words[1:], command, usage_code=entry.usage_code)


def _show_options(options: "Globals") -> int:
    for flag in config.FLAGS:
        setting = options.settings.get(flag.name)
        values, source = setting or ((), "default")
        shown = "***" if values and flag.name in {"token", "agent-token"} else ",".join(values)
        if flag.name == "global-config":
            shown = str(options.config_dir)
        _say(f"--{flag.name}={shown} (${flag.env or '-'}, {source})")
    return 0


def _say(text: str) -> int:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
    return 0


def _unknown(word: str) -> str:
    if word.startswith("-"):
        return f"There is no global flag {word}. See: coder --help"
    from difflib import get_close_matches

    close = get_close_matches(word, _names(), n=1)
    return f'There is no command "{word}".' + (
        f' Did you mean "coder {close[0]}"?' if close else ""
    )


def _names() -> list[str]:
    entries: dict[str, Entry] = {k: v for part in SECTIONS.values() for k, v in part.items()}
    return [word for name, entry in entries.items() for word in (name, *entry.aliases)]


def _exit_code(code: object) -> int:
    if isinstance(code, SystemExit):
        code = code.code
    match code:
        case None:
            return 0
        case int():
            # argparse ends with 2 on a wrong flag; a failure is 1 here, whoever found it.
            return code
        case _:
            sys.stderr.write(f"{code}\n")
            return 1


def _fail(command: str, error: Exception) -> int:
    from coder_cli.sdk.errors import SdkError
    from coder_cli.ui.failures import show_failure

    if config.verbose() or not isinstance(error, (Refused, SdkError)):
        from traceback import format_exception

        if config.verbose():
            sys.stderr.write("".join(format_exception(error)))
        elif not isinstance(error, OSError):
            error = Refused(
                f"{type(error).__name__}: {error}\nThis is a bug; --verbose shows where."
            )
    show_failure(command, error)
    return error.exit_code if isinstance(error, Refused) else 1
