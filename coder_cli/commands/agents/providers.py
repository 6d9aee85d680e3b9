"""``coder agents providers``: whose models agents use, and with whose keys."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from coder_cli import config, ui
from coder_cli.commands.agents.finding import USAGE, find_provider
from coder_cli.commands.flags import Output, Yes, columns_of
from coder_cli.commands.typed import new_app
from coder_cli.kit.environ import environ
from coder_cli.kit.refused import Refused
from coder_cli.ui.tables import Column, Listing, check_output

if TYPE_CHECKING:
    from coder_cli.sdk.chats.models import ChatProviderConfig

app = new_app("Set up whose models agents use.", alone=True)

KEY = "CODER_AGENTS_API_KEY"
LONGEST_KEY = 10240


def _state(one: "ChatProviderConfig") -> str:
    if one.source == "supported":
        return "not set up"
    return "ready" if one.enabled else "disabled"


def _keys(one: "ChatProviderConfig") -> str:
    central = "central" if one.has_api_key and one.central_api_key_enabled else ""
    users = "users'" if one.allow_user_api_key else ""
    return ", ".join(word for word in (central, users) if word) or "none"


PROVIDERS: "Listing[ChatProviderConfig]" = Listing(
    [
        Column("id", lambda one: str(one.id)),
        Column("provider", lambda one: one.provider),
        Column("name", lambda one: one.display_name),
        Column("state", _state),
        Column("keys", _keys),
        Column("base url", lambda one: one.base_url),
    ],
    ["provider", "name", "state", "keys", "base url"],
    "No providers are known.",
)
ProviderName = Annotated[
    str,
    typer.Argument(
        metavar="<provider>",
        help="anthropic, openai, google, azure, bedrock, openai-compat, openrouter, vercel",
        show_default=False,
    ),
]
KeyFile = Annotated[
    str,
    typer.Option(
        "--api-key-file",
        help=f"A file with the key, - for stdin; ${KEY} does as well",
        metavar="<path|->",
        show_default=False,
    ),
]
BaseUrl = Annotated[
    str | None, typer.Option("--base-url", help="Where it answers, if elsewhere", metavar="<url>")
]
DisplayName = Annotated[
    str | None, typer.Option("--name", help="What people see", metavar="<name>")
]
Central = Annotated[
    bool | None,
    typer.Option("--central-key/--no-central-key", help="Use the key given here for everybody"),
]
Users = Annotated[
    bool | None, typer.Option("--user-keys/--no-user-keys", help="Let people bring their own keys")
]
Fallback = Annotated[
    bool | None,
    typer.Option("--fallback/--no-fallback", help="The central key for those who bring none"),
]
Enabled = Annotated[
    bool | None, typer.Option("--enabled/--disabled", help="Whether its models can be used")
]


@app.callback()
def providers(
    context: typer.Context,
    columns: Annotated[str, columns_of(PROVIDERS)] = "",
    output: Output = "table",
) -> None:
    """Set up whose models agents use."""
    if context.invoked_subcommand is None:
        list_(columns, output)


@app.command("list")
def list_(columns: Annotated[str, columns_of(PROVIDERS)] = "", output: Output = "table") -> None:
    """List providers, and whether they are set up."""
    PROVIDERS.show(config.connect().chat_providers(), output=output, columns=columns)


@app.command()
def add(
    provider: ProviderName,
    api_key_file: KeyFile = "",
    base_url: BaseUrl = None,
    name: DisplayName = None,
    central_key: Central = None,
    user_keys: Users = None,
    fallback: Fallback = None,
    enabled: Enabled = None,
    output: Output = "table",
) -> None:
    """Set a provider up. A key is never read from the command line."""
    check_output(output, "table", "json")
    key = _read_key(api_key_file)
    if not key and central_key is not False and ui.can_ask(force=config.current().on("force-tty")):
        asker = ui.Asker(config.current().on("force-tty"))
        key = asker.secret(f"API key of {provider}:", flag="--api-key-file or --no-central-key")
    client = config.connect()
    from coder_cli.sdk.chats.models import CreateChatProviderConfigRequest

    made = client.create_chat_provider(
        CreateChatProviderConfigRequest(
            provider=provider,
            display_name=name or "",
            api_key=key,
            base_url=base_url or "",
            enabled=enabled,
            central_api_key_enabled=central_key,
            allow_user_api_key=user_keys,
            allow_central_api_key_fallback=fallback,
        )
    )
    if output == "json":
        ui.result_json(made)
        return
    ui.result(f"Provider {made.provider} is set up.")
    ui.note(f"Offer a model of it with: coder agents models add {made.provider}/<model>")


@app.command("set")
def set_(
    provider: ProviderName,
    api_key_file: KeyFile = "",
    base_url: BaseUrl = None,
    name: DisplayName = None,
    central_key: Central = None,
    user_keys: Users = None,
    fallback: Fallback = None,
    enabled: Enabled = None,
    output: Output = "table",
) -> None:
    """Change a provider; what is not given stays."""
    check_output(output, "table", "json")
    key = _read_key(api_key_file)
    client = config.connect()
    found = find_provider(client, provider)
    from coder_cli.sdk.chats.models import UpdateChatProviderConfigRequest

    request = UpdateChatProviderConfigRequest(
        display_name=name,
        api_key=key or None,
        base_url=base_url,
        enabled=enabled,
        central_api_key_enabled=central_key,
        allow_user_api_key=user_keys,
        allow_central_api_key_fallback=fallback,
    )
    if not request.model_dump(exclude_none=True):
        words = "Say what to change; see: coder agents providers set --help"
        raise Refused(words, exit_code=USAGE)
    changed = client.update_chat_provider(found.id, request)
    if output == "json":
        ui.result_json(changed)
        return
    ui.result(f"Provider {changed.provider} has been changed.")


@app.command()
def remove(provider: ProviderName, yes: Yes = False) -> None:
    """Forget a provider and its key."""
    client = config.connect()
    found = find_provider(client, provider)
    asker = ui.Asker(config.current().on("force-tty"))
    asker.confirm(f"Forget provider {found.provider} and its key?", yes=yes)
    client.delete_chat_provider(found.id)
    ui.result(f"Provider {found.provider} has been removed.")


@app.command()
def key(
    provider: ProviderName,
    api_key_file: KeyFile = "",
    forget: Annotated[bool, typer.Option("--forget", help="Use my key no more")] = False,
) -> None:
    """Use a key of your own with a provider, where that is allowed."""
    client = config.connect()
    if forget:
        client.delete_user_chat_provider_key(provider)
        ui.result(f"Your key of {provider} has been forgotten.")
        return
    mine = _read_key(api_key_file)
    if not mine:
        asker = ui.Asker(config.current().on("force-tty"))
        mine = asker.secret(f"Your API key of {provider}:", flag="--api-key-file")
    client.set_user_chat_provider_key(provider, mine)
    ui.result(f"Your agents use your key with {provider} now.")


app.command("ls", hidden=True)(list_)


def _read_key(path: str) -> str:
    """Return the key of a file, of stdin, of the environment, or nothing."""
    if not path:
        return environ().get(KEY, "").strip()
    try:
        if path == "-":
            read = sys.stdin.read(LONGEST_KEY + 1)
        else:
            with Path(path).open(encoding="utf-8") as file:
                read = file.read(LONGEST_KEY + 1)
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no text"
        raise Refused(f"--api-key-file {path}: {why}.", exit_code=USAGE) from error
    found = read.strip()
    if not found or len(read) > LONGEST_KEY:
        why = "there is no key in it" if not found else "a key has at most 10240 bytes"
        raise Refused(f"--api-key-file {path}: {why}.", exit_code=USAGE)
    return found
