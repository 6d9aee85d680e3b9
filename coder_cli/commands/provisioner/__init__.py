"""``coder provisioner``: who runs Terraform, and what waits for it."""

from coder_cli.commands.provisioner.jobs import app as jobs
from coder_cli.commands.provisioner.keys import app as keys
from coder_cli.commands.provisioner.listing import list_
from coder_cli.commands.provisioner.starting import start
from coder_cli.commands.typed import new_app

app = new_app("View and manage provisioner daemons and jobs.")
app.command("start")(start)
app.command("list")(list_)
app.add_typer(jobs, name="jobs")
app.add_typer(keys, name="keys")
app.command("ls", hidden=True)(list_)

__all__ = ["app"]
