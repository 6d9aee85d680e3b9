"""``coder unfavorite``."""

from coder_cli import config, ui
from coder_cli.commands.finding import find_workspace
from coder_cli.commands.flags import WorkspaceName
from coder_cli.commands.typed import new_app

app = new_app()


@app.command()
def unfavorite(workspace: WorkspaceName) -> None:
    """List a workspace in its turn again."""
    client = config.connect()
    found = find_workspace(client, workspace)
    client.favorite_workspace(found.id, favorite=False)
    ui.result(f"Workspace {found.name} is no longer a favorite.")
