"""The flags about parameters, which every command that starts a workspace has."""

import inspect
from collections.abc import Callable
from typing import Annotated, Any

import typer

from coder_cli.commands.parameters import Wanted, wanted

_FLAGS: dict[str, Any] = {
    "parameter": Annotated[
        list[str],
        typer.Option(
            "--parameter",
            help="Value of a parameter; may be repeated [env var: CODER_RICH_PARAMETER]",
            metavar="<name=value>",
            show_default=False,
        ),
    ],
    "parameter_default": Annotated[
        list[str],
        typer.Option(
            "--parameter-default",
            help="Value offered where nothing else is known"
            " [env var: CODER_RICH_PARAMETER_DEFAULT]",
            metavar="<name=value>",
            show_default=False,
        ),
    ],
    "ephemeral_parameter": Annotated[
        list[str],
        typer.Option(
            "--ephemeral-parameter",
            help="Value for this one build [env var: CODER_EPHEMERAL_PARAMETER]",
            metavar="<name=value>",
            show_default=False,
        ),
    ],
    "rich_parameter_file": Annotated[
        str,
        typer.Option(
            "--rich-parameter-file",
            envvar="CODER_RICH_PARAMETER_FILE",
            help="YAML file of parameter values",
            metavar="<file>",
            show_default=False,
        ),
    ],
    "always_prompt": Annotated[
        bool, typer.Option("--always-prompt", help="Ask for every parameter, known or not")
    ],
    "prompt_ephemeral_parameters": Annotated[
        bool,
        typer.Option(
            "--prompt-ephemeral-parameters",
            envvar="CODER_PROMPT_EPHEMERAL_PARAMETERS",
            help="Ask for values of this one build, too",
        ),
    ],
    "use_parameter_defaults": Annotated[
        bool,
        typer.Option(
            "--use-parameter-defaults",
            envvar="CODER_WORKSPACE_USE_PARAMETER_DEFAULTS",
            help="Ask for no parameter that has a default",
        ),
    ],
    # What the two about ephemeral parameters were called once.
    "build_option": Annotated[
        list[str], typer.Option("--build-option", hidden=True, metavar="<name=value>")
    ],
    "build_options": Annotated[bool, typer.Option("--build-options", hidden=True)],
}


def takes_parameters(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command every flag about parameters; it gets what they say as ``wants``."""
    signature = inspect.signature(command)
    own = [one for one in signature.parameters.values() if one.name != "wants"]
    flags = [
        inspect.Parameter(
            name, inspect.Parameter.KEYWORD_ONLY, default=_default(kind), annotation=kind
        )
        for name, kind in _FLAGS.items()
    ]

    def run(**said: Any) -> None:
        about = {name: said.pop(name) for name in _FLAGS}
        command(**said, wants=_wants(about))

    run.__doc__ = command.__doc__
    run.__name__ = command.__name__
    run.__annotations__ = {one.name: one.annotation for one in (*own, *flags)}
    run.__signature__ = signature.replace(parameters=[*own, *flags])
    return run


def _default(kind: Any) -> object:
    match kind.__origin__:
        case flag if flag is bool:
            return False
        case text if text is str:
            return ""
        case _:
            return []


def _wants(said: dict[str, Any]) -> Wanted:
    return wanted(
        said["parameter"],
        said["parameter_default"],
        [*said["build_option"], *said["ephemeral_parameter"]],
        said["rich_parameter_file"],
        always_prompt=said["always_prompt"],
        prompt_ephemeral=said["prompt_ephemeral_parameters"] or said["build_options"],
        use_defaults=said["use_parameter_defaults"],
    )
