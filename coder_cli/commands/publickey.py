"""``coder publickey``."""

from typing import Annotated

import typer

from coder_cli import config, ui
from coder_cli.commands.flags import Yes
from coder_cli.commands.typed import new_app

app = new_app()


@app.command()
def publickey(
    reset: Annotated[bool, typer.Option("--reset", help="Make a new pair of keys first")] = False,
    yes: Yes = False,
) -> None:
    """Show the public SSH key with which your workspaces speak to git servers."""
    client = config.connect()
    if reset:
        ui.Asker(config.current().on("force-tty")).confirm(
            "Make a new key? Git servers will not know your workspaces until you add it there.",
            yes=yes,
        )
    key = client.git_ssh_key("me", regenerate=reset)
    ui.result(key.public_key.strip())
    ui.note(
        "\nAdd it to your git server, for example:\n"
        "  GitHub  https://github.com/settings/ssh/new\n"
        "  GitLab  https://gitlab.com/-/user_settings/ssh_keys"
    )
