"""``coder ssh``: a shell in a workspace, a command with its exact status, or a pipe for OpenSSH."""

import argparse
import os
from contextlib import suppress

from coder_cli import config, ui
from coder_cli.commands.boot import BootParser
from coder_cli.commands.connections.observing import Places, observed
from coder_cli.commands.connections.target import parse_host
from coder_cli.commands.connections.waiting import Waiter, Wish
from coder_cli.kit.durations import parse_duration
from coder_cli.kit.environ import environ
from coder_cli.kit.refused import Refused
from coder_cli.sdk.direct import Direct, Json
from coder_cli.sdk.errors import SdkError
from coder_cli.sdk.stream import Stream, open_stream

SSH_PORT = 22


def main(argv: list[str]) -> int:
    """Open the session; return the remote exit status, 255 when the connection was lost."""
    options = parse(argv)
    name = parse_host(options.workspace, options.ssh_host_prefix, options.hostname_suffix)
    url, token = config.session().require()
    from coder_cli.config.access import extra_headers

    api = Direct(url, token, extra_headers(config.current()))
    wish = Wish(autostart=not options.disable_autostart, wait=_wait(options))
    waiter = Waiter(api, name, wish)
    agent = waiter.agent()
    if options.usage_app:
        _tell_use(api, waiter.workspace_id, agent["id"], options.usage_app)
    stream = open_stream(api, agent["id"], SSH_PORT)
    with observed(stream, _places(options)):
        return _pipe(stream) if options.stdio else _session(api, stream, agent, options)


def _tell_use(api: Direct, workspace_id: str, agent_id: str, app: str) -> None:
    """Let the deployment know which editor comes; the session itself counts as use anyway."""
    with suppress(SdkError):
        api.post(f"/workspaces/{workspace_id}/usage", {"agent_id": agent_id, "app_name": app})


def _places(options: argparse.Namespace) -> Places:
    try:
        interval = parse_duration(options.network_info_interval).total_seconds()
    except ValueError as wrong:
        raise Refused(f"--network-info-interval: {wrong}") from None
    return Places(options.log_dir, options.network_info_dir, interval)


def _pipe(stream: Stream) -> int:
    """Be the ProxyCommand of somebody's ssh: bytes in, bytes out, nothing else on stdout."""
    try:
        stream.pump(0, 1, close_writer=lambda: os.close(1))
    finally:
        stream.close()
    return 0


def _session(api: Direct, stream: Stream, agent: Json, options: argparse.Namespace) -> int:
    from coder_cli.commands.connections.remote import parse_remote
    from coder_cli.commands.connections.shell import Session, run_session
    from coder_cli.sdk.stream import StreamEnded

    connection: Json = api.get(f"/workspaceagents/{agent['id']}/connection")
    api.close()
    session = Session(
        command=_command(options.command),
        env=_env(options.env),
        forward_agent=options.forward_agent,
        identity_agent=options.identity_agent,
        remote_forwards=[parse_remote(spec) for spec in options.remote_forward],
        host_key=str(connection.get("host_key") or ""),
    )
    try:
        return run_session(stream, session)
    except StreamEnded as error:
        ui.note(f"\r{error}")
        return 255


def _command(words: list[str]) -> str:
    """Return what the remote shell reads: one word as it is, several like ssh joins them."""
    return words[0] if len(words) == 1 else " ".join(words)


def _env(pairs: list[str]) -> dict[str, str]:
    env: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not name or not equals:
            raise Refused(f"--env {pair!r} is not NAME=value.")
        env[name] = value
    return env


def _wait(options: argparse.Namespace) -> str:
    wait = str(options.wait)
    if options.no_wait:
        return "no"
    if wait not in ("yes", "no", "auto"):
        raise Refused(f"--wait {wait!r} is not one of yes, no, auto.")
    return wait


def parse(argv: list[str]) -> argparse.Namespace:
    """Return what the words of the command line say.

    Raises:
        Refused: they say nothing.
    """
    parser, words = _parser(), _before_command(argv)
    options = parser.parse_args(words)
    first = next(iter(options.command), "")
    if first == "--":
        options.command = options.command[1:]
    elif first.startswith("-"):
        # No command begins so: these are flags of ours, behind the workspace.
        workspace, at = options.workspace, len(words) - len(options.command) - 1
        options = parser.parse_args([*words[:at], *words[at + 1 :], workspace])
        options.command = [options.workspace, *options.command][:-1]
        options.workspace = workspace
    return options


