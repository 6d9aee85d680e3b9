"""``coder templates list`` and ``delete``."""

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from coder_cli import config, ui
from coder_cli.commands.finding import find_organization, find_template
from coder_cli.commands.flags import Org, Output, Yes, columns_of
from coder_cli.kit.durations import format_duration
from coder_cli.kit.refused import Refused
from coder_cli.sdk.client import Client
from coder_cli.sdk.errors import ApiError
from coder_cli.ui.tables import Column, Listing
from coder_cli.ui.words import timestamp

if TYPE_CHECKING:
    from coder_cli.sdk.templates import Template

IN_USE = 400
NAMED = 10
"""Workspaces that a refusal names."""

TEMPLATES: "Listing[Template]" = Listing(
    [
        Column("name", lambda one: one.name),
        Column("created at", lambda one: timestamp(one.created_at)),
        Column("last updated", lambda one: timestamp(one.updated_at)),
        Column("organization id", lambda one: str(one.organization_id)),
        Column("organization name", lambda one: one.organization_name),
        Column("provisioner", lambda one: one.provisioner.value),
        Column("active version id", lambda one: str(one.active_version_id)),
        Column("used by", lambda one: _developers(one.active_user_count)),
        Column("default ttl", lambda one: _span(one.default_ttl_ms)),
    ],
    ["name", "organization name", "last updated", "used by"],
    "There are no templates. Make one with: coder templates init",
)


def list_(
    columns: Annotated[str, columns_of(TEMPLATES)] = "", output: Output = "table", org: Org = ""
) -> None:
    """List templates."""
    client = config.connect()
    found = client.templates(str(find_organization(client, org).id) if org else "")
    TEMPLATES.show(sorted(found, key=lambda one: one.name), output=output, columns=columns)


def delete(
    which: Annotated[
        list[str] | None,
        typer.Argument(metavar="[name]...", help="Which templates.", show_default=False),
    ] = None,
    yes: Yes = False,
    org: Org = "",
) -> None:
    """Delete templates that no workspace uses."""
    client = config.connect()
    asker = ui.Asker(config.current().on("force-tty"))
    wanted = which or [choose(client, asker, org)]
    found = [find_template(client, org, name) for name in wanted]
    asker.confirm(f"Delete these templates: {', '.join(one.name for one in found)}?", yes=yes)
    kept: list[str] = []
    for one in found:
        try:
            client.delete_template(one.id)
        except ApiError as error:
            used = _used_by(client, one) if error.status == IN_USE else ""
            if not used:
                raise
            kept.append(f"Template {one.name} is used by {used}. {ui.explain(error)}")
        else:
            ui.result(f"Deleted template {one.name}.")
    if kept:
        raise Refused("\n".join(kept))


def _used_by(client: Client, template: "Template") -> str:
    """Return which workspaces use a template, as far as the person may see them."""
    page = client.workspaces(f"template:{template.name}", limit=NAMED)
    users = [one for one in page.workspaces if one.template_id == template.id]
    names = [f"{one.owner_name}/{one.name}" for one in users]
    more = [f"{page.count - len(names)} more"] if page.count > NAMED else []
    return ", ".join([*names, *more])


def choose(client: Client, asker: ui.Asker, org: str) -> str:
    """Ask which template; return its name.

    Raises:
        Refused: there is none, or nobody can answer.
    """
    found = client.templates(str(find_organization(client, org).id) if org else "")
    if not found:
        raise Refused("There are no templates that you can see.")
    options = [(one.name, one.display_name or one.name) for one in found]
    return asker.select("Which template?", options, flag="its name as an argument")


def _developers(count: int) -> str:
    return f"{max(count, 0)} developer{'' if count == 1 else 's'}"


def _span(milliseconds: int) -> str:
    return format_duration(timedelta(milliseconds=milliseconds)) if milliseconds else "none"
