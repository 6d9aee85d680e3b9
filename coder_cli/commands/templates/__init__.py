"""``coder templates``: what workspaces are made of."""

from coder_cli.commands.templates.listing import delete, list_
from coder_cli.commands.templates.pulling import pull
from coder_cli.commands.templates.pushing import push
from coder_cli.commands.templates.starting import init
from coder_cli.commands.templates.versions import app as versions
from coder_cli.commands.typed import new_app

app = new_app("Manage templates: the Terraform that workspaces are made of.")
app.command("init")(init)
app.command("push")(push)
app.command("list")(list_)
app.command("pull")(pull)
app.command("delete")(delete)
app.add_typer(versions, name="versions")
app.command("create", hidden=True)(push)
app.command("ls", hidden=True)(list_)
app.command("rm", hidden=True)(delete)

__all__ = ["app"]
