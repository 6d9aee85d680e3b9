"""``coder config-ssh``: let plain ``ssh``, ``scp``, ``git`` and editors reach workspaces."""

import difflib
import os
import shutil
import sys
from pathlib import Path
from typing import Annotated

import typer

from coder_cli import config, ui
from coder_cli.commands.connections.sshconfig import (
    Block,
    Broken,
    deployment_options,
    host_part,
    parse_options,
    previous_options,
    with_block,
)
from coder_cli.commands.typed import new_app
from coder_cli.kit.refused import Refused
from coder_cli.sdk.direct import Direct

app = new_app()


@app.command()
def config_ssh(
    *,
    ssh_config_file: Annotated[
        Path, typer.Option(envvar="CODER_SSH_CONFIG_FILE", help="The file to change.")
    ] = Path("~/.ssh/config"),
    coder_binary_path: Annotated[
        str, typer.Option(envvar="CODER_SSH_CONFIG_BINARY_PATH", help="The coder for ssh to run.")
    ] = "",
    ssh_option: Annotated[
        list[str] | None,
        typer.Option("--ssh-option", "-o", envvar="CODER_SSH_CONFIG_OPTS", help="Key=value lines."),
    ] = None,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", "-n", envvar="CODER_SSH_DRY_RUN", help="Only show the diff."),
    ] = False,
    use_previous_options: Annotated[
        bool,
        typer.Option(
            envvar="CODER_SSH_USE_PREVIOUS_OPTIONS", help="Keep the options of last time."
        ),
    ] = False,
    ssh_host_prefix: Annotated[
        str | None, typer.Option(envvar="CODER_CONFIGSSH_SSH_HOST_PREFIX", help="Before the name.")
    ] = None,
    hostname_suffix: Annotated[
        str | None, typer.Option(envvar="CODER_CONFIGSSH_HOSTNAME_SUFFIX", help="After the name.")
    ] = None,
    wait: Annotated[
        str, typer.Option(envvar="CODER_CONFIGSSH_WAIT", help="yes, no or auto, as of coder ssh.")
    ] = "auto",
    disable_autostart: Annotated[
        bool,
        typer.Option(
            envvar="CODER_CONFIGSSH_DISABLE_AUTOSTART", help="Refuse to start a stopped workspace."
        ),
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Write one marked block into the SSH configuration: ssh coder.<name> and ssh <name>.coder.

    Everything outside the block stays as it is. Run it again whenever you like.
    """
    url, token = config.session().require()
    deployment = Direct(url, token).get("/deployment/ssh")
    file = ssh_config_file.expanduser()
    before = _read(file)
    given = parse_options(ssh_option or [])
    try:
        options = previous_options(before) if use_previous_options and not given else given
        block = Block(
            binary=coder_binary_path or _own_path(),
            config_dir=str(config.current().config_dir),
            prefix=host_part(
                deployment["hostname_prefix"] if ssh_host_prefix is None else ssh_host_prefix
            ),
            suffix=host_part(
                deployment["hostname_suffix"] if hostname_suffix is None else hostname_suffix
            ),
            options={
                **deployment_options(deployment.get("ssh_config_options") or {}),
                **options,
            },
            chosen=options,
            wait=wait,
            disable_autostart=disable_autostart,
        )
        after = with_block(before, block.text())
    except Broken as error:
        raise Refused(f"{file}: {error}") from error
    _apply(file, before, after, dry_run=dry_run, yes=yes)
    if dry_run and before != after:
        ui.note("Nothing was written. Write it with: coder config-ssh")
        return
    ui.note(
        f"Try it: ssh {block.prefix or ''}<workspace>{'' if block.prefix else '.' + block.suffix}"
    )


def _apply(file: Path, before: str, after: str, *, dry_run: bool, yes: bool) -> None:
    if before == after:
        ui.note(f"{file} is already up to date.")
        return
    diff = "".join(
        difflib.unified_diff(
            before.splitlines(keepends=True), after.splitlines(keepends=True), str(file), str(file)
        )
    )
    if dry_run:
        ui.result(diff)
        return
    if not yes and sys.stdin.isatty():
        ui.note(diff)
        if not typer.confirm(f"Write this to {file}?", default=True, err=True):
            raise Refused("Nothing was written.")
    _write(file, after)
    ui.note(f"Updated {file}.")


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        raise Refused(f"Cannot read {file}: {error}.") from error


def _write(file: Path, text: str) -> None:
    """Replace the file at once, keeping its mode, and a link in its place."""
    target = file.resolve()
    try:
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        mode = target.stat().st_mode & 0o777 if target.exists() else 0o600
        draft = target.with_name(f".{target.name}.coder-{os.getpid()}")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w") as out:
            out.write(text)
        draft.chmod(mode)
        draft.replace(target)
    except OSError as error:
        raise Refused(f"Cannot write {file}: {error.strerror or error}.") from error


def _own_path() -> str:
    program = Path(sys.argv[0])
    if program.name == "coder" and program.exists():
        return str(program.resolve())
    found = shutil.which("coder")
    if found is None:
        raise Refused("Cannot tell where coder is; name it with --coder-binary-path.")
    return found
