"""``coder exp sync``: in a workspace, let scripts wait for one another.

Scripts call this many times while a workspace starts: standard library only, and no pydantic.
Source: reference, agent and provisioner, section 3.3.
"""

import json
import sys
from argparse import Namespace
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from coder_cli.commands.boot import BootParser
from coder_cli.commands.exp import HELP, show_help
from coder_cli.kit.environ import environ
from coder_cli.kit.quoting import bare
from coder_cli.kit.refused import Refused
from coder_cli.sdk import agentsocket
from coder_cli.sdk.agentsocket import AgentSocket, WentAway

_UNKNOWN = "not registered"


class Command(NamedTuple):
    """One word after ``sync``."""

    run: Callable[[AgentSocket, Namespace], None]
    help: str
    usage: str = ""
    units: str = ""
    """What the names are for; empty where none are taken."""
    timeout: bool = False
    output: bool = False


def main(argv: list[str]) -> int:
    """Do what the words say on the socket of this workspace's agent.

    Raises:
        Refused: the words are wrong, or the agent says no.
        SdkError: no agent answers.
    """
    if not argv or argv[0] in HELP:
        about = "Let the scripts of a workspace wait for one another, by names of units."
        return show_help("exp sync", about, {name: one.help for name, one in COMMANDS.items()})
    command = COMMANDS.get(argv[0])
    if command is None:
        known = ", ".join(COMMANDS)
        raise Refused(f'There is no command "exp sync {argv[0]}". Choose from: {known}.')
    options = _parser(argv[0], command).parse_args(argv[1:])
    agent = AgentSocket(options.socket_path or agentsocket.socket_path(environ()))
    command.run(agent, options)
    return 0


def _parser(name: str, command: Command) -> BootParser:
    usage = f"coder [global flags] exp sync {name} [flags] {command.usage}".rstrip()
    parser = BootParser(f"exp sync {name}", f"{command.help}.", usage=usage)
    if command.units:
        parser.add_argument("unit", nargs="*", help=command.units)
    if command.timeout:
        words = "How long to wait for dependencies (5m)"
        parser.add_argument("--timeout", default="5m", metavar="DURATION", help=words)
    if command.output:
        parser.add_argument(
            "-o", "--output", default="table", choices=("table", "json"), help="How to show it"
        )
    parser.add_argument(
        "--socket-path", metavar="PATH", help=f"The agent's socket [${agentsocket.VARIABLE}]"
    )
    return parser


def _ping(agent: AgentSocket, _: Namespace) -> None:
    agent.get(agentsocket.PING)
    _say("Success")


def _want(agent: AgentSocket, options: Namespace) -> None:
    if len(options.unit) < 2:
        raise Refused("at least two arguments are required: a unit, and what it waits for")
    unit, *on = options.unit
    agent.post(agentsocket.WANT, {"unit": unit, "depends_on": on})
    _say("Success")


def _start(agent: AgentSocket, options: Namespace) -> None:
    from coder_cli.kit.durations import parse_duration

    name = _one(options)
    try:
        seconds = parse_duration(options.timeout).total_seconds()
    except ValueError as error:
        raise Refused(f"--timeout: {error}") from error
    if seconds < 0:
        raise Refused("--timeout cannot be negative.")
    missing = _missing(agent, name)
    if missing:
        shown = ", ".join(f"{bare(on)} ({status or _UNKNOWN})" for on, status in missing.items())
        _say(f"Waiting for dependencies of unit '{bare(name)}' to be satisfied...")
        _say(f"Waiting for: {shown}")
    body = {"unit": name, "wait": seconds}
    try:
        answer = agent.post(agentsocket.START, body, seconds + agentsocket.ANSWER_WITHIN)
    except WentAway as error:
        raise Refused(
            f"unit '{bare(name)}' has not started: {error}\n"
            "An agent that restarts forgets all units, and runs the scripts of its workspace again."
        ) from error
    waited = ", ".join(map(bare, dict.fromkeys([*missing, *answer["waited_for"]])))
    _say(f'Unit "{bare(name)}" waited for: [{waited}]' if waited else "Success")


def _missing(agent: AgentSocket, name: str) -> dict[str, str]:
    unit = _get(agent, name)
    if unit["status"] not in ("", "pending"):
        return {}
    return {
        one["depends_on"]: one["current_status"]
        for one in unit["dependencies"]
        if not one["is_satisfied"]
    }


def _complete(agent: AgentSocket, options: Namespace) -> None:
    agent.post(agentsocket.COMPLETE, {"unit": _one(options)})
    _say("Success")


def _status(agent: AgentSocket, options: Namespace) -> None:
    if not options.unit:
        _list(agent, options)
        return
    unit = _get(agent, _one(options))
    if options.output == "json":
        _say(json.dumps(unit, indent=2))
        return
    _say(f"Unit: {bare(unit['unit_name'])}")
    _say(f"Status: {unit['status'] or _UNKNOWN}")
    _say(f"Ready: {_word(unit['is_ready'])}\n\nDependencies:")
    rows = [
        (
            bare(one["depends_on"]),
            one["required_status"],
            one["current_status"] or _UNKNOWN,
            _word(one["is_satisfied"]),
        )
        for one in unit["dependencies"]
    ]
    if rows:
        _show(("DEPENDS ON", "REQUIRED STATUS", "CURRENT STATUS", "SATISFIED"), rows)
    else:
        _say("No dependencies found")


def _list(agent: AgentSocket, options: Namespace) -> None:
    units = agent.get(agentsocket.LIST)["units"]
    if options.output == "json":
        _say(json.dumps(units, indent=2))
    elif units:
        rows = [(bare(one["unit_name"]), one["status"], _word(one["is_ready"])) for one in units]
        _show(("UNIT", "STATUS", "READY"), rows)
    else:
        sys.stderr.write("No units found\n")


def _get(agent: AgentSocket, name: str) -> Any:
    from urllib.parse import quote

    return agent.get(f"{agentsocket.STATUS}?unit={quote(name, safe='', errors='surrogateescape')}")


def _one(options: Namespace) -> str:
    if len(options.unit) != 1:
        raise Refused("exactly one unit name is required")
    name: str = options.unit[0]
    return name


def _say(text: str) -> None:
    # Not by the room of all printing: it would cost a ping more than its request does.
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _word(value: object) -> str:
    return "true" if value else "false"


def _show(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    widths = [max(map(_width, column)) for column in zip(header, *rows, strict=True)]
    for row in (header, *rows):
        cells = [cell + " " * (wide - _width(cell)) for cell, wide in zip(row, widths, strict=True)]
        _say("  ".join(cells).rstrip())


def _width(text: str) -> int:
    from unicodedata import east_asian_width

    return sum(2 if east_asian_width(char) in "WF" else 1 for char in text)


COMMANDS = {
    "ping": Command(_ping, "Check that the agent answers"),
    "want": Command(
        _want,
        "Say that a unit waits for others to complete",
        "<unit> <dependency>...",
        "The unit that waits, then the units that it waits for",
    ),
    "start": Command(
        _start, "Wait for a unit's dependencies, then start it", "<unit>", "The unit", timeout=True
    ),
    "complete": Command(_complete, "Say that a unit has completed", "<unit>", "The unit"),
    "status": Command(
        _status, "Show a unit and its dependencies", "[<unit>]", "The unit (all)", output=True
    ),
    "list": Command(_list, "List all units", output=True),
}
