"""``coder tokens``: keys for scripts and editors."""

from typing import TYPE_CHECKING, Annotated

import typer

from coder_cli import config, ui
from coder_cli.commands.flags import Output, columns_of
from coder_cli.commands.typed import new_app
from coder_cli.kit.clock import SystemClock
from coder_cli.kit.durations import nanoseconds, parse_duration
from coder_cli.kit.refused import Refused
from coder_cli.sdk.client import Client
from coder_cli.sdk.errors import ApiError
from coder_cli.ui.tables import Column, Listing, check_output
from coder_cli.ui.words import timestamp

if TYPE_CHECKING:
    from coder_cli.sdk.tokens import APIKeyWithOwner

app = new_app("Manage tokens, with which scripts and editors speak for you.")

TOKENS: "Listing[APIKeyWithOwner]" = Listing(
    [
        Column("id", lambda key: key.id),
        Column("name", lambda key: key.token_name),
        Column("scopes", lambda key: ", ".join(key.scopes) or key.scope),
        Column("allow list", lambda key: ", ".join(f"{t.type}:{t.id}" for t in key.allow_list)),
        Column("last used", lambda key: timestamp(key.last_used)),
        Column("expires at", lambda key: timestamp(key.expires_at)),
        Column("created at", lambda key: timestamp(key.created_at)),
        Column("owner", lambda key: key.username),
    ],
    ["id", "name", "scopes", "last used", "expires at", "created at"],
    "You have no tokens. Create one with: coder tokens create",
)

Name = Annotated[
    str, typer.Argument(metavar="<name|id|token>", help="Which token.", show_default=False)
]

Columns = Annotated[str, columns_of(TOKENS)]


@app.command()
def create(
    name: Annotated[
        str,
        typer.Option("--name", "-n", envvar="CODER_TOKEN_NAME", help="Its name", metavar="<name>"),
    ] = "",
    lifetime: Annotated[
        str,
        typer.Option(
            envvar="CODER_TOKEN_LIFETIME", help="How long it lives: 8h, 30d, 1y", metavar="<span>"
        ),
    ] = "",
    user: Annotated[
        str,
        typer.Option("--user", "-u", envvar="CODER_TOKEN_USER", help="For whom", metavar="<user>"),
    ] = "me",
    scope: Annotated[
        list[str],
        typer.Option(help="What it may do; may be repeated", metavar="<scope>", show_default=False),
    ] = [],  # noqa: B006 - Typer copies it
    allow: Annotated[
        list[str],
        typer.Option(
            help="What it may touch; may be repeated", metavar="<type:id>", show_default=False
        ),
    ] = [],  # noqa: B006 - Typer copies it
    output: Annotated[
        str, typer.Option("--output", "-o", help="text or json", metavar="<form>")
    ] = "text",
) -> None:
    """Create a token and print it, once."""
    from coder_cli.sdk.tokens import APIAllowListTarget, CreateTokenRequest

    check_output(output, "text", "json")
    try:
        span = nanoseconds(parse_duration(lifetime)) if lifetime else 0
    except ValueError as error:
        raise Refused(f"--lifetime: {error}") from error
    targets: list[APIAllowListTarget] = []
    for one in allow:
        kind, colon, target = one.partition(":")
        if not colon:
            raise Refused(f"{one!r} is not something to allow; write --allow <type>:<id>.")
        targets.append(APIAllowListTarget(type=kind, id=target))
    scopes = [part.strip() for one in scope for part in one.split(",") if part.strip()]
    request = CreateTokenRequest(lifetime=span, token_name=name, scopes=scopes, allow_list=targets)
    key = config.connect().create_token(request, user)
    if output == "json":
        ui.result_json({"key": key})
    else:
        ui.result(key)


@app.command("list")
def list_(
    everyone: Annotated[bool, typer.Option("--all", "-a", help="Those of all users")] = False,
    include_expired: Annotated[
        bool, typer.Option("--include-expired", help="Those that have ended, too")
    ] = False,
    columns: Columns = "",
    output: Output = "table",
) -> None:
    """List tokens."""
    keys = config.connect().tokens("me", everyone=everyone)
    now = SystemClock().now()
    shown = [key for key in keys if include_expired or key.expires_at > now]
    TOKENS.show(shown, output=output, columns=columns or ("owner,id,name" if everyone else ""))


@app.command()
def view(name: Name, columns: Columns = "", output: Output = "table") -> None:
    """Show one token."""
    TOKENS.show([_find(config.connect(), name)], output=output, columns=columns)


@app.command()
def remove(
    name: Name,
    delete: Annotated[
        bool, typer.Option("--delete", help="Delete its record, too; otherwise it only ends")
    ] = False,
) -> None:
    """End a token."""
    client = config.connect()
    key = _find(client, name)
    if delete:
        client.delete_key(key.id)
        ui.result(f"Token {key.token_name or key.id} has been deleted.")
    else:
        client.expire_key(key.id)
        ui.result(f"Token {key.token_name or key.id} has been ended: nobody can use it any more.")


app.command("ls", hidden=True)(list_)
app.command("rm", hidden=True)(remove)
app.command("delete", hidden=True)(remove)


def _find(client: Client, text: str) -> "APIKeyWithOwner":
    """Return the token of that name, or of that id, or which is that very token."""
    try:
        return client.token_by_name(text)
    except ApiError as error:
        if error.status != 404:
            raise
    try:
        return client.key(text.partition("-")[0])
    except ApiError as error:
        if error.status != 404:
            raise
        raise Refused("You have no such token. List them with: coder tokens list") from error