def _parser() -> BootParser:
    env = environ()
    parser = BootParser(
        "ssh",
        "Open a shell in a workspace, or run a command in it.",
        usage="coder [global flags] ssh [flags] <workspace>[.<agent>] [command ...]",
    )
    add = parser.add_argument
    add("workspace", help="<workspace>, <owner>/<workspace>, with .<agent> when it has several")
    add("command", nargs=argparse.REMAINDER, help="What to run instead of a shell")
    add("--stdio", action="store_true", default=_on("CODER_SSH_STDIO"), help="Be a ProxyCommand: SSH on stdin and stdout [$CODER_SSH_STDIO]")  # fmt: skip  # noqa: E501
    add("--wait", default=env.get("CODER_SSH_WAIT", "auto"), metavar="yes|no|auto", help="Wait for start-up scripts; auto: when one of them blocks log-ins [$CODER_SSH_WAIT]")  # fmt: skip  # noqa: E501
    add("--no-wait", action="store_true", default=_on("CODER_SSH_NO_WAIT"), help="The same as --wait=no [$CODER_SSH_NO_WAIT]")  # fmt: skip  # noqa: E501
    add("-e", "--env", action="append", default=_list("CODER_SSH_ENV"), metavar="NAME=value", help="Set a variable of the session; may be repeated [$CODER_SSH_ENV]")  # fmt: skip  # noqa: E501
    add("-A", "--forward-agent", action="store_true", default=_on("CODER_SSH_FORWARD_AGENT"), help="Forward the SSH agent of $SSH_AUTH_SOCK [$CODER_SSH_FORWARD_AGENT]")  # fmt: skip  # noqa: E501
    add("-R", "--remote-forward", action="append", default=_list("CODER_SSH_REMOTE_FORWARD"), metavar="PORT:ADDRESS:PORT", help="Forward a port of the workspace to a local address [$CODER_SSH_REMOTE_FORWARD]")  # fmt: skip  # noqa: E501
    add("--identity-agent", default=env.get("CODER_SSH_IDENTITY_AGENT", ""), metavar="SOCKET", help="The SSH agent to forward, in place of $SSH_AUTH_SOCK [$CODER_SSH_IDENTITY_AGENT]")  # fmt: skip  # noqa: E501
    add("-l", "--log-dir", default=env.get("CODER_SSH_LOG_DIR", ""), metavar="DIR", help="Write what happens to the connection to a file there [$CODER_SSH_LOG_DIR]")  # fmt: skip  # noqa: E501
    add("--network-info-dir", default="", metavar="DIR", help="Write the connection's figures to <parent's pid>.json there; editors read it")  # fmt: skip  # noqa: E501
    add("--network-info-interval", default="5s", metavar="SPAN", help="How often to write them")
    add("--usage-app", default=env.get("CODER_SSH_USAGE_APP", ""), metavar="APP", help="Which editor connects: vscode, jetbrains … [$CODER_SSH_USAGE_APP]")  # fmt: skip  # noqa: E501
    add("--disable-autostart", action="store_true", default=_on("CODER_SSH_DISABLE_AUTOSTART"), help="Refuse to start a stopped workspace [$CODER_SSH_DISABLE_AUTOSTART]")  # fmt: skip  # noqa: E501
    add("--ssh-host-prefix", default=env.get("CODER_SSH_SSH_HOST_PREFIX", ""), metavar="PREFIX", help="Strip this from the workspace; config-ssh writes it [$CODER_SSH_SSH_HOST_PREFIX]")  # fmt: skip  # noqa: E501
    add("--hostname-suffix", default=env.get("CODER_SSH_HOSTNAME_SUFFIX", ""), metavar="SUFFIX", help="Strip this from the workspace; config-ssh writes it [$CODER_SSH_HOSTNAME_SUFFIX]")  # fmt: skip  # noqa: E501
    return parser


def _before_command(argv: list[str]) -> list[str]:
    """Let ``--`` stand before the workspace too, as editors write it."""
    if argv[:1] == ["--"]:
        return argv[1:]
    if "--" in argv:
        at = argv.index("--")
        # `ssh --stdio -- host` has nothing but flags before the dashes.
        if all(word.startswith("-") for word in argv[:at]):
            return argv[:at] + argv[at + 1 :]
    return argv


def _on(name: str) -> bool:
    return environ().get(name, "").lower() in ("1", "t", "true", "yes", "on")


def _list(name: str) -> list[str]:
    return [part for part in environ().get(name, "").split(",") if part]
