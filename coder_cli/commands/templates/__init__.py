"""``coder templates``: what workspaces are made of."""

from coder_cli.commands.templates.archiving import archive
from coder_cli.commands.templates.creating import create
from coder_cli.commands.templates.editing import edit
from coder_cli.commands.templates.listing import delete, list_
from coder_cli.commands.templates.presets import app as presets
from coder_cli.commands.templates.pulling import pull
from coder_cli.commands.templates.pushing import push
from coder_cli.commands.templates.starting import init
from coder_cli.commands.templates.versions import app as versions
from coder_cli.commands.typed import new_app

app = new_app("Manage templates: the Terraform that workspaces are made of.")
app.command("init")(init)
app.command("push")(push)
app.command("list")(list_)
app.command("edit")(edit)
app.command("pull")(pull)
app.command("archive")(archive)
app.command("delete")(delete)
app.add_typer(versions, name="versions")
app.add_typer(presets, name="presets")
app.command("create")(create)
app.command("ls", hidden=True)(list_)
app.command("rm", hidden=True)(delete)

__all__ = ["app"]
