"""From what people type (a part of a chat's id, a model's name, a file) to what the API knows."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from coder_cli.kit.refused import Refused
from coder_cli.sdk.client import Client
from coder_cli.sdk.errors import ApiError

if TYPE_CHECKING:
    from coder_cli.sdk.chats.chats import Chat
    from coder_cli.sdk.chats.models import ChatModel, ChatModelConfig, ChatProviderConfig

USAGE = 2
"""The exit code of ``coder agents`` for words that do not fit."""
LAST = "last"
LOOKED_AT = 200
"""Chats among which the begin of an id is looked for."""
PAGE = 50
_BEGIN = re.compile(r"[0-9a-f][0-9a-f-]{3,35}")

ChatName = Annotated[
    str,
    typer.Argument(
        metavar="<chat>", help="An id, its first characters, or last.", show_default=False
    ),
]


def looks_like_chat(word: str) -> bool:
    """Say whether ``word`` can name a chat."""
    return word == LAST or _BEGIN.fullmatch(word.lower()) is not None


def find_chat(client: Client, text: str) -> "Chat":
    """Return the chat that a person means by ``text``.

    Raises:
        Refused: there is none, or the begin of an id fits several.
    """
    try:
        whole = UUID(text)
    except ValueError:
        return _find_among_latest(client, text.lower())
    try:
        return client.chat(whole)
    except ApiError as error:
        if error.status != 404:
            raise
        raise Refused(_missing(text)) from error


def _missing(text: str) -> str:
    return f"There is no chat {text!r} that you can see. List yours with: coder agents list"


def _find_among_latest(client: Client, text: str) -> "Chat":
    if not looks_like_chat(text):
        raise Refused(
            f"{text!r} does not name a chat; write its id, the first 4 characters of it or more,"
            " or last.",
            exit_code=USAGE,
        )
    if text == LAST:
        latest = client.chats(limit=PAGE)
        if not latest:
            raise Refused('You have no chat yet. Begin one with: coder agents chat "…"')
        return max(latest, key=lambda chat: chat.updated_at)
    found: list[Chat] = []
    for q in ("", "archived:true"):
        found = found or [chat for chat in _latest(client, q) if str(chat.id).startswith(text)]
    match found:
        case [only]:
            return only
        case []:
            raise Refused(_missing(text))
        case _:
            raise Refused(f"Several of your chats begin with {text!r}; write more of the id.")


def _latest(client: Client, q: str) -> "list[Chat]":
    chats: list[Chat] = []
    while len(chats) < LOOKED_AT:
        page = client.chats(q, limit=PAGE, after_id=chats[-1].id if chats else None)
        chats += page
        if len(page) < PAGE:
            break
    return [one for chat in chats for one in (chat, *chat.children)]


def find_model(client: Client, text: str) -> "ChatModel":
    """Return the model with this id, ``provider/model``, model or display name.

    Raises:
        Refused: there is none, it is not the only one, or its provider cannot be used.
    """
    offered = client.chat_models().providers
    fits = [(who, model) for who in offered for model in who.models if _fits(model, text)]
    match fits:
        case [(who, model)] if who.available:
            return model
        case [(who, _)]:
            why = (who.unavailable_reason or "unavailable").replace("_", " ")
            raise Refused(f"Model {text!r} cannot be used now: its provider {who.provider}: {why}.")
        case []:
            raise Refused(
                f"There is no model {text!r} that you can use. List them with: coder agents models"
            )
        case _:
            names = ", ".join(f"{model.provider}/{model.model}" for _, model in fits)
            raise Refused(f"Several models are called {text!r}: {names}. Write one of these.")


def find_model_config(client: Client, text: str) -> "ChatModelConfig":
    """Return the same with its settings, for whoever changes them.

    Raises:
        Refused: there is none, or it is not the only one.
    """
    fits = [one for one in client.chat_model_configs() if _fits(one, text)]
    match fits:
        case [only]:
            return only
        case []:
            raise Refused(f"There is no model {text!r}. List them with: coder agents models list")
        case _:
            raise Refused(f"Several models are called {text!r}; write provider/model or the id.")


def find_provider(client: Client, text: str) -> "ChatProviderConfig":
    """Return the provider with this name or id, which must be set up.

    Raises:
        Refused: there is none.
    """
    for one in client.chat_providers():
        if text in {one.provider, str(one.id)} and one.source != "supported":
            return one
    raise Refused(
        f"No provider {text!r} is set up. Set it up with: coder agents providers add {text}"
    )


def _fits(model: "ChatModel | ChatModelConfig", text: str) -> bool:
    names = {str(model.id), f"{model.provider}/{model.model}", model.model, model.display_name}
    return bool(text) and text in names


_TYPES = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".gif": "image/gif",
    ".webp": "image/webp",
    ".json": "application/json",
    ".pdf": "application/pdf",
    ".csv": "text/csv",
    ".md": "text/markdown",
}
LARGEST = 10 * 2**20


def read_attachment(path: Path) -> tuple[str, str, bytes]:
    """Return name, media type and bytes of a file; what has no type of its own is plain text.

    Raises:
        Refused: it cannot be read, or is too large.
    """
    try:
        if path.stat().st_size > LARGEST:
            raise Refused(f"--file {path}: files of chats have at most 10 MiB.", exit_code=USAGE)
        content = path.read_bytes()
    except OSError as error:
        raise Refused(f"--file {path}: {error.strerror}.", exit_code=USAGE) from error
    return path.name, _TYPES.get(path.suffix.lower(), "text/plain"), content
