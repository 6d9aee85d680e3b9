"""``coder agent``: flags and environment to settings, and a process around the daemon."""

import argparse
import asyncio
import os
import signal
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from hashlib import sha256
from pathlib import Path
from typing import Final, NoReturn, assert_never
from urllib.parse import urlsplit

from typing_extensions import override

from agent.daemon import Agent, Devcontainers, Settings
from agent.kit import logs, reaper
from agent.kit.paths import executable, home
from coder_cli.kit.clock import SystemClock
from coder_cli.kit.durations import parse_duration
from coder_cli.kit.environ import environ
from coder_cli.kit.refused import Refused
from coder_cli.sdk import agentsocket
from coder_cli.sdk.agentidentity import Auth, Credentials, provider

SUBSYSTEMS: Final = frozenset({"envbox", "envbuilder", "exectrace"})
_TRUE: Final = frozenset({"1", "t", "true", "yes", "on"})
_FALSE: Final = frozenset({"0", "f", "false", "no", "off"})
_STOP_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class Kind(Enum):
    """What follows a flag."""

    TEXT = auto()
    LIST = auto()
    SWITCH = auto()
    BOOLEAN = auto()
    """A switch that may be on already: ``--flag=false`` turns it off."""


@dataclass(frozen=True, slots=True)
class Flag:
    """One flag, and the variable that stands in for it."""

    name: str
    variable: str
    help: str
    metavar: str | None = None
    default: str = ""
    kind: Kind = Kind.TEXT
    choices: tuple[str, ...] | None = None


FLAGS: Final = (
    Flag(
        "auth",
        "CODER_AGENT_AUTH",
        "How the agent proves who it is",
        default="token",
        choices=tuple(Auth),
    ),
    Flag("agent-token", "CODER_AGENT_TOKEN", "The agent's session token", "TOKEN"),
    Flag(
        "agent-token-file",
        "CODER_AGENT_TOKEN_FILE",
        "A file with the token, read when --agent-token is empty",
        "PATH",
    ),
    Flag("agent-url", "CODER_AGENT_URL", "The URL of the deployment", "URL"),
    Flag(
        "agent-header",
        "CODER_AGENT_HEADER",
        "A header for every request; may be repeated",
        "NAME=VALUE",
        kind=Kind.LIST,
    ),
    Flag(
        "agent-header-command",
        "CODER_AGENT_HEADER_COMMAND",
        "A command that prints more headers, one NAME=VALUE a line",
        "COMMAND",
    ),
    Flag(
        "log-dir",
        "CODER_AGENT_LOG_DIR",
        "Where logs are kept",
        "DIR",
    ),
    Flag(
        "script-data-dir",
        "CODER_AGENT_SCRIPT_DATA_DIR",
        "Where scripts keep their data",
        "DIR",
    ),
    Flag(
        "socket-server-enabled",
        "CODER_AGENT_SOCKET_SERVER_ENABLED",
        "Listen on a Unix socket for the workspace's own processes (true)",
        "BOOL",
        default="true",
        kind=Kind.BOOLEAN,
    ),
    Flag(
        "socket-path",
        agentsocket.VARIABLE,
        "Where that socket is ($XDG_RUNTIME_DIR/coder-agent.sock, else /tmp/coder-agent.sock)",
        "PATH",
    ),
    Flag(
        "devcontainers-enable",
        "CODER_AGENT_DEVCONTAINERS_ENABLE",
        "Look after dev containers (true)",
        "BOOL",
        default="true",
        kind=Kind.BOOLEAN,
    ),
    Flag(
        "devcontainers-project-discovery-enable",
        "CODER_AGENT_DEVCONTAINERS_PROJECT_DISCOVERY_ENABLE",
        "Look for dev containers in git repositories of the agent's directory (true)",
        "BOOL",
        default="true",
        kind=Kind.BOOLEAN,
    ),
    Flag(
        "devcontainers-discovery-autostart-enable",
        "CODER_AGENT_DEVCONTAINERS_DISCOVERY_AUTOSTART_ENABLE",
        "Start those that are found and want it (false)",
        "BOOL",
        default="false",
        kind=Kind.BOOLEAN,
    ),
    Flag(
        "boundary-log-proxy-socket-path",
        "CODER_AGENT_BOUNDARY_LOG_PROXY_SOCKET_PATH",
        "Where boundaries tell what they let through (boundary-audit.sock in the directory for"
        " temporary files)",
        "PATH",
    ),
    Flag(
        "ssh-max-timeout",
        "CODER_AGENT_SSH_MAX_TIMEOUT",
        "Drop SSH clients that are silent for so long",
        "DURATION",
        default="72h",
    ),
    Flag(
        "no-reap",
        "CODER_AGENT_NO_REAP",
        "As process 1, do not reap the orphans of others",
        kind=Kind.SWITCH,
    ),
    Flag(
        "block-file-transfer",
        "CODER_AGENT_BLOCK_FILE_TRANSFER",
        "Refuse scp, sftp, rsync and nc over SSH",
        kind=Kind.SWITCH,
    ),
    Flag(
        "log-human",
        "CODER_AGENT_LOGGING_HUMAN",
        "Where the log for people goes",
        "PATH",
        default="/dev/stderr",
    ),
    Flag("log-json", "CODER_AGENT_LOGGING_JSON", "Where the log as JSON goes", "PATH"),
)


