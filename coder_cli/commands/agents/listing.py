"""``coder agents list``, ``show`` and ``messages``: what is there, and what was said."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from coder_cli import config, ui
from coder_cli.commands.agents.finding import PAGE, USAGE, ChatName, find_chat
from coder_cli.commands.agents.toolwords import asked, came, failed
from coder_cli.commands.flags import Output, columns_of
from coder_cli.kit.clock import SystemClock
from coder_cli.kit.refused import Refused
from coder_cli.ui.printer import harmless
from coder_cli.ui.tables import Column, Listing, check_output
from coder_cli.ui.words import ago, timestamp

if TYPE_CHECKING:
    from coder_cli.sdk.chats.chats import Chat
    from coder_cli.sdk.chats.messages import ChatMessage
    from coder_cli.sdk.chats.parts import ChatMessagePart
    from coder_cli.sdk.client import Client

SHORT = 8
"""Characters of an id that tables show; they name the chat as well."""


def _flat(text: str) -> str:
    return harmless(text).replace("\n", " ")


def _pull_request(chat: "Chat") -> str:
    state = chat.diff_status
    if state is None or not state.url:
        return ""
    return f"#{state.pr_number} {state.pull_request_state or ''}".strip()


CHATS: "Listing[Chat]" = Listing(
    [
        Column("id", lambda chat: str(chat.id)[:SHORT]),
        Column("full id", lambda chat: str(chat.id)),
        Column("title", lambda chat: _flat(chat.title)),
        Column("status", lambda chat: chat.status.value),
        Column("unread", lambda chat: "●" if chat.has_unread else ""),
        Column("owner", lambda chat: chat.owner_username or str(chat.owner_id)[:SHORT]),
        Column("labels", lambda chat: ",".join(f"{k}={v}" for k, v in sorted(chat.labels.items()))),
        Column("pr", _pull_request),
        Column("sub-agents", lambda chat: str(len(chat.children) or "")),
        Column("archived", lambda chat: "yes" if chat.archived else ""),
        Column("created at", lambda chat: timestamp(chat.created_at)),
        Column("updated", lambda chat: ago(chat.updated_at, SystemClock().now())),
    ],
    ["id", "title", "status", "unread", "pr", "updated"],
    'No chats found. Begin one with: coder agents chat "…"',
)


def list_(
    search: Annotated[
        str,
        typer.Option("--search", help="A query, such as status:error archived:true", metavar="<q>"),
    ] = "",
    label: Annotated[
        list[str] | None,
        typer.Option("--label", help="Only with this label: key=value", metavar="<k=v>"),
    ] = None,
    archived: Annotated[bool, typer.Option("--archived", help="Archived ones instead")] = False,
    limit: Annotated[int, typer.Option("--limit", help="At most so many", metavar="<n>")] = PAGE,
    columns: Annotated[str, columns_of(CHATS)] = "",
    output: Output = "table",
) -> None:
    """List chats, the latest first."""
    labels = [one.replace("=", ":", 1) for one in label or []]
    q = f"{search} archived:true".strip() if archived else search
    if limit < 1:
        raise Refused("--limit is 1 at least.", exit_code=USAGE)
    client = config.connect()
    chats: list[Chat] = []
    while len(chats) < limit:
        wanted = min(PAGE, limit - len(chats))
        after = chats[-1].id if chats else None
        page = client.chats(q, labels=labels, limit=wanted, after_id=after)
        chats += page
        if len(page) < wanted:
            break
    CHATS.show(chats, output=output, columns=columns)


def show(chat: ChatName, output: Output = "table") -> None:
    """Show how a chat stands."""
    client = config.connect()
    found = client.chat(find_chat(client, chat).id)
    if check_output(output, "table", "json") == "json":
        ui.result_json(found)
        return
    for label, value in _facts(client, found):
        ui.result(f"{label + ':':<15}{_flat(value)}")


def _facts(client: "Client", chat: "Chat") -> Iterator[tuple[str, str]]:
    yield "Title", chat.title
    yield "ID", str(chat.id)
    yield "Status", chat.status.value + (", archived" if chat.archived else "")
    if chat.last_error is not None and chat.status == "error":
        yield "Error", chat.last_error.message
    yield "Owner", chat.owner_username or str(chat.owner_id)
    models = {one.id: one for who in client.chat_models().providers for one in who.models}
    model = models.get(chat.last_model_config_id)
    yield "Model", f"{model.provider}/{model.model}" if model else str(chat.last_model_config_id)
    if chat.workspace_id is not None:
        workspace = client.workspace(chat.workspace_id, include_deleted=True)
        yield "Workspace", f"{workspace.owner_name}/{workspace.name}"
    if chat.plan_mode:
        yield "Mode", "plan"
    if chat.labels:
        yield "Labels", ", ".join(f"{key}={value}" for key, value in sorted(chat.labels.items()))
    if (state := chat.diff_status) is not None:
        yield "Branch", state.head_branch or "-"
        yield "Change", f"+{state.additions} -{state.deletions} in {state.changed_files} files"
        if state.url:
            yield "Pull request", f"{state.url} ({state.pull_request_state or 'unknown'})"
    for child in chat.children:
        yield "Sub-agent", f"{child.title} ({child.status.value}, {str(child.id)[:SHORT]})"
    for file in chat.files or []:
        yield "File", f"{file.name} ({file.mime_type}, {file.id})"
    yield "Created at", timestamp(chat.created_at)
    yield "Updated at", timestamp(chat.updated_at)


def messages(
    chat: ChatName,
    limit: Annotated[
        int, typer.Option("--limit", help="How many, from the end", metavar="<n>")
    ] = PAGE,
    before: Annotated[
        int, typer.Option("--before", help="Only before this message", metavar="<id>")
    ] = 0,
    after: Annotated[
        int, typer.Option("--after", help="Only after this message", metavar="<id>")
    ] = 0,
    output: Annotated[
        str, typer.Option("--output", "-o", help="text or json", metavar="<form>")
    ] = "text",
) -> None:
    """Show what was said in a chat, the oldest first."""
    check_output(output, "text", "json")
    client = config.connect()
    found = find_chat(client, chat)
    page = client.chat_messages(
        found.id, before_id=before or None, after_id=after or None, limit=limit
    )
    if output == "json":
        ui.result_json(page)
        return
    for message in sorted(page.messages, key=lambda one: one.id):
        _show(message)
    for queued in page.queued_messages:
        words = " ".join(part.text or "" for part in queued.content)
        ui.result(f"{ui.styled(f'[{queued.id}] in the queue', 'dim')}\n{words}\n")
    if page.has_more:
        ui.note("There are more: see --limit, --before and --after.")


def _show(message: "ChatMessage") -> None:
    lines = [line for part in message.content for line in _lines_of(part)]
    head = f"[{message.id}] {message.role.value}, {timestamp(message.created_at)}"
    ui.result("\n".join([ui.styled(head, "dim"), *lines, ""]))


def _lines_of(part: "ChatMessagePart") -> list[str]:
    match part.type:
        case "text":
            return [(part.text or "").rstrip("\n")]
        case "tool-call":
            return [f"→ {asked(part.tool_name or '?', part.args)}"]
        case "tool-result" if part.is_error:
            return [f"✘ {part.tool_name}  {failed(part.result)}"]
        case "tool-result":
            words, output = came(part.tool_name or "", part.result)
            return [f"✔ {part.tool_name}  {words}".rstrip(), *(f"    {one}" for one in output)]
        case _:
            read = _ATTACHED.get(part.type)
            return [read(part)] if read else []


_ATTACHED: "dict[str, Callable[[ChatMessagePart], str]]" = {
    "file": lambda part: f"[file {part.name or part.file_id}]",
    "file-reference": lambda part: f"[{part.file_name}:{part.start_line}-{part.end_line}]",
    "source": lambda part: f"[{part.title or 'source'}: {part.url}]",
    "context-file": lambda part: f"[instructions: {part.context_file_path or 'none'}]",
    "skill": lambda part: f"[skill: {part.skill_name}]",
}
