"""``coder templates create``: as it was before ``push`` could make templates, for old scripts."""

from typing import Annotated

import typer

from coder_cli import config, ui
from coder_cli.commands.finding import find_organization
from coder_cli.commands.flags import Org, Yes
from coder_cli.commands.templates.editing import milliseconds
from coder_cli.commands.templates.pushing import (
    Directory,
    IgnoreLockfile,
    Message,
    Tags,
    Variables,
    VariablesFile,
    can_ask,
    existing_template,
    say_done,
    template_name,
)
from coder_cli.commands.templates.uploads import (
    Upload,
    import_version,
    read_archive,
    read_tags,
    read_variables,
)
from coder_cli.kit.refused import Refused


def create(
    template: Annotated[
        str,
        typer.Argument(
            metavar="[name]", help="Its name; the directory's if not given.", show_default=False
        ),
    ] = "",
    directory: Directory = ".",
    variables_file: VariablesFile = "",
    variable: Variables = [],  # noqa: B006 - Typer copies it
    provisioner_tag: Tags = [],  # noqa: B006 - Typer copies it
    message: Message = "",
    ignore_lockfile: IgnoreLockfile = False,
    default_ttl: Annotated[
        str, typer.Option(help="Workspaces stop so long after a start", metavar="<duration>")
    ] = "24h",
    failure_ttl: Annotated[
        str, typer.Option(help="Failed workspaces stop after", metavar="<duration>")
    ] = "0h",
    dormancy_threshold: Annotated[
        str, typer.Option(help="Unused workspaces are dormant after", metavar="<duration>")
    ] = "0h",
    dormancy_auto_deletion: Annotated[
        str, typer.Option(help="Dormant workspaces are deleted after", metavar="<duration>")
    ] = "0h",
    require_active_version: Annotated[
        bool, typer.Option("--require-active-version", help="Only the active version is built")
    ] = False,
    private: Annotated[
        bool, typer.Option("--private", help="Not everybody in the organization may use it")
    ] = False,
    yes: Yes = False,
    org: Org = "",
) -> None:
    """Upload a directory as a new template (deprecated: use push, and edit)."""
    from coder_cli.sdk.templates import CreateTemplateRequest

    ui.warn("templates create is deprecated: use templates push, and templates edit for settings.")
    called, tags = template_name(template, directory), read_tags(provisioner_tag)
    said = {
        "--default-ttl": default_ttl,
        "--failure-ttl": failure_ttl,
        "--dormancy-threshold": dormancy_threshold,
        "--dormancy-auto-deletion": dormancy_auto_deletion,
    }
    spans = {flag: milliseconds(flag, text) for flag, text in said.items()}
    values = read_variables(variables_file, variable)
    client = config.connect()
    organization = find_organization(client, org)
    if existing_template(client, organization, called) is not None:
        raise Refused(
            f"There is a template {called!r} already. Push a new version of it with:"
            f" coder templates push {called}"
        )
    upload = Upload(
        organization.id,
        read_archive(directory, yes=yes, ignore_lockfile=ignore_lockfile),
        message=message,
        tags=tags,
        ask=can_ask(yes=yes, directory=directory),
    )
    version = import_version(client, upload, values)
    request = CreateTemplateRequest(
        name=called,
        template_version_id=version.id,
        require_active_version=require_active_version,
        disable_everyone_group_access=private,
        default_ttl_ms=spans["--default-ttl"],
        failure_ttl_ms=spans["--failure-ttl"],
        dormant_ttl_ms=spans["--dormancy-threshold"],
        delete_ttl_ms=spans["--dormancy-auto-deletion"],
    )
    client.create_template(str(organization.id), request)
    say_done("Created", called, version)
