"""``coder templates push``: upload a directory as a new version, and make it the active one."""

import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from coder_cli import config, ui
from coder_cli.commands.finding import find_organization
from coder_cli.commands.flags import Org, Yes
from coder_cli.commands.following import follow_import
from coder_cli.commands.templates.archive import pack
from coder_cli.kit import names
from coder_cli.kit.clock import SystemClock
from coder_cli.kit.refused import Refused
from coder_cli.sdk.client import Client
from coder_cli.sdk.errors import ApiError
from coder_cli.ui.words import timestamp

if TYPE_CHECKING:
    from uuid import UUID

    from coder_cli.sdk.organizations import Organization
    from coder_cli.sdk.templates import Template, TemplateVersion

NOT_FOUND = 404


@dataclass(frozen=True, slots=True)
class Push:
    """What the flags said."""

    name: str
    version_name: str
    message: str
    activate: bool
    display_name: str
    icon: str
    ask: bool


def push(
    template: Annotated[
        str,
        typer.Argument(
            metavar="[template]", help="Its name; the directory's if not given.", show_default=False
        ),
    ] = "",
    directory: Annotated[
        str, typer.Option("--directory", "-d", help="Where it is; - reads a tar", metavar="<dir>")
    ] = ".",
    variables_file: Annotated[
        str, typer.Option(help="YAML file of Terraform variables", metavar="<file>")
    ] = "",
    variable: Annotated[
        list[str],
        typer.Option(
            "--variable",
            "--var",
            help="A Terraform variable; may be repeated",
            metavar="<name=value>",
            show_default=False,
        ),
    ] = [],  # noqa: B006 - Typer copies it
    provisioner_tag: Annotated[
        list[str],
        typer.Option(
            help="Which provisioners take it; may be repeated",
            metavar="<key=value>",
            show_default=False,
        ),
    ] = [],  # noqa: B006 - Typer copies it
    name: Annotated[str, typer.Option(help="Name of the version", metavar="<name>")] = "",
    message: Annotated[
        str, typer.Option("--message", "-m", help="What changed", metavar="<text>")
    ] = "",
    activate: Annotated[
        bool, typer.Option("--activate/--no-activate", help="Let new builds use it")
    ] = True,
    always_prompt: Annotated[
        bool, typer.Option("--always-prompt", help="Ask for every Terraform variable")
    ] = False,
    ignore_lockfile: Annotated[
        bool, typer.Option("--ignore-lockfile", help="Do not miss .terraform.lock.hcl")
    ] = False,
    display_name: Annotated[str, typer.Option(help="Name for people", metavar="<name>")] = "",
    icon: Annotated[str, typer.Option(help="URL or path of an icon", metavar="<url>")] = "",
    yes: Yes = False,
    org: Org = "",
) -> None:
    """Upload a directory as a new version of a template, which is made if it does not exist."""
    client = config.connect()
    organization = find_organization(client, org)
    what = Push(
        name=_template_name(template, directory),
        version_name=name,
        message=message,
        activate=activate,
        display_name=display_name,
        icon=icon,
        ask=not yes and ui.can_ask(force=config.current().on("force-tty")),
    )
    content = _content(directory, yes=yes, lockfile=not ignore_lockfile)
    existing = _existing(client, organization, what.name)
    values = _variables(variables_file, variable)
    if always_prompt and existing is not None:
        values = _ask_variables(client, existing.active_version_id, values)
    version = _import(
        client,
        organization,
        what,
        (client.upload(content), existing.id if existing else None, values, _tags(provisioner_tag)),
    )
    _finish(client, organization, what, existing, version)


def _finish(
    client: Client,
    organization: "Organization",
    what: Push,
    existing: "Template | None",
    version: "TemplateVersion",
) -> None:
    """Make the template, or move it to the version, and say so."""
    from coder_cli.sdk.templates import CreateTemplateRequest, UpdateTemplateMeta

    if existing is None:
        request = CreateTemplateRequest(
            name=what.name,
            template_version_id=version.id,
            display_name=what.display_name,
            icon=what.icon,
        )
        client.create_template(str(organization.id), request)
    else:
        if what.activate:
            client.promote_template_version(existing.id, version.id)
        if what.display_name or what.icon:
            change = UpdateTemplateMeta(
                display_name=what.display_name or None, icon=what.icon or None
            )
            client.update_template(existing.id, change)
    done = "Created" if existing is None else "Updated"
    now = timestamp(SystemClock().now())
    ui.result(f"{done} template {what.name}, version {version.name}, at {now}.")
    if existing is not None and not what.activate:
        ui.note(
            "New builds do not use it yet:\n\n  coder templates versions promote"
            f" --template {what.name} --template-version {version.name}\n"
        )
        return
    ui.note(f"Create a workspace of it:\n\n  coder create --template {what.name} <name>\n")


