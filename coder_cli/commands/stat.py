"""``coder stat``: how busy a workspace is, for the metadata scripts of templates.

Templates call this every few seconds: standard library only. In a container the figures are the
container's, as its control group has them. Source: reference, API and CLI, section 1.7.
"""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

from coder_cli.commands.boot import BootParser
from coder_cli.commands.stat_reading import Host, Reading, Unknown
from coder_cli.kit.refused import Refused

COMMANDS = {
    "cpu": "Show how many cores are busy",
    "mem": "Show how much memory is in use",
    "disk": "Show how much of a disk is in use",
}
PREFIXES = {"": 1, "Ki": 1 << 10, "Mi": 1 << 20, "Gi": 1 << 30, "Ti": 1 << 40}
HELP = frozenset({"-h", "--help", "help"})
Nap = Callable[[float], None]


def main(argv: list[str], root: Path = Path("/"), nap: Nap = time.sleep) -> int:  # noqa: TID251 - the default of a parameter
    """Print one figure, or all of them.

    Raises:
        Refused: the words are wrong, or the system does not tell.
    """
    if argv and argv[0] in HELP:
        return _help()
    words = argv if argv and not argv[0].startswith("-") else ["all", *argv]
    if words[0] not in (*COMMANDS, "all"):
        raise Refused(f'There is no command "stat {words[0]}". Choose from: {", ".join(COMMANDS)}.')
    options = _parser(words[0]).parse_args(words[1:])
    if options.output not in ("text", "json"):
        raise Refused(f"--output {options.output!r} is not possible here. Choose text or json.")
    host = Host(root, nap)
    try:
        if words[0] == "all":
            found = {
                "cpu": host.cpu(whole=False),
                "mem": host.memory(whole=False),
                "disk": host.disk(str(Path.home())),
            }
            return _print_all(found, options.output)
        reading = _read(host, words[0], options)
    except (Unknown, OSError) as error:
        raise Refused(f"This system does not say: {error}.") from None
    prefix = getattr(options, "prefix", "")
    write = _json if options.output == "json" else _text
    sys.stdout.write(f"{write(reading, prefix)}\n")
    return 0


def _read(host: Host, what: str, options: object) -> Reading:
    whole = bool(getattr(options, "host", False))
    if what == "cpu":
        return host.cpu(whole=whole)
    if what == "mem":
        return host.memory(whole=whole)
    return host.disk(str(getattr(options, "path", "/")))


def _parser(what: str) -> BootParser:
    if what == "all":
        parser = BootParser("stat", "Show how busy the workspace is.", usage="coder stat [flags]")
    else:
        usage = f"coder [global flags] stat {what} [flags]"
        parser = BootParser(f"stat {what}", f"{COMMANDS[what]}.", usage=usage)
    parser.add_argument("-o", "--output", default="text", metavar="text|json", help="How to print")
    if what in ("cpu", "mem"):
        parser.add_argument(
            "--host", action="store_true", help="Of the whole machine, also in a container"
        )
    if what == "disk":
        parser.add_argument(
            "--path", default="/", metavar="DIRECTORY", help="On the disk with this"
        )
    if what in ("mem", "disk"):
        parser.add_argument(
            "--prefix",
            default="Gi",
            choices=[name for name in PREFIXES if name],
            help="In units of so many bytes",
        )
    return parser


def _text(reading: Reading, prefix: str) -> str:
    """Return ``0.5/8 cores (6%)``; without a limit, ``0.5 cores``."""
    scale = PREFIXES[prefix] if reading.unit == "B" else 1
    unit = f"{prefix}{reading.unit}" if reading.unit == "B" else reading.unit
    used = _short(reading.used / scale)
    if not reading.total:
        return f"{used} {unit}"
    share = round(100 * reading.used / reading.total)
    return f"{used}/{_short(reading.total / scale)} {unit} ({share}%)"


def _json(reading: Reading, prefix: str) -> str:
    prefix = prefix if reading.unit == "B" else ""
    scale = PREFIXES[prefix]
    return json.dumps(
        {
            "prefix": prefix,
            "total": reading.total and reading.total / scale,
            "unit": reading.unit,
            "used": reading.used / scale,
        }
    )


def _short(number: float) -> str:
    return f"{number:.1f}".removesuffix(".0")


def _print_all(found: dict[str, Reading], output: str) -> int:
    if output == "json":
        whole = {name: json.loads(_json(reading, "Gi")) for name, reading in found.items()}
        sys.stdout.write(f"{json.dumps(whole)}\n")
        return 0
    for name, reading in found.items():
        sys.stdout.write(f"{name:<6}{_text(reading, 'Gi')}\n")
    return 0


def _help() -> int:
    lines = ["Show how busy the workspace is: in a container the container, else the machine.", ""]
    lines += ["Usage: coder [global flags] stat [cpu|mem|disk] [flags]", "", "Commands:"]
    lines += [f"  {name:<12}{line}" for name, line in COMMANDS.items()]
    lines += ["", 'Learn more about a command: "coder stat <command> --help"']
    sys.stdout.write("\n".join(lines) + "\n")
    return 0


def path(argv: list[str]) -> list[str]:
    """Return which command the words mean, as far as they name one."""
    return [word for word in argv[:1] if word in COMMANDS]


def paths() -> list[tuple[str, ...]]:
    """Return every command, for whoever lists them all."""
    return [(name,) for name in COMMANDS]
