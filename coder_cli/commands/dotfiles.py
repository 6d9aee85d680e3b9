"""``coder dotfiles``: clone somebody's dotfiles, and install or link them.

Templates run it at every start of a workspace: a second run brings up to date and changes nothing
else. Source: reference, API and CLI, section 1.7.
"""

import os
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from coder_cli import config, ui
from coder_cli.commands.flags import Yes
from coder_cli.commands.typed import new_app
from coder_cli.config.directory import ConfigDirectory
from coder_cli.kit.environ import environ
from coder_cli.kit.refused import Refused

SCRIPTS = (
    "install.sh",
    "install",
    "bootstrap.sh",
    "bootstrap",
    "setup.sh",
    "setup",
    "script/install.sh",
    "script/install",
    "script/bootstrap.sh",
    "script/bootstrap",
    "script/setup.sh",
    "script/setup",
)
"""What installs dotfiles; the first that is there."""
REMEMBERED = "dotfilesurl"
app = new_app()


@app.command()
def dotfiles(
    repository: Annotated[
        str,
        typer.Argument(
            metavar="<git_repo_url>", help="Where your dotfiles are", show_default=False
        ),
    ],
    branch: Annotated[
        str, typer.Option("--branch", "-b", help="Take this branch instead of the usual one")
    ] = "",
    symlink_dir: Annotated[
        str,
        typer.Option(
            "--symlink-dir",
            envvar="CODER_SYMLINK_DIR",
            show_envvar=True,
            help="Link dotfiles into this directory instead of home",
        ),
    ] = "",
    repo_dir: Annotated[
        str, typer.Option("--repo-dir", help="Clone into this directory, below the configuration's")
    ] = "dotfiles",
    yes: Yes = False,
) -> None:
    """Clone dotfiles, then run their install script, or link them if they have none."""
    if repository.startswith("-"):
        raise Refused(f"{repository!r} is not the URL of a git repository.")
    home = ConfigDirectory(config.current().config_dir)
    place = home.path / repo_dir
    asker = ui.Asker(config.current().on("force-tty"))
    _fetch(repository, branch, place, home.read(REMEMBERED))
    home.write(REMEMBERED, repository)
    script = next((place / name for name in SCRIPTS if (place / name).is_file()), None)
    if script is not None:
        asker.confirm(f"Run {script.relative_to(place)} of {repository}?", yes=yes)
        _install(script)
        return
    files = _dotfiles(place)
    if not files:
        raise Refused(
            f"{repository} has no install script ({', '.join(SCRIPTS[:6])}) and no dotfiles."
        )
    target = Path(symlink_dir or environ().get("HOME") or Path.home()).expanduser()
    asker.confirm(f"There is no install script. Link {len(files)} files into {target}?", yes=yes)
    for name in files:
        _link(place / name, target / name)
    ui.note(f"Your dotfiles are linked into {target}.")


def _fetch(repository: str, branch: str, place: Path, before: str) -> None:
    if (place / ".git").is_dir() and before in ("", repository):
        ui.note(f"Updating {place} ...")
        if branch:
            _git(["-C", str(place), "fetch", "origin", branch], "fetched")
            _git(["-C", str(place), "checkout", branch], "checked out")
        try:
            _git(["-C", str(place), "pull", "--ff-only"], "updated")
        except Refused as trouble:
            # What was cloned before still serves: a git server's bad day is not the workspace's.
            ui.warn(f"{trouble} Going on with what is there.")
        return
    if place.exists():
        kept = _aside(place)
        ui.note(f"{place} has something else; it is kept as {kept.name}.")
    ui.note(f"Cloning {repository} ...")
    place.parent.mkdir(parents=True, exist_ok=True)
    flags = ["--branch", branch] if branch else []
    _git(["clone", *flags, "--", repository, str(place)], "cloned")


def _git(words: list[str], done: str) -> None:
    try:
        ran = subprocess.run(["git", *words], check=False)
    except FileNotFoundError:
        raise Refused("There is no git in this workspace; install it first.") from None
    if ran.returncode:
        raise Refused(f"The repository could not be {done}: git ended with {ran.returncode}.")


def _install(script: Path) -> None:
    if not os.access(script, os.X_OK):
        raise Refused(
            f"{script.name} may not be executed. Say so in the repository:"
            f" git update-index --chmod=+x {script.name}"
        )
    ui.note(f"Running {script.name} ...")
    try:
        ran = subprocess.run([str(script)], cwd=script.parent, check=False)
    except OSError as error:
        raise Refused(f"{script.name} could not be started: {error.strerror}.") from None
    if ran.returncode:
        raise Refused(f"{script.name} ended with {ran.returncode}.")
    ui.note("Your dotfiles are installed.")


def _dotfiles(place: Path) -> list[str]:
    skipped = {".git", ".gitignore", ".gitmodules", ".github"}
    names = [found.name for found in place.iterdir()]
    return sorted(name for name in names if name.startswith(".") and name not in skipped)


def _link(source: Path, target: Path) -> None:
    if target.is_symlink():
        if target.readlink() == source:
            return
        target.unlink()
    elif target.exists():
        kept = _aside(target)
        ui.note(f"{target} is kept as {kept.name}.")
    target.parent.mkdir(parents=True, exist_ok=True)
    target.symlink_to(source)


def _aside(path: Path) -> Path:
    """Rename what is in the way; an older one with that name is not lost either."""
    number = 0
    kept = path.with_name(f"{path.name}.bak")
    while kept.exists() or kept.is_symlink():
        number += 1
        kept = path.with_name(f"{path.name}.bak{number}")
    with suppress(FileNotFoundError):
        path.rename(kept)
    return kept
