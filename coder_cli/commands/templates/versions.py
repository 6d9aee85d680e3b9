"""``coder templates versions``."""

from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from coder_cli import config, ui
from coder_cli.commands.finding import find_template
from coder_cli.commands.flags import Org, Output, TemplateName, columns_of
from coder_cli.commands.templates.archiving import archive_versions, unarchive_versions
from coder_cli.commands.templates.pulling import find_version
from coder_cli.commands.typed import new_app
from coder_cli.kit.refused import Refused
from coder_cli.ui.tables import Column, Listing
from coder_cli.ui.words import timestamp

if TYPE_CHECKING:
    from coder_cli.sdk.templates import TemplateVersion

app = new_app("Manage the versions of a template.")


class _Row(NamedTuple):
    version: "TemplateVersion"
    active: bool


VERSIONS: Listing[_Row] = Listing(
    [
        Column("name", lambda row: row.version.name),
        Column("created at", lambda row: timestamp(row.version.created_at)),
        Column("created by", lambda row: row.version.created_by.username),
        Column("status", lambda row: row.version.job.status.value),
        Column("active", lambda row: "Active" if row.active else ""),
        Column("archived", lambda row: "Archived" if row.version.archived else ""),
        Column("message", lambda row: row.version.message),
    ],
    ["name", "created at", "created by", "status", "active"],
    "This template has no versions.",
)


@app.command("list")
def list_(
    template: TemplateName,
    include_archived: Annotated[
        bool, typer.Option("--include-archived", help="Archived ones, too")
    ] = False,
    columns: Annotated[str, columns_of(VERSIONS)] = "",
    output: Output = "table",
    org: Org = "",
) -> None:
    """List the versions of a template, newest first."""
    client = config.connect()
    found = find_template(client, org, template)
    versions = client.template_versions(found.id, include_archived=include_archived)
    versions.sort(key=lambda one: one.created_at, reverse=True)
    rows = [_Row(one, one.id == found.active_version_id) for one in versions]
    if include_archived and not columns:
        columns = ",".join([*VERSIONS.default, "archived"])
    VERSIONS.show(rows, output=output, columns=columns, shapes=versions)


@app.command()
def promote(
    template: Annotated[
        str, typer.Option("--template", "-t", help="Which template", metavar="<name>")
    ] = "",
    template_version: Annotated[str, typer.Option(help="Which version", metavar="<name>")] = "",
    org: Org = "",
) -> None:
    """Let new builds use a version."""
    if not template or not template_version:
        raise Refused("Pass --template <name> and --template-version <name>.")
    client = config.connect()
    found = find_template(client, org, template)
    version = find_version(client, found, template_version)
    client.promote_template_version(found.id, version.id)
    ui.result(f"Version {version.name} is now the active version of template {found.name}.")


app.command("archive")(archive_versions)
app.command("unarchive")(unarchive_versions)
app.command("ls", hidden=True)(list_)
