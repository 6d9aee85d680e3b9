"""``coder templates archive``, and ``versions archive|unarchive``: versions out of sight."""

from typing import TYPE_CHECKING, Annotated

import typer

from coder_cli import config, ui
from coder_cli.commands.finding import find_template
from coder_cli.commands.flags import Org, TemplateName, Yes
from coder_cli.commands.templates.listing import choose
from coder_cli.commands.templates.pulling import find_version
from coder_cli.kit.refused import Refused
from coder_cli.sdk.errors import ApiError

if TYPE_CHECKING:
    from coder_cli.sdk.client import Client
    from coder_cli.sdk.templates import Template

Versions = Annotated[
    list[str], typer.Argument(metavar="<version>...", help="Which versions.", show_default=False)
]


def archive(
    which: Annotated[
        list[str] | None,
        typer.Argument(metavar="[template]...", help="Which templates.", show_default=False),
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="All versions that nothing uses, not only failed ones")
    ] = False,
    yes: Yes = False,
    org: Org = "",
) -> None:
    """Archive versions of templates that failed, or all that nothing uses."""
    client = config.connect()
    asker = ui.Asker(config.current().on("force-tty"))
    found = [find_template(client, org, name) for name in which or [choose(client, asker, org)]]
    names = ", ".join(one.name for one in found)
    kind = "all unused" if everything else "the failed"
    asker.confirm(f"Archive {kind} versions of these templates: {names}?", yes=yes)
    for one in found:
        _archive_unused(client, one, everything=everything)


def _archive_unused(client: "Client", template: "Template", *, everything: bool) -> None:
    names = {one.id: one.name for one in client.template_versions(template.id)}
    archived = client.archive_template_versions(template.id, everything=everything)
    count = f"{len(archived)} version{'' if len(archived) == 1 else 's'}"
    ui.result(f"Archived {count} of template {template.name}.")
    for version_id in archived:
        ui.result(f"  {names.get(version_id, version_id)}")


def archive_versions(
    template: TemplateName, versions: Versions, yes: Yes = False, org: Org = ""
) -> None:
    """Hide versions of a template that nothing uses."""
    _set_archived(template, versions, yes=yes, org=org, archived=True)


def unarchive_versions(
    template: TemplateName, versions: Versions, yes: Yes = False, org: Org = ""
) -> None:
    """Show archived versions of a template again."""
    _set_archived(template, versions, yes=yes, org=org, archived=False)


def _set_archived(
    template: str, versions: list[str], *, yes: bool, org: str, archived: bool
) -> None:
    client = config.connect()
    found = find_template(client, org, template)
    chosen = [find_version(client, found, name) for name in versions]
    names = ", ".join(one.name for one in chosen)
    verb, done = ("Archive", "Archived") if archived else ("Unarchive", "Unarchived")
    asker = ui.Asker(config.current().on("force-tty"))
    asker.confirm(f"{verb} these versions of template {found.name}: {names}?", yes=yes)
    for one in chosen:
        if one.archived == archived:
            state = "archived already" if archived else "not archived"
            ui.note(f"Version {one.name} is {state}.")
            continue
        try:
            client.archive_template_version(one.id, archived=archived)
        except ApiError as error:
            raise Refused(f"Version {one.name}: {ui.explain(error)}") from error
        ui.result(f"{done} version {one.name} of template {found.name}.")
