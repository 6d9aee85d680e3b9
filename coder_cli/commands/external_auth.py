"""``coder external-auth``: accounts of other services, such as GitHub, that one linked."""

import json
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, cast
from urllib.parse import quote

import typer

from coder_cli import config, ui
from coder_cli.commands.flags import Output, columns_of
from coder_cli.commands.typed import new_app
from coder_cli.kit.environ import environ
from coder_cli.kit.refused import Refused
from coder_cli.sdk.agentidentity import agent_client
from coder_cli.ui.tables import Column, Listing
from coder_cli.ui.words import timestamp

if TYPE_CHECKING:
    from coder_cli.sdk.external_auth import ExternalAuthLink, ExternalAuthProvider

app = new_app("Use accounts of other services, such as GitHub, that you linked.")


@dataclass(frozen=True, slots=True)
class _Row:
    provider: "ExternalAuthProvider"
    link: "ExternalAuthLink | None"
    page: str

    @property
    def state(self) -> str:
        if self.link is None:
            return "not linked"
        return "linked" if self.link.authenticated else "must be linked again"


SERVICES: "Listing[_Row]" = Listing(
    [
        Column("id", lambda row: row.provider.id),
        Column("name", lambda row: row.provider.display_name),
        Column("type", lambda row: row.provider.type),
        Column("status", lambda row: row.state),
        Column("expires", lambda row: timestamp(row.link.expires) if row.link else ""),
        Column("why", lambda row: row.link.validate_error if row.link else ""),
        Column("page", lambda row: row.page),
    ],
    ["id", "name", "type", "status", "page"],
    "This deployment offers no accounts of other services.",
)


@app.command("list")
def list_(
    columns: Annotated[str, columns_of(SERVICES)] = "",
    output: Output = "table",
) -> None:
    """List the services, whether you linked an account, and the page where you do."""
    client = config.connect()
    found = client.external_auth()
    links = {link.provider_id: link for link in found.links}
    rows = [
        _Row(one, links.get(one.id), f"{client.url}/external-auth/{one.id}")
        for one in found.providers
    ]
    SERVICES.show(rows, output=output, columns=columns, shapes=[found] if rows else [])


app.command("ls", hidden=True)(list_)


@app.command("access-token")
def access_token(
    provider: Annotated[str, typer.Argument(metavar="<provider>", show_default=False)],
    extra: Annotated[
        str,
        typer.Option(
            help="Print this value that came with the token instead: authed_user.id",
            metavar="<json path>",
        ),
    ] = "",
) -> None:
    """Print the workspace owner's token of a service. Works inside of workspaces.

    When no account is linked, it prints the page where to link one, and exits 1.
    """
    api = agent_client(environ())
    try:
        told = api.get(f"/workspaceagents/me/external-auth?id={quote(provider, safe='')}")
    finally:
        api.close()
    auth: dict[str, Any] = cast("dict[str, Any]", told) if isinstance(told, dict) else {}
    if auth.get("url"):
        ui.result(str(auth["url"]))
        ui.note("No account is linked. Open this page to link one, then run the command again.")
        sys.exit(1)
    ui.result(_at(auth.get("token_extra"), extra) if extra else str(auth["access_token"]))


def _at(value: Any, path: str) -> str:
    for key in path.split("."):
        if isinstance(value, list) and key.isdecimal() and int(key) < len(cast("list[Any]", value)):
            value = cast("list[Any]", value)[int(key)]
        elif isinstance(value, dict) and key in value:
            value = cast("dict[str, Any]", value)[key]
        else:
            raise Refused(f"Nothing at {path!r} came with the token.")
    return value if isinstance(value, str) else json.dumps(value)
