"""``coder agents``: chats with a model that works in workspaces, and what they run on."""

from coder_cli.commands.agents.chatting import chat
from coder_cli.commands.agents.grouping import ChatGroup
from coder_cli.commands.agents.limits import app as limits
from coder_cli.commands.agents.listing import list_, messages, show
from coder_cli.commands.agents.models import app as models
from coder_cli.commands.agents.money import cost
from coder_cli.commands.agents.providers import app as providers
from coder_cli.commands.agents.queue import app as queue
from coder_cli.commands.agents.speaking import (
    archive,
    clear,
    compact,
    edit,
    interrupt,
    send,
    unarchive,
)
from coder_cli.commands.agents.stopping import resume, stop
from coder_cli.commands.typed import new_app

app = new_app(
    "Let an agent work for you: it talks with a model, and runs commands and edits files in a"
    " workspace.",
    cls=ChatGroup,
)
app.command("chat")(chat)
app.command("list")(list_)
app.command("show")(show)
app.command("messages")(messages)
app.command("send")(send)
app.command("edit")(edit)
app.command("interrupt")(interrupt)
app.command("compact")(compact)
app.command("clear")(clear)
app.command("archive")(archive)
app.command("unarchive")(unarchive)
app.add_typer(queue, name="queue")
app.command("stop")(stop)
app.command("resume")(resume)
app.add_typer(models, name="models")
app.add_typer(providers, name="providers")
app.command("cost")(cost)
app.add_typer(limits, name="limits")
app.command("ls", hidden=True)(list_)

__all__ = ["app"]
