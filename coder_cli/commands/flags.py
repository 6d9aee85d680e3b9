"""Flags that many commands share, said once."""

from typing import Annotated, Any

import typer
from typer.models import OptionInfo

from coder_cli.ui.tables import Listing

Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask; agree.")]
Output = Annotated[str, typer.Option("--output", "-o", help="table or json", metavar="<form>")]
Org = Annotated[
    str,
    typer.Option(
        "--org", "-O", envvar="CODER_ORGANIZATION", help="Organization", metavar="<name|id>"
    ),
]
WorkspaceName = Annotated[
    str, typer.Argument(metavar="<workspace>", help="A name, or owner/name.", show_default=False)
]
UserName = Annotated[
    str, typer.Argument(metavar="<user>", help="A username or an id.", show_default=False)
]
TemplateName = Annotated[
    str, typer.Argument(metavar="<template>", help="A template's name.", show_default=False)
]


def columns_of(listing: Listing[Any]) -> OptionInfo:
    """Return the option that chooses columns of ``listing``."""
    return typer.Option(
        "--column",
        "-c",
        help=f"Columns, by comma: {listing.names()}",
        metavar="<names>",
        show_default=",".join(listing.default),
    )