def main(argv: list[str]) -> int:
    """Run the agent until it is told to stop; return the exit code.

    Raises:
        Refused: a flag or variable is missing or wrong; the message is a sentence.
    """
    options = _parse(argv, environ())
    if reaper.is_init() and not options.no_reap:
        return reaper.run_as_init([executable(), "agent", *argv, "--no-reap"])
    settings = _settings(options, environ())
    logs.set_up(settings.log_dir, human=options.log_human, json_lines=options.log_json)
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(_run(settings))
    return 0


async def _run(settings: Settings) -> None:
    clock = SystemClock()
    adopted = reaper.adopt_orphans()
    stopping = _Stop()
    loop = asyncio.get_running_loop()
    for number in _STOP_SIGNALS:
        loop.add_signal_handler(number, stopping)
    while not stopping.asked:
        agent = stopping.agent = Agent(settings, clock)
        if adopted:
            reaper.watch(agent.children)
        await agent.run()
        if not agent.claimed:
            break
    if adopted:
        await reaper.end_descendants(clock)


class _Stop:
    """The first signal ends the agent in good order, the second at once."""

    def __init__(self) -> None:
        self.agent: Agent | None = None
        self.asked = False

    def __call__(self) -> None:
        if self.asked:
            reaper.kill_descendants()
            raise SystemExit(1)
        self.asked = True
        if self.agent:
            self.agent.stop()


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:  # Not on every platform; asyncio's own loop does as well, only slower.
        return None
    return uvloop.new_event_loop


class _Parser(argparse.ArgumentParser):
    @override
    def error(self, message: str) -> NoReturn:
        raise Refused(f"{message[:1].upper()}{message[1:]}.")


def _parse(argv: Sequence[str], env: Mapping[str, str]) -> argparse.Namespace:
    parser = _Parser(
        prog="coder agent",
        description="Run the workspace agent: connect this machine to its workspace.",
        usage="coder [global flags] agent [flags]",
        allow_abbrev=False,
        epilog="Global flags stand before the command; coder --help lists them.",
    )
    for flag in FLAGS:
        text = f"{flag.help} [${flag.variable}]"
        given = env.get(flag.variable, "")
        match flag.kind:
            case Kind.TEXT:
                parser.add_argument(
                    f"--{flag.name}",
                    default=given or flag.default,
                    metavar=flag.metavar,
                    choices=flag.choices,
                    help=text,
                )
            case Kind.LIST:
                parser.add_argument(
                    f"--{flag.name}",
                    action="append",
                    default=_list(given),
                    metavar=flag.metavar,
                    help=text,
                )
            case Kind.SWITCH:
                on = given.lower() in _TRUE
                parser.add_argument(f"--{flag.name}", action="store_true", default=on, help=text)
            case Kind.BOOLEAN:
                parser.add_argument(
                    f"--{flag.name}",
                    nargs="?",
                    const="true",
                    default=given or flag.default,
                    metavar=flag.metavar,
                    help=text,
                )
            case _:
                assert_never(flag.kind)
    return parser.parse_args(argv)


