"""``coder agent``: flags and environment to settings, and a process around the daemon."""

import argparse
import asyncio
import signal
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NoReturn
from urllib.parse import urlsplit

from typing_extensions import override

from agent.daemon import Agent, Settings
from agent.kit import logs, reaper
from agent.kit.paths import executable
from coder_cli.kit.clock import SystemClock
from coder_cli.kit.durations import parse_duration
from coder_cli.kit.environ import environ
from coder_cli.kit.refused import Refused

NO_TOKEN: Final = "CODER_AGENT_TOKEN or CODER_AGENT_TOKEN_FILE must be set for token auth"  # noqa: S105 — words
NO_URL: Final = "CODER_AGENT_URL must be set"
SUBSYSTEMS: Final = frozenset({"envbox", "envbuilder", "exectrace"})
_TRUE: Final = frozenset({"1", "t", "true", "yes", "on"})
_STOP_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


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
    agent = Agent(settings, clock)
    stopping = _Stop(agent)
    loop = asyncio.get_running_loop()
    for number in _STOP_SIGNALS:
        loop.add_signal_handler(number, stopping)
    adopted = reaper.adopt_orphans()
    if adopted:
        reaper.watch(agent.children)
    await agent.run()
    if adopted:
        await reaper.end_descendants(clock)


class _Stop:
    """The first signal ends the agent in good order, the second at once."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent
        self._asked = False

    def __call__(self) -> None:
        if self._asked:
            reaper.kill_descendants()
            raise SystemExit(1)
        self._asked = True
        self._agent.stop()


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
    temp = env.get("TMPDIR") or tempfile.gettempdir()

    def flag(name: str, variable: str, help_text: str, default: str = "", **more: Any) -> None:
        value = env.get(variable) or default
        shown = f"{help_text} [${variable}]"
        parser.add_argument(f"--{name}", default=value, help=shown, **more)

    def switch(name: str, variable: str, help_text: str) -> None:
        on = env.get(variable, "").lower() in _TRUE
        shown = f"{help_text} [${variable}]"
        parser.add_argument(f"--{name}", action="store_true", default=on, help=shown)

    flag("auth", "CODER_AGENT_AUTH", "How the agent proves who it is", "token", choices=["token"])
    flag("agent-token", "CODER_AGENT_TOKEN", "The agent's session token", metavar="TOKEN")
    flag(
        "agent-token-file",
        "CODER_AGENT_TOKEN_FILE",
        "A file with the token, read when --agent-token is empty",
        metavar="PATH",
    )
    flag("agent-url", "CODER_AGENT_URL", "The URL of the deployment", metavar="URL")
    parser.add_argument(
        "--agent-header",
        action="append",
        default=_list(env.get("CODER_AGENT_HEADER", "")),
        metavar="NAME=VALUE",
        help="A header for every request; may be repeated [$CODER_AGENT_HEADER]",
    )
    flag(
        "agent-header-command",
        "CODER_AGENT_HEADER_COMMAND",
        "A command that prints more headers, one NAME=VALUE a line",
        metavar="COMMAND",
    )
    flag("log-dir", "CODER_AGENT_LOG_DIR", "Where logs are kept", temp, metavar="DIR")
    flag(
        "script-data-dir",
        "CODER_AGENT_SCRIPT_DATA_DIR",
        "Where scripts keep their data",
        temp,
        metavar="DIR",
    )
    flag(
        "ssh-max-timeout",
        "CODER_AGENT_SSH_MAX_TIMEOUT",
        "Drop SSH clients that are silent for so long",
        "72h",
        metavar="DURATION",
    )
    switch("no-reap", "CODER_AGENT_NO_REAP", "As process 1, do not reap the orphans of others")
    switch(
        "block-file-transfer",
        "CODER_AGENT_BLOCK_FILE_TRANSFER",
        "Refuse scp, sftp, rsync and nc over SSH",
    )
    flag(
        "log-human",
        "CODER_AGENT_LOGGING_HUMAN",
        "Where the log for people goes",
        "/dev/stderr",
        metavar="PATH",
    )
    flag("log-json", "CODER_AGENT_LOGGING_JSON", "Where the log as JSON goes", metavar="PATH")
    return parser.parse_args(argv)


def _settings(options: argparse.Namespace, env: Mapping[str, str]) -> Settings:
    token = options.agent_token or _token_of(options.agent_token_file)
    if not token:
        raise Refused(NO_TOKEN)
    if not options.agent_url:
        raise Refused(NO_URL)
    url = urlsplit(str(options.agent_url))
    if url.scheme not in ("http", "https") or not url.hostname:
        raise Refused(f"{options.agent_url!r} is not the URL of a deployment.")
    try:
        longest = parse_duration(options.ssh_max_timeout).total_seconds()
    except ValueError as error:
        raise Refused(f"--ssh-max-timeout: {error}") from None
    return Settings(
        url=options.agent_url,
        token=token,
        env=dict(env),
        executable=executable(),
        log_dir=Path(options.log_dir),
        script_data_dir=Path(options.script_data_dir),
        headers=_headers([*options.agent_header, *_printed(options.agent_header_command)]),
        ssh_max_timeout=longest,
        block_file_transfer=options.block_file_transfer,
        subsystems=_subsystems(env.get("CODER_AGENT_SUBSYSTEM", "")),
    )


def _token_of(path: str) -> str:
    if not path:
        return ""
    try:
        return Path(path).expanduser().read_text().strip()
    except (OSError, ValueError) as error:
        raise Refused(f"The token file {path} cannot be read: {error}") from None


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
