"""``coder templates presets``: the sets of parameter values that a version offers."""

from typing import TYPE_CHECKING, Annotated

import typer

from coder_cli import config, ui
from coder_cli.commands.finding import find_template
from coder_cli.commands.flags import Org, Output, TemplateName, columns_of
from coder_cli.commands.templates.pulling import find_version
from coder_cli.commands.typed import new_app
from coder_cli.ui.tables import Column, Listing

if TYPE_CHECKING:
    from coder_cli.sdk.templates import Preset

app = new_app("Show the presets of a template: sets of parameter values with a name.")

PRESETS: "Listing[Preset]" = Listing(
    [
        Column("name", lambda one: one.name),
        Column(
            "parameters",
            lambda one: ", ".join(f"{each.name}={each.value}" for each in one.parameters),
        ),
        Column("default", lambda one: "true" if one.default else "false"),
        Column("description", lambda one: one.description),
        Column(
            "desired prebuild instances",
            lambda one: str(one.desired_prebuild_instances or "-"),
        ),
    ],
    ["name", "parameters", "default", "desired prebuild instances"],
)


@app.command("list")
def list_(
    template: TemplateName,
    template_version: Annotated[
        str, typer.Option(help="Which version", metavar="<name>")
    ] = "active",
    columns: Annotated[str, columns_of(PRESETS)] = "",
    output: Output = "table",
    org: Org = "",
) -> None:
    """List the presets of a template's version."""
    client = config.connect()
    found = find_template(client, org, template)
    version = find_version(client, found, template_version)
    presets = client.presets(version.id)
    if not presets and output == "table":
        ui.note(f"Version {version.name} of template {found.name} has no presets.")
    else:
        PRESETS.show(presets, output=output, columns=columns)


app.command("ls", hidden=True)(list_)
