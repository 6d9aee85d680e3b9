"""``coder templates pull``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from coder_cli import config, ui
from coder_cli.commands.finding import find_template
from coder_cli.commands.flags import Org, TemplateName, Yes
from coder_cli.commands.templates.archive import unpack
from coder_cli.kit.refused import Refused
from coder_cli.sdk.client import Client
from coder_cli.sdk.errors import ApiError

if TYPE_CHECKING:
    from coder_cli.sdk.templates import Template, TemplateVersion


def pull(
    name: TemplateName,
    destination: Annotated[
        str,
        typer.Argument(
            metavar="[destination]", help="Where to; ./<name> if not given.", show_default=False
        ),
    ] = "",
    version: Annotated[
        str, typer.Option("--version", help="Which version", metavar="<name>")
    ] = "active",
    tar: Annotated[bool, typer.Option("--tar", help="Write a tar archive to stdout")] = False,
    as_zip: Annotated[bool, typer.Option("--zip", help="Write a zip archive to stdout")] = False,
    yes: Yes = False,
    org: Org = "",
) -> None:
    """Get the files of a template."""
    if tar and as_zip:
        raise Refused("Choose one of --tar and --zip.")
    client = config.connect()
    template = find_template(client, org, name)
    chosen = find_version(client, template, version)
    content = _download(client, template, chosen, as_zip=as_zip)
    if tar or as_zip:
        ui.result_bytes(content)
        return
    target = Path(destination or name)
    if target.exists() and not target.is_dir():
        raise Refused(f"{target} is a file.")
    if target.is_dir() and any(target.iterdir()):
        ui.Asker(config.current().on("force-tty")).confirm(
            f"{target} is not empty. Overwrite files in it?", yes=yes
        )
    unpack(content, target)
    ui.result(f"Wrote version {chosen.name} of template {template.name} to {target}.")


def _download(
    client: Client, template: "Template", version: "TemplateVersion", *, as_zip: bool
) -> bytes:
    try:
        return client.download(version.job.file_id, as_zip=as_zip)
    except ApiError as error:
        if error.status != 404:
            raise
        raise Refused(
            f"You may use template {template.name!r}, but only those who may change it read its"
            " files."
        ) from error


def find_version(client: Client, template: "Template", name: str) -> "TemplateVersion":
    """Return the version of that name; ``active`` is the one that new builds use.

    Raises:
        Refused: there is none of that name.
    """
    if name == "active":
        return client.template_version(template.active_version_id)
    try:
        return client.template_version_by_name(str(template.organization_id), template.name, name)
    except ApiError as error:
        if error.status != 404:
            raise
        raise Refused(
            f"Template {template.name!r} has no version {name!r}. List them with:"
            f" coder templates versions list {template.name}"
        ) from error
