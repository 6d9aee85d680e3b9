"""``coder exp scaletest``: put a deployment under load, and say how it bore it."""

import asyncio
import json
import sys
from argparse import Namespace

from coder_cli import config
from coder_cli.commands.boot import BootParser
from coder_cli.commands.exp import HELP, show_help
from coder_cli.kit.refused import Refused

COMMANDS = {"chat": "Let many chats take many turns at once"}


def main(argv: list[str]) -> int:
    """Run a load; 1 when some of it failed.

    Raises:
        Refused: the words are wrong.
        SdkError: the deployment refuses, or does not answer.
    """
    if not argv or argv[0] in HELP:
        return show_help("exp scaletest", "Put a deployment under load.", COMMANDS)
    if argv[0] not in COMMANDS:
        raise Refused(f'There is no command "exp scaletest {argv[0]}". Choose from: chat.')
    return _chat(_parser().parse_args(argv[1:]))


def _parser() -> BootParser:
    parser = BootParser(
        "exp scaletest chat",
        "Make chats, let each take turns one after the other, and report what that took."
        " It costs what the model costs; the scripted one costs nothing.",
        usage="coder [global flags] exp scaletest chat [flags]",
    )
    add = parser.add_argument
    add("--chats", type=int, default=10, metavar="N", help="How many chats (10)")
    add("--turns", type=int, default=10, metavar="N", help="Turns of each (10)")
    add("--concurrency", type=int, default=0, metavar="N", help="Chats at a time (all)")
    add("--prompt", default="Say hello.", metavar="TEXT", help="What each turn says")
    add("--model", default="", metavar="MODEL", help="An id, provider/model or a display name")
    add("--workspace", default="", metavar="NAME", help="Let them all work in this one")
    add("--org", default="", metavar="NAME", help="Organization")
    add("--turn-timeout", type=float, default=120.0, metavar="SECONDS", help="For each turn (120)")
    add("--keep", action="store_true", help="Do not archive the chats at the end")
    add("-o", "--output", default="text", choices=("text", "json"), help="How to report")
    return parser


def _chat(options: Namespace) -> int:
    if options.chats < 1 or options.turns < 1 or options.concurrency < 0:
        raise Refused("--chats and --turns are 1 at least.")
    from coder_cli.commands.agents.finding import find_model
    from coder_cli.commands.exp.chatload import Load, measure
    from coder_cli.commands.finding import find_organization, find_workspace

    client = config.connect()
    workspace = find_workspace(client, options.workspace) if options.workspace else None
    organization = workspace.organization_id if workspace else None
    load = Load(
        url=client.url,
        headers=client.all_headers(),
        organization_id=str(organization or find_organization(client, options.org).id),
        workspace_id=str(workspace.id) if workspace else None,
        model_config_id=str(find_model(client, options.model).id) if options.model else None,
        chats=options.chats,
        turns=options.turns,
        concurrency=options.concurrency or options.chats,
        prompt=options.prompt,
        turn_timeout=options.turn_timeout,
        keep=options.keep,
    )
    client.close()
    sys.stderr.write(f"{load.chats} chats, {load.turns} turns each …\n")
    report = asyncio.run(measure(load))
    if options.output == "json":
        sys.stdout.write(json.dumps(report.as_json(), indent=2) + "\n")
    else:
        sys.stdout.write("\n".join(report.lines()) + "\n")
    return 1 if report.failures else 0