def _template_name(template: str, directory: str) -> str:
    if not template and directory == "-":
        raise Refused(
            "Name the template when it comes from stdin: coder templates push <name> -d -"
        )
    name = template or Path(directory).resolve().name
    complaint = names.check_name(name)
    if complaint is not None:
        raise Refused(f"{name!r} cannot be a template's name: {complaint}.")
    return name


def _content(directory: str, *, yes: bool, lockfile: bool) -> bytes:
    if directory == "-":
        return sys.stdin.buffer.read()
    place = Path(directory)
    content = pack(place)
    if lockfile and not (place / ".terraform.lock.hcl").exists() and _fetches_providers(place):
        ui.note(
            "There is no .terraform.lock.hcl: each import looks for the newest providers. To pin"
            " them, run: terraform init"
        )
    asker = ui.Asker(config.current().on("force-tty"))
    asker.confirm(f"Upload {str(place.resolve())!r}?", yes=yes, default=True)
    return content


def _fetches_providers(place: Path) -> bool:
    """Say whether the template needs providers that the server does not carry itself."""
    text = "\n".join(one.read_text("utf-8", "replace") for one in place.glob("*.tf"))
    sources = re.findall(r'source\s*=\s*"([\w.-]+/[\w.-]+(?:/[\w.-]+)?)"', text)
    return any(source != "coder/coder" for source in sources)


def _existing(client: Client, organization: "Organization", name: str) -> "Template | None":
    try:
        return client.template_by_name(str(organization.id), name)
    except ApiError as error:
        if error.status == NOT_FOUND:
            return None
        raise


def _import(
    client: Client,
    organization: "Organization",
    what: Push,
    content: "tuple[UUID, UUID | None, dict[str, str], dict[str, str]]",
) -> "TemplateVersion":
    """Create the version and watch its import; ask for variables it turns out to need."""
    from coder_cli.sdk.common import NameValue
    from coder_cli.sdk.jobs import JobErrorCode
    from coder_cli.sdk.templates import CreateTemplateVersionRequest

    file_id, template_id, values, tags = content
    while True:
        request = CreateTemplateVersionRequest(
            file_id=file_id,
            template_id=template_id,
            name=what.version_name,
            message=what.message,
            tags=tags,
            user_variable_values=[NameValue(name=k, value=v) for k, v in values.items()],
        )
        version = follow_import(
            client, client.create_template_version(str(organization.id), request)
        )
        if version.job.status == "succeeded":
            return version
        missing = version.job.error_code == JobErrorCode.REQUIRED_TEMPLATE_VARIABLES
        if missing and what.ask:
            values = _ask_variables(client, version.id, values, missing_only=True)
            continue
        hint = "\nPass them with --variable name=value or --variables-file." if missing else ""
        raise Refused(f"The import ended as {version.job.status}: {version.job.error}{hint}")


def _ask_variables(
    client: Client, version_id: "UUID", values: dict[str, str], *, missing_only: bool = False
) -> dict[str, str]:
    asker = ui.Asker(config.current().on("force-tty"))
    asked = dict(values)
    for variable in client.template_version_variables(version_id):
        if variable.name in values or (missing_only and not variable.required):
            continue
        flag = f"--variable {variable.name}=<value>"
        if variable.description:
            ui.note(variable.description)
        question = f"Value of variable {variable.name}:"
        if variable.sensitive:
            asked[variable.name] = asker.secret(question, flag=flag)
        else:
            default = variable.value or variable.default_value
            asked[variable.name] = asker.text(question, flag=flag, default=default)
    return asked


def _variables(file: str, given: list[str]) -> dict[str, str]:
    values: dict[str, str] = {}
    if file:
        import json

        import yaml

        try:
            content: object = yaml.safe_load(Path(file).read_text(encoding="utf-8"))
        except OSError as error:
            raise Refused(f"Cannot read {file}: {error.strerror}.") from error
        except yaml.YAMLError as error:
            raise Refused(f"{file} is not YAML: {error}") from error
        if not isinstance(content, dict):
            raise Refused(f"{file} must be a mapping of variable names to values.")
        for name, value in cast("dict[object, object]", content).items():
            values[str(name)] = value if isinstance(value, str) else json.dumps(value)
    for one in given:
        name, equals, value = one.partition("=")
        if not equals or not name:
            raise Refused(f"{one!r} is not a variable; write --variable name=value.")
        values[name] = value
    return values


def _tags(given: list[str]) -> dict[str, str]:
    tags: dict[str, str] = {}
    for one in given:
        if one == "-":
            continue
        key, equals, value = one.partition("=")
        if not equals:
            raise Refused(f"{one!r} is not a tag; write --provisioner-tag key=value.")
        tags[key] = value
    return tags