def _settings(options: argparse.Namespace, env: Mapping[str, str]) -> Settings:
    headers = _headers([*options.agent_header, *_printed(options.agent_header_command)])
    tokens = provider(
        Credentials(
            options.auth,
            options.agent_token,
            options.agent_token_file,
            options.agent_url,
            headers,
        )
    )
    url = urlsplit(str(options.agent_url))
    if url.scheme not in ("http", "https") or not url.hostname:
        raise Refused(f"{options.agent_url!r} is not the URL of a deployment.")
    try:
        longest = parse_duration(options.ssh_max_timeout).total_seconds()
    except ValueError as error:
        raise Refused(f"--ssh-max-timeout: {error}") from None
    temp = tempfile.gettempdir()
    return Settings(
        url=options.agent_url,
        tokens=tokens,
        # What was said by a flag must reach the processes that act as this agent, too.
        env={
            **env,
            "CODER_AGENT_URL": options.agent_url,
            "CODER_AGENT_HEADER": ",".join(options.agent_header),
        },
        executable=executable(),
        log_dir=Path(options.log_dir or temp),
        script_data_dir=Path(options.script_data_dir or temp),
        headers=headers,
        ssh_max_timeout=longest,
        block_file_transfer=options.block_file_transfer,
        socket_paths=_socket_paths(options, env),
        devcontainers=Devcontainers(
            _truth("devcontainers-enable", options.devcontainers_enable),
            _truth(
                "devcontainers-project-discovery-enable",
                options.devcontainers_project_discovery_enable,
            ),
            _truth(
                "devcontainers-discovery-autostart-enable",
                options.devcontainers_discovery_autostart_enable,
            ),
        ),
        boundary_paths=_places(
            options.boundary_log_proxy_socket_path or f"{temp}/boundary-audit.sock", options, env
        ),
        subsystems=_subsystems(env.get("CODER_AGENT_SUBSYSTEM", "")),
    )


def _socket_paths(options: argparse.Namespace, env: Mapping[str, str]) -> tuple[str, ...]:
    if not _truth("socket-server-enabled", options.socket_server_enabled):
        return ()
    return _places(str(options.socket_path or agentsocket.socket_path(env)), options, env)


def _truth(flag: str, given: object) -> bool:
    word = str(given).lower()
    if word not in _TRUE | _FALSE:
        raise Refused(f"--{flag} {word!r} is neither true nor false.")
    return word in _TRUE


def _places(path: str, options: argparse.Namespace, env: Mapping[str, str]) -> tuple[str, ...]:
    # That may be too long for a socket, or be another agent's. One name for one agent, so that
    # what a killed one leaves is found and replaced by the next.
    whose = "\0".join((path, str(options.script_data_dir), str(options.log_dir), home(env)))
    name = f"{sha256(os.fsencode(whose)).hexdigest()[:16]}.sock"
    return (
        path,
        f"{tempfile.gettempdir()}/coder-agent-{os.getuid()}/{name}",
        f"{home(env)}/.cache/coder-agent/{name}",
    )


def _headers(pairs: Sequence[str]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not name or not equals:
            raise Refused(f"--agent-header {pair!r} is not NAME=VALUE.")
        headers[name.strip()] = value.strip()
    return headers


def _printed(command: str) -> list[str]:
    if not command:
        return []
    try:
        ran = subprocess.run(["/bin/sh", "-c", command], check=True, capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise Refused(f"--agent-header-command failed: {error}") from None
    return [line for line in ran.stdout.splitlines() if line.strip()]


def _subsystems(text: str) -> tuple[str, ...]:
    names = tuple(_list(text))
    for name in names:
        if name not in SUBSYSTEMS:
            raise Refused(f"CODER_AGENT_SUBSYSTEM names {name!r}, which is not a subsystem.")
    return names


def _list(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]
