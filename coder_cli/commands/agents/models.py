"""``coder agents models``: what a person can choose from, and what an admin offers."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from coder_cli import config, ui
from coder_cli.commands.agents.finding import USAGE, find_model_config
from coder_cli.commands.flags import Output, Yes, columns_of
from coder_cli.commands.typed import new_app
from coder_cli.kit.refused import Refused
from coder_cli.ui.tables import Column, Listing, check_output

if TYPE_CHECKING:
    from coder_cli.sdk.chats.models import ChatModel, ChatModelConfig, ChatModelProvider
    from coder_cli.sdk.chats.options import ChatModelCallConfig

app = new_app("See the models that agents can use; offer others.", alone=True)

Row = tuple["ChatModelProvider", "ChatModel"]


def _state(row: Row) -> str:
    provider, _ = row
    return "" if provider.available else str(provider.unavailable_reason or "unavailable")


MODELS: "Listing[Row]" = Listing(
    [
        Column("id", lambda row: str(row[1].id)),
        Column("model", lambda row: f"{row[1].provider}/{row[1].model}"),
        Column("name", lambda row: row[1].display_name),
        Column("default", lambda row: "yes" if row[1].is_default else ""),
        Column("context", lambda row: str(row[1].context_limit or "")),
        Column("unavailable", _state),
    ],
    ["model", "name", "default", "unavailable"],
    "No models are offered. An administrator can add one with: coder agents models add",
)
CONFIGS: "Listing[ChatModelConfig]" = Listing(
    [
        Column("id", lambda one: str(one.id)),
        Column("model", lambda one: f"{one.provider}/{one.model}"),
        Column("name", lambda one: one.display_name),
        Column("enabled", lambda one: "yes" if one.enabled else "no"),
        Column("default", lambda one: "yes" if one.is_default else ""),
        Column("context", lambda one: str(one.context_limit)),
        Column("compacts at", lambda one: f"{one.compression_threshold}%"),
    ],
    ["id", "model", "name", "enabled", "default", "context", "compacts at"],
    "No models are offered.",
)
ModelWord = Annotated[
    str,
    typer.Argument(
        metavar="<model>", help="An id, provider/model or a display name.", show_default=False
    ),
]
All = Annotated[
    bool, typer.Option("--all", help="For administrators: every model, with its settings")
]
DisplayName = Annotated[
    str | None, typer.Option("--name", help="What people see", metavar="<name>")
]
Context = Annotated[
    int | None, typer.Option("--context-limit", help="Tokens that fit in", metavar="<tokens>")
]
Threshold = Annotated[
    int | None,
    typer.Option(
        "--compression-threshold",
        help="Percent of the context at which a chat is compacted",
        metavar="<percent>",
    ),
]
ConfigFile = Annotated[
    str,
    typer.Option(
        "--config-file",
        help="JSON with the call's options (temperature, provider_options …)",
        metavar="<path>",
    ),
]
InputPrice = Annotated[
    str, typer.Option("--input-price", help="USD per million tokens read", metavar="<usd>")
]
OutputPrice = Annotated[
    str, typer.Option("--output-price", help="USD per million tokens written", metavar="<usd>")
]
Enabled = Annotated[
    bool | None, typer.Option("--enabled/--disabled", help="Whether people can choose it")
]


@app.callback()
def models(
    context: typer.Context,
    every: All = False,
    columns: Annotated[str, columns_of(MODELS)] = "",
    output: Output = "table",
) -> None:
    """See the models that agents can use; offer others."""
    if context.invoked_subcommand is None:
        list_(every, columns, output)


@app.command("list")
def list_(
    every: All = False, columns: Annotated[str, columns_of(MODELS)] = "", output: Output = "table"
) -> None:
    """List models."""
    client = config.connect()
    if every:
        CONFIGS.show(client.chat_model_configs(), output=output, columns=columns)
        return
    offered = client.chat_models()
    if check_output(output, "table", "json") == "json":
        ui.result_json(offered)
        return
    rows = [(who, model) for who in offered.providers for model in who.models]
    MODELS.show(rows, output=output, columns=columns)
    for who in offered.providers:
        if not who.models and who.available:
            ui.note(f"Provider {who.provider} is set up and has no models yet.")


@app.command()
def add(
    model: Annotated[
        str,
        typer.Argument(
            metavar="<provider/model>", help="As the provider calls it.", show_default=False
        ),
    ],
    context_limit: Context = None,
    name: DisplayName = None,
    compression_threshold: Threshold = None,
    config_file: ConfigFile = "",
    input_price: InputPrice = "",
    output_price: OutputPrice = "",
    default: Annotated[bool, typer.Option("--default", help="Make it the default")] = False,
    enabled: Enabled = None,
    output: Output = "table",
) -> None:
    """Offer a model of a provider that is set up."""
    check_output(output, "table", "json")
    provider, slash, model_name = model.partition("/")
    if not slash or not provider or not model_name:
        raise Refused(f"{model!r}: write provider/model.", exit_code=USAGE)
    if context_limit is None:
        raise Refused("Say how many tokens fit in, with --context-limit.", exit_code=USAGE)
    client = config.connect()
    from coder_cli.sdk.chats.models import CreateChatModelConfigRequest

    made = client.create_chat_model_config(
        CreateChatModelConfigRequest(
            provider=provider,
            model=model_name,
            display_name=name or "",
            context_limit=context_limit,
            compression_threshold=compression_threshold,
            is_default=default or None,
            enabled=enabled,
            options=_options(None, config_file, input_price, output_price),
        )
    )
    _tell(made, output, "is offered")


@app.command("set")
def set_(
    model: ModelWord,
    context_limit: Context = None,
    name: DisplayName = None,
    compression_threshold: Threshold = None,
    config_file: ConfigFile = "",
    input_price: InputPrice = "",
    output_price: OutputPrice = "",
    enabled: Enabled = None,
    output: Output = "table",
) -> None:
    """Change a model; what is not given stays."""
    check_output(output, "table", "json")
    client = config.connect()
    found = find_model_config(client, model)
    from coder_cli.sdk.chats.models import UpdateChatModelConfigRequest

    request = UpdateChatModelConfigRequest(
        display_name=name,
        context_limit=context_limit,
        compression_threshold=compression_threshold,
        enabled=enabled,
        options=_options(found.options, config_file, input_price, output_price),
    )
    if not request.model_dump(exclude_none=True):
        raise Refused("Say what to change; see: coder agents models set --help", exit_code=USAGE)
    _tell(client.update_chat_model_config(found.id, request), output, "has been changed")


@app.command()
def default(model: ModelWord, output: Output = "table") -> None:
    """Make a model the one for those who choose none."""
    check_output(output, "table", "json")
    client = config.connect()
    found = find_model_config(client, model)
    from coder_cli.sdk.chats.models import UpdateChatModelConfigRequest

    request = UpdateChatModelConfigRequest(is_default=True)
    _tell(client.update_chat_model_config(found.id, request), output, "is the default")


@app.command()
def remove(model: ModelWord, yes: Yes = False) -> None:
    """Offer a model no more; chats that used it keep their history."""
    client = config.connect()
    found = find_model_config(client, model)
    asker = ui.Asker(config.current().on("force-tty"))
    asker.confirm(f"Offer {found.provider}/{found.model} no more?", yes=yes)
    client.delete_chat_model_config(found.id)
    ui.result(f"Model {found.provider}/{found.model} has been removed.")


app.command("ls", hidden=True)(list_)


def _options(
    now: "ChatModelCallConfig | None", path: str, input_price: str, output_price: str
) -> "ChatModelCallConfig | None":
    """Return the options to send, or None where nothing of them was said."""
    if not (path or input_price or output_price):
        return None
    from pydantic import ValidationError

    from coder_cli.sdk.chats.options import ChatModelCallConfig

    told: dict[str, object] = now.model_dump(mode="json") if now is not None else {}
    try:
        if path:
            read = ChatModelCallConfig.model_validate_json(Path(path).read_bytes())
            told = read.model_dump(mode="json")
        prices = dict(cast("dict[str, object]", told.get("cost") or {}))
        prices |= {"input_price_per_million_tokens": input_price} if input_price else {}
        prices |= {"output_price_per_million_tokens": output_price} if output_price else {}
        return ChatModelCallConfig.model_validate(told | ({"cost": prices} if prices else {}))
    except OSError as error:
        raise Refused(f"--config-file {path}: {error.strerror}.", exit_code=USAGE) from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(one) for one in first["loc"])
        raise Refused(f"The model's options: {place}: {first['msg']}.", exit_code=USAGE) from error


def _tell(model: "ChatModelConfig", output: str, words: str) -> None:
    if output == "json":
        ui.result_json(model)
        return
    ui.result(f"Model {model.provider}/{model.model} {words}.")
