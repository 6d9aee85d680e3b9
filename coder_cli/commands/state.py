"""``coder state``: the Terraform state of a workspace, for repairs."""

import os
import stat
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from coder_cli import config, ui
from coder_cli.commands import builds
from coder_cli.commands.finding import find_workspace
from coder_cli.commands.flags import WorkspaceName
from coder_cli.commands.following import follow_build
from coder_cli.commands.typed import new_app
from coder_cli.kit.refused import Refused

if TYPE_CHECKING:
    from coder_cli.sdk.builds import WorkspaceBuild
    from coder_cli.sdk.client import Client
    from coder_cli.sdk.workspaces import Workspace

app = new_app("Get and repair the Terraform state of a workspace.")
Build = Annotated[
    int, typer.Option("--build", "-b", help="Which build; 0 is the latest", metavar="<number>")
]


@app.callback()
def group() -> None:
    """Get and repair the Terraform state of a workspace."""


@app.command()
def pull(
    workspace: WorkspaceName,
    file: Annotated[
        str,
        typer.Argument(metavar="[file]", help="Where to; stdout if not given.", show_default=False),
    ] = "",
    build: Build = 0,
) -> None:
    """Get the state that a build left."""
    client = config.connect()
    chosen = _build(client, find_workspace(client, workspace), build)
    content = client.build_state(chosen.id)
    if not file:
        ui.result_bytes(content)
        return
    try:
        _write(file, content)
    except OSError as error:
        raise Refused(f"Cannot write {file}: {error.strerror}.") from error
    ui.note(f"Wrote the state of build {chosen.build_number} to {file}.")


@app.command()
def push(
    workspace: WorkspaceName,
    file: Annotated[
        str, typer.Argument(metavar="<file|->", help="The state; - is stdin.", show_default=False)
    ],
    build: Build = 0,
    no_build: Annotated[
        bool, typer.Option("--no-build", "-n", help="Replace the state, and build nothing")
    ] = False,
) -> None:
    """Build a workspace from another state, on the version of the build that had it."""
    from base64 import b64encode

    from coder_cli.sdk.builds import CreateWorkspaceBuildRequest

    content = _read(file)
    client = config.connect()
    found = find_workspace(client, workspace)
    chosen = _build(client, found, build)
    if no_build:
        client.put_build_state(chosen.id, content)
        ui.result(f"Replaced the state of build {chosen.build_number}; nothing was built.")
        return
    builds.refuse_while_building(found)
    request = CreateWorkspaceBuildRequest(
        transition=chosen.transition,
        template_version_id=chosen.template_version_id,
        state=b64encode(content).decode(),
        reason="cli",
    )
    ended = follow_build(client, client.create_build(found.id, request))
    ui.result(f"Workspace {found.name} was built from the state as build {ended.build_number}.")


def _build(client: "Client", workspace: "Workspace", number: int) -> "WorkspaceBuild":
    latest = workspace.latest_build
    if number == 0:
        return latest
    if not 1 <= number <= latest.build_number:
        raise Refused(
            f"Workspace {workspace.name!r} has builds 1 to {latest.build_number}; there is no"
            f" {number}."
        )
    return client.build_by_number(workspace.owner_name, workspace.name, number)


def _write(file: str, content: bytes) -> None:
    # State may hold secrets: whoever reads it can be whoever the template is. A file that was
    # there for all to read is closed to them first.
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as target:
        if stat.S_ISREG(os.fstat(target.fileno()).st_mode):
            os.fchmod(target.fileno(), 0o600)
        target.write(content)


def _read(file: str) -> bytes:
    import json

    try:
        content = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as error:
        raise Refused(f"Cannot read {file}: {error.strerror}.") from error
    try:
        json.loads(content)
    except ValueError as error:
        raise Refused(f"{file} is no Terraform state, which is JSON: {error}") from error
    return content
