"""``coder agents queue``: what waits until a turn is over."""

from typing import TYPE_CHECKING, Annotated

import typer

from coder_cli import config, ui
from coder_cli.commands.agents.finding import ChatName, find_chat
from coder_cli.commands.flags import Output, columns_of
from coder_cli.commands.typed import new_app
from coder_cli.ui.printer import harmless
from coder_cli.ui.tables import Column, Listing
from coder_cli.ui.words import timestamp

if TYPE_CHECKING:
    from coder_cli.sdk.chats.messages import ChatQueuedMessage

app = new_app("See and change what waits until a chat's turn is over.")


def _words(queued: "ChatQueuedMessage") -> str:
    said = " ".join(part.text or f"[{part.type}]" for part in queued.content)
    return harmless(said).replace("\n", " ")


QUEUED: "Listing[ChatQueuedMessage]" = Listing(
    [
        Column("id", lambda queued: str(queued.id)),
        Column("message", _words),
        Column("created at", lambda queued: timestamp(queued.created_at)),
    ],
    ["id", "message", "created at"],
    "Nothing waits.",
)
QueuedId = Annotated[
    int, typer.Argument(metavar="<message>", help="Its number in the queue.", show_default=False)
]


@app.command("list")
def list_(
    chat: ChatName, columns: Annotated[str, columns_of(QUEUED)] = "", output: Output = "table"
) -> None:
    """List what waits, the next first."""
    client = config.connect()
    found = find_chat(client, chat)
    queued = client.chat_messages(found.id, limit=1).queued_messages
    QUEUED.show(queued, output=output, columns=columns)


@app.command()
def promote(chat: ChatName, message: QueuedId) -> None:
    """Say it now: the turn that runs is interrupted."""
    client = config.connect()
    found = find_chat(client, chat)
    client.promote_queued_message(found.id, message)
    ui.result(f"Message {message} is next in chat {found.id}.")


@app.command()
def delete(chat: ChatName, message: QueuedId) -> None:
    """Take it back."""
    client = config.connect()
    found = find_chat(client, chat)
    client.delete_queued_message(found.id, message)
    ui.result(f"Message {message} of chat {found.id} has been taken back.")
