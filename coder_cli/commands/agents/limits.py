"""``coder agents limits``: how much may be spent."""

from typing import TYPE_CHECKING, Annotated

import typer

from coder_cli import config, ui
from coder_cli.commands.agents.amounts import NONE, dollars, read_dollars
from coder_cli.commands.agents.finding import USAGE
from coder_cli.commands.finding import find_user
from coder_cli.commands.flags import Output
from coder_cli.commands.typed import new_app
from coder_cli.kit.refused import Refused
from coder_cli.sdk.errors import ApiError
from coder_cli.ui.tables import check_output, show_table
from coder_cli.ui.words import timestamp

if TYPE_CHECKING:
    from coder_cli.sdk.chats.limits import ChatUsageLimitConfig, ChatUsageLimitStatus
    from coder_cli.sdk.client import Client

app = new_app("See and set how much agents may spend.", alone=True)

_FORBIDDEN = frozenset({403, 404})


@app.callback()
def limits(context: typer.Context, output: Output = "table") -> None:
    """See and set how much agents may spend."""
    if context.invoked_subcommand is None:
        show(output)


@app.command()
def show(output: Output = "table") -> None:
    """Show your limit and what is spent of it; to administrators, everybody's."""
    check_output(output, "table", "json")
    client = config.connect()
    mine = client.chat_usage_limit_status()
    everybody = _everybodys(client)
    if output == "json":
        told = {"status": mine.model_dump(mode="json")}
        if everybody is not None:
            told["limits"] = everybody.model_dump(mode="json")
        ui.result_json(told)
        return
    ui.result(_words_of(mine))
    if everybody is not None:
        _show(everybody)


@app.command("set")
def set_(
    per_user: Annotated[
        str,
        typer.Option("--per-user", help="What each user may spend, in USD", metavar="<usd|none>"),
    ] = "",
    deployment: Annotated[
        str,
        typer.Option("--deployment", help="What all may spend together", metavar="<usd|none>"),
    ] = "",
    period: Annotated[
        str, typer.Option("--period", help="In each day, week or month", metavar="<period>")
    ] = "",
    user: Annotated[
        str, typer.Option("--user", help="--per-user is for this user only", metavar="<user>")
    ] = "",
    output: Output = "table",
) -> None:
    """Set how much may be spent; what is not given stays."""
    check_output(output, "table", "json")
    if user and (not per_user or deployment or period):
        raise Refused("--user goes with --per-user alone.", exit_code=USAGE)
    if not (per_user or deployment or period):
        raise Refused("Say what to set: --per-user, --deployment or --period.", exit_code=USAGE)
    amount = read_dollars(per_user, "--per-user") if per_user else None
    total = read_dollars(deployment, "--deployment") if deployment else None
    client = config.connect()
    if user:
        _set_for(client, user, amount)
        return
    now = client.chat_usage_limits()
    from coder_cli.sdk.chats.limits import UpdateChatUsageLimitConfigRequest

    changed = client.set_chat_usage_limits(
        UpdateChatUsageLimitConfigRequest(
            spend_limit_micros=amount if per_user else now.spend_limit_micros,
            deployment_limit_micros=total if deployment else now.deployment_limit_micros,
            period=period or now.period.value,
        )
    )
    if output == "json":
        ui.result_json(changed)
        return
    _show(changed)


def _set_for(client: "Client", name: str, amount: int | None) -> None:
    user = find_user(client, name)
    if amount is None:
        client.delete_chat_usage_limit_of(user.id)
        ui.result(f"{user.username} has the limit that all users have.")
        return
    client.set_chat_usage_limit_of(user.id, amount)
    ui.result(f"{user.username} may spend {dollars(amount)}.")


def _everybodys(client: "Client") -> "ChatUsageLimitConfig | None":
    try:
        return client.chat_usage_limits()
    except ApiError as error:
        if error.status in _FORBIDDEN:
            return None
        raise


def _words_of(mine: "ChatUsageLimitStatus") -> str:
    spent = dollars(mine.current_spend)
    if not mine.is_limited:
        return f"You have spent {spent}; nothing limits you."
    until = f" until {timestamp(mine.period_end)}" if mine.period_end else ""
    return f"You have spent {spent} of {dollars(mine.spend_limit_micros)}{until}."


def _show(found: "ChatUsageLimitConfig") -> None:
    ui.result(f"{'Each user:':<15}{_amount(found.spend_limit_micros)} a {found.period.value}")
    ui.result(f"{'All together:':<15}{_amount(found.deployment_limit_micros)}")
    if found.unpriced_model_count:
        count = found.unpriced_model_count
        words = "1 model has no price" if count == 1 else f"{count} models have no price"
        ui.warn(f"{words}: what is spent on them is not counted.")
    rows = [(one.username, dollars(one.spend_limit_micros)) for one in found.overrides]
    if rows:
        ui.result("")
        show_table(("USER", "LIMIT"), rows)


def _amount(micros: int | None) -> str:
    return NONE if micros is None else dollars(micros)
