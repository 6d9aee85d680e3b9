"""``coder agents stop`` and ``resume``: the kill switch."""

from typing import TYPE_CHECKING, Annotated

import typer

from coder_cli import config, ui
from coder_cli.commands.agents.finding import USAGE, find_chat
from coder_cli.commands.flags import Output, Yes
from coder_cli.kit.refused import Refused
from coder_cli.ui.tables import Column, Listing, check_output
from coder_cli.ui.words import timestamp

if TYPE_CHECKING:
    from coder_cli.sdk.chats.stopping import ChatPause

PAUSES: "Listing[ChatPause]" = Listing(
    [
        Column("user", lambda one: one.username or "(everybody)"),
        Column("reason", lambda one: one.reason),
        Column("by", lambda one: one.paused_by_username),
        Column("since", lambda one: timestamp(one.created_at)),
    ],
    ["user", "reason", "by", "since"],
    "Nobody's chats are stopped.",
)
Everybody = Annotated[bool, typer.Option("--all", help="Of everybody")]
User = Annotated[str, typer.Option("--user", help="Of this user; me is you", metavar="<user>")]


def stop(
    chat: Annotated[
        str,
        typer.Argument(
            metavar="<chat>", help="This chat only: an id, its begin, or last.", show_default=False
        ),
    ] = "",
    everybody: Everybody = False,
    user: User = "",
    reason: Annotated[
        str, typer.Option("--reason", help="Told to whoever says something", metavar="<words>")
    ] = "",
    once: Annotated[
        bool, typer.Option("--once", help="Stop what runs, and let anything begin after it")
    ] = False,
    show: Annotated[
        bool, typer.Option("--show", help="Show who is stopped, and do nothing")
    ] = False,
    yes: Yes = False,
    output: Output = "table",
) -> None:
    """Stop a chat, or all chats of a user or of everybody.

    What was written is kept. With --user and --all nothing begins any more until: coder agents
    resume. Users stop all chats of their own with --user me --once.
    """
    check_output(output, "table", "json")
    if show:
        _show(output)
        return
    _one_of(chat, user, everybody=everybody)
    client = config.connect()
    if chat:
        stopped = client.interrupt_chat(find_chat(client, chat).id)
        if output == "json":
            ui.result_json(stopped)
        else:
            ui.result(f"Chat {stopped.id} is {stopped.status.value}.")
        return
    whose = f"{user}'s" if user else "everybody's"
    asker = ui.Asker(config.current().on("force-tty"))
    asker.confirm(f"Stop all chats, {whose}?", yes=yes)
    from coder_cli.sdk.chats.stopping import StopChatsRequest

    done = client.stop_chats(StopChatsRequest(user=user, reason=reason, pause=not once))
    if output == "json":
        ui.result_json(done)
        return
    ui.result(f"Stopped {done.stopped} chat{'' if done.stopped == 1 else 's'} that had work.")
    if done.paused:
        flag = f"--user {user}" if user else "--all"
        ui.note(f"Nothing begins until: coder agents resume {flag}")


def resume(everybody: Everybody = False, user: User = "") -> None:
    """Let stopped chats go on: with what waits in their queues, and with new words."""
    _one_of("", user, everybody=everybody)
    config.connect().resume_chats(user)
    ui.result(f"{user}'s chats may go on." if user else "Everybody's chats may go on.")


def _show(output: str) -> None:
    told = config.connect().chat_pauses()
    PAUSES.show(told.pauses, output=output)


def _one_of(chat: str, user: str, *, everybody: bool) -> None:
    if sum(map(bool, (chat, user, everybody))) != 1:
        raise Refused("Say what is meant: a chat, --user or --all.", exit_code=USAGE)
