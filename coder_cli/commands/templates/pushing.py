"""``coder templates push``: upload a directory as a new version, and make it the active one."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from coder_cli import config, ui
from coder_cli.commands.finding import find_organization
from coder_cli.commands.flags import Org, Yes
from coder_cli.commands.templates.uploads import (
    STDIN,
    Upload,
    import_version,
    read_archive,
    read_tags,
    read_variables,
)
from coder_cli.kit import names
from coder_cli.kit.clock import SystemClock
from coder_cli.kit.refused import Refused
from coder_cli.sdk.client import Client
from coder_cli.sdk.errors import ApiError
from coder_cli.ui.words import timestamp

if TYPE_CHECKING:
    from coder_cli.sdk.organizations import Organization
    from coder_cli.sdk.templates import Template, TemplateVersion

NOT_FOUND = 404

Directory = Annotated[
    str,
    typer.Option(
        "--directory", "-d", help="Where it is; - reads a tar from stdin", metavar="<dir>"
    ),
]
VariablesFile = Annotated[
    str, typer.Option(help="YAML file of Terraform variables", metavar="<file>")
]
Variables = Annotated[
    list[str],
    typer.Option(
        "--variable",
        "--var",
        help="A Terraform variable; may be repeated",
        metavar="<name=value>",
        show_default=False,
    ),
]
Tags = Annotated[
    list[str],
    typer.Option(
        help="Which provisioners take it; may be repeated; - for none; else the active version's",
        metavar="<key=value>",
        show_default=False,
    ),
]
IgnoreLockfile = Annotated[
    bool, typer.Option("--ignore-lockfile", help="Do not miss .terraform.lock.hcl")
]
Message = Annotated[str, typer.Option("--message", "-m", help="What changed", metavar="<text>")]


@dataclass(frozen=True, slots=True)
class Looks:
    """What people see of a template."""

    activate: bool
    display_name: str
    icon: str


def push(
    template: Annotated[
        str,
        typer.Argument(
            metavar="[template]", help="Its name; the directory's if not given.", show_default=False
        ),
    ] = "",
    directory: Directory = ".",
    variables_file: VariablesFile = "",
    variable: Variables = [],  # noqa: B006 - Typer copies it
    provisioner_tag: Tags = [],  # noqa: B006 - Typer copies it
    name: Annotated[str, typer.Option(help="Name of the version", metavar="<name>")] = "",
    message: Message = "",
    activate: Annotated[
        bool, typer.Option("--activate/--no-activate", help="Let new builds use it")
    ] = True,
    always_prompt: Annotated[
        bool, typer.Option("--always-prompt", help="Ask for every Terraform variable")
    ] = False,
    ignore_lockfile: IgnoreLockfile = False,
    display_name: Annotated[str, typer.Option(help="Name for people", metavar="<name>")] = "",
    icon: Annotated[str, typer.Option(help="URL or path of an icon", metavar="<url>")] = "",
    yes: Yes = False,
    org: Org = "",
) -> None:
    """Upload a directory as a new version of a template, which is made if it does not exist."""
    called, tags = template_name(template, directory), read_tags(provisioner_tag)
    looks = Looks(activate, display_name, icon)
    _check(name, looks)
    values = read_variables(variables_file, variable)
    client = config.connect()
    organization = find_organization(client, org)
    existing = existing_template(client, organization, called)
    upload = Upload(
        organization.id,
        read_archive(directory, yes=yes, ignore_lockfile=ignore_lockfile),
        existing,
        name,
        message,
        tags,
        always_prompt,
        ask=can_ask(yes=yes, directory=directory),
    )
    version = import_version(client, upload, values)
    if existing is None:
        _create(client, organization, called, version, looks)
    else:
        _update(client, existing, version, looks)


def _check(version: str, looks: Looks) -> None:
    """Refuse bad names before minutes of importing, not after."""
    wrong = {
        "--display-name": names.check_display_name(looks.display_name),
        "--name": names.check_version_name(version) if version else None,
    }
    for what, complaint in wrong.items():
        if complaint is not None:
            raise Refused(f"{what}: {complaint}.")


def can_ask(*, yes: bool, directory: str) -> bool:
    """Tell whether somebody can answer: not where stdin brought the archive."""
    return not yes and directory != STDIN and ui.can_ask(force=config.current().on("force-tty"))


def _create(
    client: Client,
    organization: "Organization",
    name: str,
    version: "TemplateVersion",
    looks: Looks,
) -> None:
    from coder_cli.sdk.templates import CreateTemplateRequest

    request = CreateTemplateRequest(
        name=name,
        template_version_id=version.id,
        display_name=looks.display_name,
        icon=looks.icon,
    )
    client.create_template(str(organization.id), request)
    say_done("Created", name, version)


def _update(client: Client, existing: "Template", version: "TemplateVersion", looks: Looks) -> None:
    from coder_cli.sdk.templates import UpdateTemplateMeta

    if looks.activate:
        client.promote_template_version(existing.id, version.id)
    if looks.display_name or looks.icon:
        change = UpdateTemplateMeta(
            display_name=looks.display_name or None, icon=looks.icon or None
        )
        client.update_template(existing.id, change)
    say_done("Updated", existing.name, version, active=looks.activate)


def say_done(done: str, name: str, version: "TemplateVersion", *, active: bool = True) -> None:
    """Say what became of a template, when, and what to type next."""
    now = timestamp(SystemClock().now())
    ui.result(f"{done} template {name}, version {version.name}, at {now}.")
    if active:
        ui.note(f"Create a workspace of it:\n\n  coder create --template {name} <name>\n")
    else:
        ui.note(
            "New builds do not use it yet:\n\n  coder templates versions promote"
            f" --template {name} --template-version {version.name}\n"
        )


def template_name(template: str, directory: str) -> str:
    """Return the name of a template: the one given, or its directory's.

    Raises:
        Refused: neither can be one.
    """
    if not template and directory == STDIN:
        raise Refused(
            "Name the template when it comes from stdin: coder templates push <name> -d -"
        )
    name = template or Path(directory).resolve().name
    complaint = names.check_name(name)
    if complaint is not None:
        raise Refused(f"{name!r} cannot be a template's name: {complaint}.")
    return name


def existing_template(client: Client, organization: "Organization", name: str) -> "Template | None":
    """Return the organization's template of this name, or None."""
    try:
        return client.template_by_name(str(organization.id), name)
    except ApiError as error:
        if error.status == NOT_FOUND:
            return None
        raise
