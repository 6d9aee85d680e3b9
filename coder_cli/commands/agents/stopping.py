"""``coder agents stop``: the kill switch."""

from typing import Annotated

import typer


def stop(
    chat: Annotated[
        str, typer.Argument(metavar="[chat]", help="This chat only.", show_default=False)
    ] = "",
) -> None:
    """Stop."""
