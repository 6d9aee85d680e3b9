"""``coder completion``: a script that lets a shell complete commands.

The words come from the table and the apps when the script is written, so that completing costs the
shell nothing. Workspace names are asked for where a command wants one.
"""

from importlib import import_module
from pathlib import Path, PurePath
from typing import Annotated

import typer

from coder_cli import ui
from coder_cli.commands.table import COMMANDS
from coder_cli.commands.typed import new_app, subcommand_names
from coder_cli.kit.environ import environ
from coder_cli.kit.refused import Refused

app = new_app()

WANT_WORKSPACE = (
    "show start stop restart update delete rename favorite unfavorite logs ssh port-forward ping"
)

LIST = "coder list -c workspace 2>/dev/null | tail -n +2"

_BASH = """\
_coder() {{
  local words="${{COMP_WORDS[*]:1:COMP_CWORD-1}}" current="${{COMP_WORDS[COMP_CWORD]}}"
  case "$words" in
{cases}
    {wanting})
      COMPREPLY=($(compgen -W "$({list})" -- "$current")) ;;
  esac
}}
complete -o default -F _coder coder
"""
_ZSH = "#compdef coder\nautoload -U +X bashcompinit && bashcompinit\n"


@app.command()
def completion(
    shell: Annotated[
        str,
        typer.Option(
            "--shell", "-s", help="bash, zsh or fish; yours if not given", metavar="<name>"
        ),
    ] = "",
    print_: Annotated[
        bool, typer.Option("--print", "-p", help="Print the script; do not install it")
    ] = False,
) -> None:
    """Install completion of commands for your shell."""
    chosen = shell or PurePath(environ().get("SHELL", "")).name
    if chosen not in {"bash", "zsh", "fish"}:
        raise Refused("Which shell? Pass --shell bash, zsh or fish.")
    script = {"bash": bash, "zsh": lambda: _ZSH + bash(), "fish": fish}[chosen]()
    if print_:
        ui.result(script.rstrip("\n"))
        return
    target = _place(chosen)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(script, encoding="utf-8")
    except OSError as error:
        raise Refused(f"Cannot write {target}: {error.strerror}.") from error
    ui.result(f"Wrote the completion for {chosen} to {target}.")
    if chosen == "zsh":
        ui.note(f"Add this to ~/.zshrc, before compinit:\n\n  fpath=({target.parent} $fpath)\n")
    else:
        ui.note("Open a new terminal to use it.")


def words() -> dict[tuple[str, ...], list[str]]:
    """Return what may follow each path of commands."""
    following: dict[tuple[str, ...], list[str]] = {(): []}
    for name, entry in COMMANDS.items():
        if entry.hidden:
            continue
        following[()].append(name)
        if entry.boot:
            continue
        for path in subcommand_names(import_module(entry.module).app):
            if path:
                following.setdefault((name, *path[:-1]), []).append(path[-1])
    return following


def bash() -> str:
    """Return the script for bash."""
    cases = "\n".join(
        f'    "{" ".join(path)}") COMPREPLY=($(compgen -W "{" ".join(next_)}" -- "$current")) ;;'
        for path, next_ in words().items()
    )
    wanting = "|".join(WANT_WORKSPACE.split())
    return _BASH.format(cases=cases, wanting=wanting, list=LIST)


def fish() -> str:
    """Return the script for fish."""
    lines = ["complete -c coder -f"]
    for path, next_ in words().items():
        if path:
            condition = "; and ".join(f"__fish_seen_subcommand_from {word}" for word in path)
        else:
            condition = "__fish_use_subcommand"
        lines.append(f"complete -c coder -n '{condition}' -a '{' '.join(next_)}'")
    lines.append(
        f"complete -c coder -n '__fish_seen_subcommand_from {WANT_WORKSPACE}' -a '({LIST})'"
    )
    return "\n".join(lines) + "\n"


def _place(shell: str) -> Path:
    home = Path.home()
    match shell:
        case "bash":
            return home / ".local/share/bash-completion/completions/coder"
        case "zsh":
            return home / ".zsh/completions/_coder"
        case _:
            return home / ".config/fish/completions/coder.fish"
