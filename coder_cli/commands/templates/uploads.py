"""From a directory or stdin to an imported version: the archive, its variables, its tags."""

import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from coder_cli import config, ui
from coder_cli.commands.following import follow_import
from coder_cli.commands.templates.archive import LIMIT, pack
from coder_cli.kit.refused import Refused
from coder_cli.sdk.client import Client

if TYPE_CHECKING:
    from uuid import UUID

    from coder_cli.sdk.templates import Template, TemplateVersion

STDIN = "-"
NO_TAGS = "-"
READABLE_MESSAGE = 72


@dataclass(frozen=True, slots=True)
class Upload:
    """A version to be made of an archive."""

    organization: "UUID"
    archive: bytes
    template: "Template | None" = None
    """None where the template is yet to be made."""
    name: str = ""
    message: str = ""
    tags: Mapping[str, str] | None = None
    """None takes those of the active version."""
    always_prompt: bool = False
    ask: bool = True


def read_archive(directory: str, *, yes: bool, ignore_lockfile: bool) -> bytes:
    """Return the archive to upload: of a directory, or ready-made on stdin.

    Raises:
        Refused: there is no template, it is too large, or the person says no.
    """
    if directory == STDIN:
        content = stdin().read(LIMIT + 1)
        if len(content) > LIMIT:
            raise Refused(f"The archive on stdin is larger than {LIMIT // 2**20} MiB.")
        if not content:
            raise Refused("There is no archive on stdin. Pipe one in: tar -c . | coder … -d -")
        return content
    place = Path(directory)
    content = pack(place)
    if not (ignore_lockfile or (place / ".terraform.lock.hcl").exists()) and _fetches(place):
        ui.warn(
            "There is no .terraform.lock.hcl: each build may take newer providers. Make one with:"
            " terraform init. --ignore-lockfile silences this."
        )
    asker = ui.Asker(config.current().on("force-tty"))
    asker.confirm(f"Upload {str(place.resolve())!r}?", yes=yes, default=True)
    return content


def stdin() -> BinaryIO:
    """Return standard input as bytes."""
    return sys.stdin.buffer


def _fetches(place: Path) -> bool:
    """Say whether the template needs providers that the server does not carry itself."""
    text = "\n".join(one.read_text("utf-8", "replace") for one in place.glob("*.tf"))
    sources = re.findall(r'source\s*=\s*"([\w.-]+/[\w.-]+(?:/[\w.-]+)?)"', text)
    return any(source != "coder/coder" for source in sources)


def import_version(client: Client, upload: Upload, given: Mapping[str, str]) -> "TemplateVersion":
    """Create a version and watch its import; ask for variables it turns out to need.

    Raises:
        Refused: the import did not succeed.
    """
    from coder_cli.sdk.common import NameValue
    from coder_cli.sdk.jobs import JobErrorCode
    from coder_cli.sdk.templates import CreateTemplateVersionRequest

    if len(upload.message) > READABLE_MESSAGE:
        ui.warn(f"The message is longer than {READABLE_MESSAGE} characters; lists cut it there.")
    values = dict(given)
    of = upload.template
    if upload.always_prompt and of is not None:
        values = _ask(client, of.active_version_id, values)
    tags = _tags_to_use(client, upload)
    file_id = client.upload(upload.archive)
    while True:
        request = CreateTemplateVersionRequest(
            file_id=file_id,
            template_id=None if of is None else of.id,
            name=upload.name,
            message=upload.message,
            tags=tags,
            user_variable_values=[NameValue(name=k, value=v) for k, v in values.items()],
        )
        made = client.create_template_version(str(upload.organization), request)
        version = follow_import(client, made)
        if version.job.status == "succeeded":
            return version
        missing = version.job.error_code == JobErrorCode.REQUIRED_TEMPLATE_VARIABLES
        if missing and upload.ask:
            values = _ask(client, version.id, values, missing_only=True)
            continue
        hint = "\nPass them with --variable name=value or --variables-file." if missing else ""
        why = f": {version.job.error}" if version.job.error else "."
        raise Refused(f"The import ended as {version.job.status}{why}{hint}")


def _tags_to_use(client: Client, upload: Upload) -> dict[str, str]:
    if upload.tags is not None or upload.template is None:
        return dict(upload.tags or {})
    job = client.template_version(upload.template.active_version_id).job
    # The server sets the owner itself: tags of scope "user" mean whoever pushes.
    own = {key: value for key, value in job.tags.items() if key != "owner"}
    if own.get("scope", "organization") == "organization":
        own.pop("scope", None)
    if own:
        listed = " ".join(f"{key}={value}" for key, value in sorted(own.items()))
        ui.note(
            f"Using the provisioner tags of the active version: {listed}."
            f' Drop them with: --provisioner-tag "{NO_TAGS}"'
        )
    return own


def _ask(
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


def read_variables(file: str, given: list[str]) -> dict[str, str]:
    """Return variables of a YAML file, and of flags, which win.

    Raises:
        Refused: the file or a flag cannot be read.
    """
    values = _from_file(file) if file else {}
    for one in given:
        name, equals, value = one.partition("=")
        if not equals or not name:
            raise Refused(f"{one!r} is not a variable; write --variable name=value.")
        values[name] = value
    return values


def _from_file(file: str) -> dict[str, str]:
    import json

    import yaml

    try:
        content: object = yaml.safe_load(Path(file).read_text(encoding="utf-8"))
    except OSError as error:
        raise Refused(f"Cannot read {file}: {error.strerror}.") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise Refused(f"{file} is not YAML: {error}") from error
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise Refused(f"{file} must be a mapping of variable names to values.")
    return {
        str(name): value if isinstance(value, str) else json.dumps(value, default=str)
        for name, value in cast("dict[object, object]", content).items()
    }


def read_tags(given: list[str]) -> dict[str, str] | None:
    """Return the tags of ``--provisioner-tag``; None where there is none, ``-`` clears them.

    Raises:
        Refused: one of them is no tag.
    """
    if not given:
        return None
    tags: dict[str, str] = {}
    for one in given:
        key, equals, value = one.partition("=")
        if one == NO_TAGS:
            tags.clear()
        elif equals and key:
            tags[key] = value
        else:
            raise Refused(f"{one!r} is not a tag; write --provisioner-tag key=value.")
    return tags
