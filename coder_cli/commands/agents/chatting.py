"""``coder agents chat``: say what is to be done, see it done, leave with a code that says how."""

import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from coder_cli import config, ui
from coder_cli.commands.agents.ctrlc import CtrlC
from coder_cli.commands.agents.finding import USAGE, read_attachment
from coder_cli.commands.agents.ordering import Order, read_labels
from coder_cli.commands.flags import Org
from coder_cli.kit.refused import Refused
from coder_cli.sdk.errors import ApiError
from coder_cli.ui.tables import check_output

if TYPE_CHECKING:
    from coder_cli.commands.agents.telling import Teller
    from coder_cli.sdk.chats.chats import Chat

LIMIT_REACHED = 4
LONGEST_PROMPT = 2**20
_LIMIT = "Chat usage limit exceeded."

PromptWords = Annotated[
    str, typer.Argument(metavar="<prompt|->", help="What to do; - reads it from stdin.",
                        show_default=False),
]  # fmt: skip
ModelName = Annotated[
    str,
    typer.Option("--model", help="An id, provider/model or a display name", metavar="<model>",
                 envvar="CODER_AGENTS_MODEL", show_default=False),
]  # fmt: skip
Files = Annotated[
    list[str] | None,
    typer.Option("--file", help="Attach a file; may be repeated", metavar="<path>"),
]


def chat(
    prompt: PromptWords = "",
    chat_id: Annotated[
        str,
        typer.Option(
            "--chat", help="Go on with this chat: an id, its begin, or last", metavar="<chat>"
        ),
    ] = "",
    workspace: Annotated[
        str, typer.Option("--workspace", help="Work in this one", metavar="<workspace>")
    ] = "",
    template: Annotated[
        str,
        typer.Option(
            "--template", help="Create a workspace of this one first", metavar="<template>"
        ),
    ] = "",
    model: ModelName = "",
    file: Files = None,
    plan: Annotated[
        bool | None, typer.Option("--plan/--no-plan", help="Propose a plan first, change nothing")
    ] = None,
    label: Annotated[
        list[str] | None,
        typer.Option("--label", help="A label of a new chat: key=value", metavar="<k=v>"),
    ] = None,
    title: Annotated[str, typer.Option("--title", help="What to call it", metavar="<title>")] = "",
    interrupt: Annotated[
        bool, typer.Option("--interrupt", help="Do not wait for a turn that runs: stop it")
    ] = False,
    detach: Annotated[
        bool, typer.Option("--detach", help="Print the chat's id and leave it at work")
    ] = False,
    wait: Annotated[
        bool, typer.Option("--wait", help="Print nothing but the answer, when it is there")
    ] = False,
    output: Annotated[
        str, typer.Option("--output", "-o", help="text, json or stream-json", metavar="<form>")
    ] = "text",
    org: Org = "",
) -> int:
    """Let an agent do something, or go on with a chat.

    Its words come on stdout as they are said, what it does on stderr. With --chat and no prompt,
    the turn that runs is followed. Ctrl-c interrupts the turn and keeps what was written; pressed
    again, it leaves the agent at work.

    Exit codes: 0 finished, 1 error, 2 wrong usage, 3 the agent needs input, 4 a spending limit is
    reached, 130 interrupted.
    """
    _check(output, detach=detach, wait=wait)
    if chat_id and (template or label):
        raise Refused("--template and --label are for new chats only.", exit_code=USAGE)
    if workspace and template:
        raise Refused("Choose either --workspace or --template.", exit_code=USAGE)
    attachments = [read_attachment(Path(path)) for path in file or []]
    words = read_prompt(prompt)
    if not words and not attachments and not chat_id:
        raise Refused('Say what to do: coder agents chat "…", or - for stdin.', exit_code=USAGE)
    labels = read_labels(label or [])
    client = config.connect()
    order = Order(
        client, words, attachments, workspace=workspace, template=template, model=model,
        plan=plan, interrupt=interrupt, title=title, org=org,
    )  # fmt: skip
    with CtrlC().heard() as ctrl_c:
        with telling_limits():
            found, after_id = order.go_on(chat_id) if chat_id else order.begin(labels)
        if detach:
            _leave(found, output)
            return 0
        from coder_cli.commands.agents.turn import Turn

        teller = _teller(output, wait=wait)
        return int(Turn(client, found, teller, ctrl_c, after_id).run().ending)


@contextmanager
def telling_limits() -> Generator[None]:
    """Let a refusal because of spent money have an exit code of its own."""
    try:
        yield
    except ApiError as error:
        if error.status == 409 and error.message == _LIMIT:
            raise Refused(ui.explain(error), exit_code=LIMIT_REACHED) from error
        raise


def _check(output: str, *, detach: bool, wait: bool) -> None:
    try:
        check_output(output, "text", "json", "stream-json")
    except Refused as error:
        raise Refused(str(error), exit_code=USAGE) from error
    if detach and (wait or output == "stream-json"):
        raise Refused("--detach shows nothing of the turn: leave it out.", exit_code=USAGE)


def read_prompt(words: str) -> str:
    """Return what was said, on the line or on stdin.

    Raises:
        Refused: there is more of it than anybody reads.
    """
    if words != "-":
        return _text(words, "The prompt")
    try:
        read = sys.stdin.read(LONGEST_PROMPT + 1)
    except UnicodeDecodeError as error:
        raise Refused("What came on stdin is no text in UTF-8.", exit_code=USAGE) from error
    if len(read) > LONGEST_PROMPT:
        raise Refused("What came on stdin is longer than a prompt can be.", exit_code=USAGE)
    return _text(read, "What came on stdin")


def _text(words: str, what: str) -> str:
    """Return what was said; bytes that are no UTF-8 arrive as halves of surrogate pairs."""
    try:
        words.encode()
    except UnicodeEncodeError as error:
        raise Refused(f"{what} is no text in UTF-8.", exit_code=USAGE) from error
    return words.strip()


def _teller(output: str, *, wait: bool) -> "Teller":
    from coder_cli.commands.agents.telling import JsonLines, LiveText, Silent, WholeJson

    if output == "json":
        return WholeJson()
    if output == "stream-json":
        return JsonLines()
    return Silent() if wait else LiveText()


def _leave(chat: "Chat", output: str) -> None:
    if output == "json":
        ui.result_json(chat)
        return
    ui.result(str(chat.id))
    ui.note(f"The agent is at work. Follow it with: coder agents chat --chat {chat.id}")
