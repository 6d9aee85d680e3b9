"""Say something to a chat without watching, say it otherwise, stop it, put it away."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from coder_cli import config, ui
from coder_cli.commands.agents.chatting import Files, ModelName, read_prompt, telling_limits
from coder_cli.commands.agents.finding import USAGE, ChatName, find_chat, read_attachment
from coder_cli.commands.agents.ordering import Order
from coder_cli.commands.flags import Output
from coder_cli.kit.refused import Refused
from coder_cli.ui.tables import check_output

if TYPE_CHECKING:
    from coder_cli.sdk.chats.chats import Chat
    from coder_cli.sdk.client import Client

Words = Annotated[
    str, typer.Argument(metavar="<words|->", help="What to say; - reads it from stdin.",
                        show_default=False),
]  # fmt: skip
MessageId = Annotated[
    int,
    typer.Argument(metavar="<message>", help="Its number in coder agents messages.",
                   show_default=False),
]  # fmt: skip


def send(
    chat: ChatName,
    words: Words,
    model: ModelName = "",
    file: Files = None,
    interrupt: Annotated[
        bool, typer.Option("--interrupt", help="Do not wait for a turn that runs: stop it")
    ] = False,
    output: Output = "table",
) -> None:
    """Say something in a chat and leave the agent at work."""
    check_output(output, "table", "json")
    attachments = [read_attachment(Path(path)) for path in file or []]
    said = _required(read_prompt(words))
    client = config.connect()
    found = find_chat(client, chat)
    with telling_limits():
        order = Order(client, said, attachments, model=model, interrupt=interrupt)
        answer = order.say(found)
    if output == "json":
        ui.result_json(answer)
        return
    for warning in answer.warnings:
        ui.warn(warning)
    if answer.queued_message is not None:
        number = answer.queued_message.id
        ui.result(f"The agent is busy: message {number} waits in the queue of chat {found.id}.")
    else:
        ui.result(f"The agent is at work in chat {found.id}.")


def edit(
    chat: ChatName,
    message: MessageId,
    words: Words,
    model: ModelName = "",
    output: Output = "table",
) -> None:
    """Say something otherwise: the chat goes on from there, what came after it goes."""
    check_output(output, "table", "json")
    said = _required(read_prompt(words))
    client = config.connect()
    found = find_chat(client, chat)
    order = Order(client, said, model=model)
    model_id = order.model_id()
    from coder_cli.sdk.chats.messages import EditChatMessageRequest

    content = order.content(found.organization_id)
    request = EditChatMessageRequest(content=content, model_config_id=model_id)
    with telling_limits():
        answer = client.edit_chat_message(found.id, message, request)
    if output == "json":
        ui.result_json(answer)
        return
    ui.result(
        f"The agent begins anew at message {answer.message.id}."
        f" Follow it with: coder agents chat --chat {found.id}"
    )


def interrupt(chat: ChatName, output: Output = "table") -> None:
    """Stop a chat's turn; what was written stays."""
    check_output(output, "table", "json")
    client = config.connect()
    stopped = client.interrupt_chat(find_chat(client, chat).id)
    if output == "json":
        ui.result_json(stopped)
        return
    ui.result(f"Chat {stopped.id} is {stopped.status.value}.")


def compact(chat: ChatName) -> None:
    """Have what was said so far summed up, which makes room in the model's context."""
    client = config.connect()
    found = find_chat(client, chat)
    client.compact_chat(found.id)
    ui.result(f"The agent sums up chat {found.id}.")


def clear(chat: ChatName) -> None:
    """Let the model forget what was said so far; people still see it."""
    client = config.connect()
    found = find_chat(client, chat)
    client.clear_chat(found.id)
    ui.result(f"The agent has forgotten what was said in chat {found.id}.")


def archive(chat: ChatName, output: Output = "table") -> None:
    """Put a chat and its sub-agents away; nothing of it is lost."""
    _set_archived(chat, output, archived=True)


def unarchive(chat: ChatName, output: Output = "table") -> None:
    """Bring an archived chat back; give its id as it was listed."""
    _set_archived(chat, output, archived=False)


def _set_archived(name: str, output: str, *, archived: bool) -> None:
    check_output(output, "table", "json")
    client = config.connect()
    found = find_chat(client, name)
    from coder_cli.sdk.chats.chats import UpdateChatRequest

    client.update_chat(found.id, UpdateChatRequest(archived=archived))
    _tell(client, found, output, "archived" if archived else "back among the others")


def _tell(client: "Client", chat: "Chat", output: str, words: str) -> None:
    if output == "json":
        ui.result_json(client.chat(chat.id))
        return
    ui.result(f"Chat {chat.id} is {words}.")


def _required(words: str) -> str:
    if not words:
        raise Refused("There is nothing to say: the message is empty.", exit_code=USAGE)
    return words
