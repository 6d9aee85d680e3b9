"""``coder agents cost``: what agents cost, by chat, model and user."""

from typing import TYPE_CHECKING, Annotated

import typer

from coder_cli import config, ui
from coder_cli.commands.agents.amounts import dollars, read_day
from coder_cli.commands.agents.finding import USAGE, find_chat
from coder_cli.commands.finding import find_user
from coder_cli.commands.flags import Output
from coder_cli.kit.refused import Refused
from coder_cli.ui.printer import harmless
from coder_cli.ui.tables import Column, Listing, check_output
from coder_cli.ui.words import timestamp

if TYPE_CHECKING:
    from coder_cli.sdk.chats.limits import (
        ChatCostChat,
        ChatCostModel,
        ChatCostTotals,
        ChatCostUser,
        ChatCostUsersResponse,
    )
    from coder_cli.sdk.client import Client

PAGE = 100

BY_MODEL: "Listing[ChatCostModel]" = Listing(
    [
        Column("model", lambda one: f"{one.provider}/{one.model}"),
        Column("messages", lambda one: str(one.message_count)),
        Column("tokens in", lambda one: str(one.total_input_tokens)),
        Column("tokens out", lambda one: str(one.total_output_tokens)),
        Column("cost", lambda one: dollars(one.total_cost_micros)),
    ],
    ["model", "messages", "tokens in", "tokens out", "cost"],
)
BY_CHAT: "Listing[ChatCostChat]" = Listing(
    [
        Column("chat", lambda one: str(one.root_chat_id)[:8]),
        Column("title", lambda one: harmless(one.chat_title).replace("\n", " ")),
        Column("messages", lambda one: str(one.message_count)),
        Column("cost", lambda one: dollars(one.total_cost_micros)),
    ],
    ["chat", "title", "messages", "cost"],
)
BY_USER: "Listing[ChatCostUser]" = Listing(
    [
        Column("user", lambda one: one.username),
        Column("chats", lambda one: str(one.chat_count)),
        Column("messages", lambda one: str(one.message_count)),
        Column("tokens in", lambda one: str(one.total_input_tokens)),
        Column("tokens out", lambda one: str(one.total_output_tokens)),
        Column("cost", lambda one: dollars(one.total_cost_micros)),
    ],
    ["user", "chats", "messages", "tokens in", "tokens out", "cost"],
    "Nobody used agents in this time.",
)


def cost(
    chat: Annotated[
        str, typer.Option("--chat", help="Of this chat and its sub-agents", metavar="<chat>")
    ] = "",
    user: Annotated[
        str, typer.Option("--user", help="Of this user instead of yourself", metavar="<user>")
    ] = "",
    everybody: Annotated[bool, typer.Option("--all", help="Of each user")] = False,
    since: Annotated[
        str, typer.Option("--from", help="From this day (UTC); 30 days ago", metavar="<day>")
    ] = "",
    until: Annotated[
        str, typer.Option("--to", help="Up to the end of this day (UTC)", metavar="<day>")
    ] = "",
    output: Output = "table",
) -> None:
    """Show what agents cost, as far as their models have prices."""
    check_output(output, "table", "json")
    if sum(map(bool, (chat, user, everybody))) > 1:
        raise Refused("Choose one of --chat, --user and --all.", exit_code=USAGE)
    start, end = read_day(since, "--from"), read_day(until, "--to", after=True)
    client = config.connect()
    if everybody:
        _show_everybody(client, start, end, output)
    elif chat:
        _show_chat(client, chat, output)
    else:
        _show_user(client, user, start, end, output)


def _show_everybody(client: "Client", start: str, end: str, output: str) -> None:
    found: list[ChatCostUser] = []
    while True:
        page: ChatCostUsersResponse = client.chat_cost_users(
            limit=PAGE, offset=len(found), start_date=start, end_date=end
        )
        found += page.users
        if not page.users or len(found) >= page.count:
            break
    BY_USER.show(found, output=output)


def _show_chat(client: "Client", text: str, output: str) -> None:
    found = client.chat_cost(find_chat(client, text).id)
    if output == "json":
        ui.result_json(found)
        return
    _show_totals(found)
    if found.by_model:
        ui.result("")
        BY_MODEL.show(found.by_model, output=output)


def _show_user(client: "Client", user: str, start: str, end: str, output: str) -> None:
    name = str(find_user(client, user).id) if user else "me"
    found = client.chat_cost_summary(name, start_date=start, end_date=end)
    if output == "json":
        ui.result_json(found)
        return
    _fact("From", timestamp(found.start_date))
    _fact("To", timestamp(found.end_date))
    _show_totals(found)
    if (limit := found.usage_limit) is not None and limit.is_limited:
        spent, most = dollars(limit.current_spend), dollars(limit.spend_limit_micros)
        _fact("Limit", f"{spent} of {most} spent this {limit.period or 'period'}")
    if found.by_model:
        ui.result("")
        BY_MODEL.show(found.by_model, output=output)
    if found.by_chat:
        ui.result("")
        BY_CHAT.show(found.by_chat, output=output)


def _show_totals(found: "ChatCostTotals") -> None:
    _fact("Cost", dollars(found.total_cost_micros))
    if found.unpriced_message_count:
        _fact("Not priced", f"{found.unpriced_message_count} messages of models without prices")
    _fact("Tokens", f"{found.total_input_tokens} in, {found.total_output_tokens} out")
    cached = found.total_cache_read_tokens
    if cached:
        _fact("From caches", f"{cached} tokens")
    _fact("Time", f"{found.total_runtime_ms / 1000:.0f}s")


def _fact(label: str, value: str) -> None:
    ui.result(f"{label + ':':<15}{value}")
