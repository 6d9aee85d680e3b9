"""``coder state``."""

from pathlib import Path
from typing import Annotated

import typer

from coder_cli import config, ui
from coder_cli.commands.finding import find_workspace
from coder_cli.commands.flags import WorkspaceName
from coder_cli.commands.typed import new_app
from coder_cli.kit.refused import Refused

app = new_app("Get the Terraform state of a workspace.")


@app.callback()
def group() -> None:
    """Get the Terraform state of a workspace."""


@app.command()
def pull(
    workspace: WorkspaceName,
    file: Annotated[
        str,
        typer.Argument(metavar="[file]", help="Where to; stdout if not given.", show_default=False),
    ] = "",
    build: Annotated[
        int, typer.Option("--build", "-b", help="Which build; 0 is the latest", metavar="<number>")
    ] = 0,
) -> None:
    """Get the state that a build left."""
    client = config.connect()
    found = find_workspace(client, workspace)
    chosen = found.latest_build
    if build:
        chosen = client.build_by_number(found.owner_name, found.name, build)
    content = client.build_state(chosen.id)
    if not file:
        ui.result_bytes(content)
        return
    try:
        # State may hold secrets: whoever reads it can be whoever the template is.
        target = Path(file)
        target.touch(mode=0o600)
        target.write_bytes(content)
    except OSError as error:
        raise Refused(f"Cannot write {file}: {error.strerror}.") from error
    ui.note(f"Wrote the state of build {chosen.build_number} to {file}.")
