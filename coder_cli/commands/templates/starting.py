"""``coder templates init``: a directory with a starter template to change and push."""

from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from coder_cli import config, ui
from coder_cli.kit.refused import Refused

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable


class Starter(NamedTuple):
    """A template that this program carries."""

    id: str
    name: str
    description: str
    directory: "Traversable"


def init(
    directory: Annotated[
        str,
        typer.Argument(
            metavar="[directory]", help="Where to write; ./<id> if not given.", show_default=False
        ),
    ] = "",
    id_: Annotated[
        str, typer.Option("--id", help="Which starter: asked for if not given", metavar="<id>")
    ] = "",
) -> None:
    """Write a starter template into a new directory."""
    known = {starter.id: starter for starter in starters()}
    if not id_:
        asker = ui.Asker(config.current().on("force-tty"))
        options = [(one.id, f"{one.id}: {one.description or one.name}") for one in known.values()]
        id_ = asker.select(
            "Which template do you want to start from?", options, flag=f"--id <{'|'.join(known)}>"
        )
    if id_ not in known:
        raise Refused(f"There is no starter {id_!r}. There are: {', '.join(known)}.")
    target = Path(directory or id_)
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise Refused(f"{target} exists already and is not an empty directory.")
    try:
        _copy(known[id_].directory, target)
    except OSError as error:
        raise Refused(f"Cannot write to {error.filename or target}: {error.strerror}.") from error
    ui.result(f"Wrote the {known[id_].name} template to {target}.")
    ui.note(f"Look at it, change it, then push it:\n\n  cd {target}\n  coder templates push\n")


def starters() -> list[Starter]:
    """Return the starters that come with this program, by id."""
    # The server's data, not its code: nothing of `server` but its empty __init__ is imported.
    place = files("server") / "templates" / "starters"
    if not place.is_dir():
        return []
    found = [one for one in place.iterdir() if one.is_dir() and (one / "main.tf").is_file()]
    return [_read(one) for one in sorted(found, key=lambda one: one.name)]


def _read(directory: "Traversable") -> Starter:
    facts: dict[str, str] = {}
    readme = directory / "README.md"
    if readme.is_file():
        opening, _, rest = readme.read_text(encoding="utf-8").partition("---\n")
        if not opening.strip():
            for line in rest.partition("\n---")[0].splitlines():
                key, colon, value = line.partition(":")
                if colon:
                    facts[key.strip()] = value.strip().strip("\"'")
    name = facts.get("display_name") or directory.name
    return Starter(directory.name, name, facts.get("description", ""), directory)


def _copy(source: "Traversable", target: Path) -> None:
    target.mkdir(parents=True, exist_ok=True)
    for one in source.iterdir():
        if one.is_dir():
            _copy(one, target / one.name)
        elif not one.name.endswith((".py", ".pyc")):
            (target / one.name).write_bytes(one.read_bytes())
