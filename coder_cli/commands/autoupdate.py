"""``coder autoupdate``."""

from typing import Annotated

import typer

from coder_cli import config, ui
from coder_cli.commands.builds import asker
from coder_cli.commands.finding import find_workspace
from coder_cli.commands.flags import WorkspaceName, Yes
from coder_cli.commands.typed import new_app
from coder_cli.kit.refused import Refused

app = new_app()


@app.command()
def autoupdate(
    workspace: WorkspaceName,
    policy: Annotated[
        str,
        typer.Argument(metavar="<always|never>", help="When to update.", show_default=False),
    ],
    yes: Yes = False,
) -> None:
    """Say whether a workspace moves to new versions of its template when it starts."""
    from coder_cli.sdk.workspaces import AutomaticUpdates

    if policy not in set(AutomaticUpdates):
        raise Refused(f"{policy!r} is neither always nor never.")
    client = config.connect()
    found = find_workspace(client, workspace)
    asker().confirm(
        f"Have starts of workspace {found.name!r} {policy} move to the active version?", yes=yes
    )
    client.set_automatic_updates(found.id, AutomaticUpdates(policy))
    ui.result(f"Updated workspace {found.name!r} auto-update policy to {policy!r}.")
