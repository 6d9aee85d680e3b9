"""``coder login``: set a deployment up, or get a session of one."""

from contextlib import suppress
from dataclasses import dataclass
from getpass import getuser
from typing import Annotated

import typer

from coder_cli import config, ui
from coder_cli.commands.typed import new_app
from coder_cli.config.access import LoggedOut, normal_url
from coder_cli.kit import names
from coder_cli.kit.refused import Refused
from coder_cli.sdk.client import Client
from coder_cli.sdk.errors import ApiError, SdkError
from coder_cli.ui import browser

app = new_app()

Email = Annotated[str, typer.Option(envvar="CODER_FIRST_USER_EMAIL", metavar="<email>")]
Username = Annotated[str, typer.Option(envvar="CODER_FIRST_USER_USERNAME", metavar="<name>")]
FullName = Annotated[str, typer.Option(envvar="CODER_FIRST_USER_FULL_NAME", metavar="<name>")]
Password = Annotated[str, typer.Option(envvar="CODER_FIRST_USER_PASSWORD", metavar="<password>")]
Trial = Annotated[bool, typer.Option("--first-user-trial", envvar="CODER_FIRST_USER_TRIAL")]


@dataclass(frozen=True, slots=True)
class FirstUser:
    """The owner of a new deployment, as far as flags and variables said."""

    username: str
    email: str
    name: str
    password: str


@app.command()
def login(
    url: Annotated[
        str,
        typer.Argument(
            metavar="<url>|token", help="The deployment, or: token.", show_default=False
        ),
    ] = "",
    first_user_email: Email = "",
    first_user_username: Username = "",
    first_user_full_name: FullName = "",
    first_user_password: Password = "",
    first_user_trial: Trial = False,
    use_token_as_session: Annotated[
        bool,
        typer.Option("--use-token-as-session", help="Store the token you give, not a new one"),
    ] = False,
) -> None:
    """Log in to a deployment; create its first user if it has none.

    `coder login token` prints the token of the present session.
    """
    del first_user_trial  # Everything is part of this product: there is nothing to try out.
    if url == "token":
        _print_token()
        return
    target = normal_url(url) or config.session().url
    if not target:
        raise Refused(
            "Which deployment? Pass its URL: coder login https://coder.example.com (to run one"
            " here: coder server)"
        )
    client = config.connect(target, "")
    if client.has_first_user():
        token = _session(client, keep=use_token_as_session)
    else:
        first = FirstUser(
            first_user_username, first_user_email, first_user_full_name, first_user_password
        )
        token = _set_up(client, first)
    client = config.connect(target, token)
    user = client.user("me")
    config.session().save(target, token)
    ui.result(f"Welcome to Coder, {ui.styled(user.username, 'cyan')}! You are authenticated.")
    with suppress(SdkError):  # The log-in stands, whatever a hint finds out.
        if not client.templates():
            ui.note("\nMake a template next:\n\n  coder templates init\n")


def _print_token() -> None:
    token = config.session().token
    if not token:
        raise LoggedOut(config.session().url)
    ui.result(token)


def _set_up(client: Client, first: FirstUser) -> str:
    """Create the owner and return a session of theirs."""
    from coder_cli.sdk.users import CreateFirstUserRequest

    ui.note(f"Your Coder deployment at {client.url} has not been set up!")
    asker = ui.Asker(force_tty=config.current().on("force-tty"))
    if not first.username and not ui.can_ask(force=asker.force_tty):
        raise Refused(
            "The first user cannot be asked for here: pass --first-user-username,"
            " --first-user-email and --first-user-password (or CODER_FIRST_USER_*)."
        )
    if not first.username:
        asker.confirm("Would you like to create the first user?", yes=False, default=True)
    username = asker.text(
        "What username would you like?",
        flag="--first-user-username",
        given=first.username,
        default=_suggested_name(),
        check=names.check_name,
    )
    name = first.name
    if not first.username and not name:
        name = asker.text(
            "What is your full name? (may be empty)",
            flag="--first-user-full-name",
            check=names.check_real_name,
        )
    email = asker.text(
        "What is your email?",
        flag="--first-user-email",
        given=first.email,
        check=names.check_email,
    )
    password = first.password or _new_password(asker, client)
    request = CreateFirstUserRequest(email=email, username=username, name=name, password=password)
    client.create_first_user(request)
    return client.log_in(email, password)


def _new_password(asker: ui.Asker, client: Client) -> str:
    flag = "--first-user-password"
    # Asked of the server here: a refusal at the end would cost the person all their answers.
    while True:
        password = asker.secret("Enter a password:", flag=flag, check=client.weakness)
        if asker.secret("Confirm the password:", flag=flag) == password:
            return password
        ui.note(ui.styled("  The passwords differ. Please type them again.", "red"))


def _suggested_name() -> str:
    try:
        name = getuser()
    except (KeyError, OSError):
        return "admin"
    return name if names.check_name(name) is None else "admin"


def _session(client: Client, *, keep: bool) -> str:
    """Return a session token, from the token that the person has or fetches in the browser."""
    given = config.session().given_token
    if given:
        client = config.connect(client.url, given)
        client.user("me")
        return given if keep else client.create_session_key()
    address = f"{client.url}/cli-auth"
    if _opened(address):
        ui.note(f"Your browser has been opened to visit:\n\n  {address}\n")
    else:
        ui.note(f"Open this in your browser:\n\n  {address}\n")
    asker = ui.Asker(force_tty=config.current().on("force-tty"))
    accepted: list[str] = []

    def check(token: str) -> str | None:
        try:
            config.connect(client.url, token).user("me")
        except ApiError as error:
            return f"That token is not valid: {error.message}"
        accepted.append(token)
        return None

    asker.secret("Paste your token here:", flag="--token (or CODER_SESSION_TOKEN)", check=check)
    return accepted[-1] if keep else config.connect(client.url, accepted[-1]).create_session_key()


def _opened(address: str) -> bool:
    """Try to show the page in a browser; False where there is none, or nobody to look at it."""
    options = config.current()
    if options.on("no-open") or not ui.can_ask(force=options.on("force-tty")):
        return False
    return browser.opened(address)
