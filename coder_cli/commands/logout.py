"""``coder logout``."""

from coder_cli import config, ui
from coder_cli.commands.flags import Yes
from coder_cli.commands.typed import new_app
from coder_cli.sdk.errors import ApiError, SdkError

app = new_app()


@app.command()
def logout(yes: Yes = False) -> None:
    """End the session, on the server and on this machine."""
    session = config.session()
    client = config.connect()
    ui.Asker(config.current().on("force-tty")).confirm(
        "Are you sure you want to log out?", yes=yes, default=True
    )
    try:
        client.log_out()
    except ApiError as error:
        if error.status != 401:
            raise
    except SdkError as error:
        ui.warn(f"The session could not be ended on the server: {error}")
    session.forget()
    ui.result("You are no longer logged in. You can log in using 'coder login <url>'.")
