"""``coder agent`` as a process: its refusals, its signals, its weight."""

import asyncio
import os
import signal
import stat
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest

from tests.agent.control_plane import TOKEN, ControlPlane, manifest_of, script_of
from tests.agent.waiting import is_alive, memory_of, until, words_of

LINE = [sys.executable, "-c", "import sys, agent.cli; sys.exit(agent.cli.main(sys.argv[1:]))"]


def _env(tmp_path: Path, **more: str) -> dict[str, str]:
    return {
        "PATH": "/usr/bin:/bin",
        "HOME": str(tmp_path),
        "TMPDIR": str(tmp_path),
        "XDG_RUNTIME_DIR": str(tmp_path / "run"),
        "CODER_AGENT_LOGGING_HUMAN": str(tmp_path / "human.log"),
        **more,
    }


def _refusal(tmp_path: Path, *flags: str, **env: str) -> str:
    done = subprocess.run(
        [*LINE, *flags], env=_env(tmp_path, **env), capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    return done.stderr.strip().splitlines()[-1].partition("Refused: ")[2]


def test_without_credentials(tmp_path: Path) -> None:
    assert _refusal(tmp_path, CODER_AGENT_URL="http://127.0.0.1:1") == (
        "CODER_AGENT_TOKEN or CODER_AGENT_TOKEN_FILE must be set for token auth"
    )


@pytest.mark.parametrize(
    ("flags", "env", "words"),
    [
        ([], {}, "CODER_AGENT_URL must be set"),
        ([], {"CODER_AGENT_URL": "coder.example"}, "'coder.example' is not the URL of a deploym"),
        (["--ssh-max-timeout", "long"], {"CODER_AGENT_URL": "http://x"}, "--ssh-max-timeout: "),
        (["--agent-header", "x"], {"CODER_AGENT_URL": "http://x"}, "--agent-header 'x' is not"),
        (["--agent-header-command", "exit 3"], {"CODER_AGENT_URL": "http://x"}, "--agent-header-c"),
        (["--agent-token=", "--agent-token-file=/no/such"], {}, "The token file /no/such can"),
        (["--auth", "by-name"], {}, "Argument --auth: invalid choice"),
        (
            ["--socket-server-enabled=maybe"],
            {"CODER_AGENT_URL": "http://x"},
            "--socket-server-enabled 'maybe' is neither true nor false.",
        ),
        (["--colour"], {}, "Unrecognized arguments: --colour."),
        (
            [],
            {"CODER_AGENT_URL": "http://x", "CODER_AGENT_SUBSYSTEM": "envbox,zoo"},
            "CODER_AGENT_SUBSYSTEM names 'zoo', which is not a subsystem.",
        ),
    ],
)
def test_wrong_words_are_refused_in_a_sentence(
    tmp_path: Path, flags: list[str], env: dict[str, str], words: str
) -> None:
    assert _refusal(tmp_path, *flags, **{"CODER_AGENT_TOKEN": "x", **env}).startswith(words)


async def _start(plane: ControlPlane, tmp_path: Path) -> asyncio.subprocess.Process:
    (tmp_path / "token").write_text(f"  {TOKEN}\n")
    env = _env(
        tmp_path,
        CODER_AGENT_URL=f"{plane.url}/",
        CODER_AGENT_TOKEN_FILE=str(tmp_path / "token"),
        CODER_AGENT_HEADER="X-A=1",
        CODER_AGENT_HEADER_COMMAND="echo X-C=3",
    )
    return await asyncio.create_subprocess_exec(*LINE, "--agent-header", "X-B=2", env=env)


async def test_an_agent_process_lives_and_ends_by_a_signal(
    plane: ControlPlane, tmp_path: Path
) -> None:
    daemon = tmp_path / "daemon"
    begin = script_of(f"setsid sh -c 'echo $$ >{daemon}; exec sleep 600' >/dev/null 2>&1 & exit 0")
    # What git runs as this agent goes the same way.
    stop = script_of("echo bye by $CODER_AGENT_HEADER", run_on_start=False, run_on_stop=True)
    plane.manifest = manifest_of(scripts=(begin, stop))
    process = await _start(plane, tmp_path)
    await plane.until(lambda: "ready" in plane.states)
    await until(lambda: words_of(daemon))
    headers = plane.requests[0].headers
    assert [headers[name] for name in ("X-A", "X-B", "X-C")] == ["1", "2", "3"]
    process.send_signal(signal.SIGTERM)
    assert await process.wait() == 0
    assert plane.states == ["starting", "ready", "shutting_down", "off"]
    assert plane.lines() == ["bye by X-A=1,X-B=2"]
    if sys.platform == "linux":
        assert not is_alive(int(words_of(daemon)[0]))
    assert "lifecycle: off" in (tmp_path / "coder-agent.log").read_text()
    assert "lifecycle: off" in (tmp_path / "human.log").read_text()


async def test_a_claimed_workspaces_agent_begins_anew_in_the_same_process(
    plane: ControlPlane, tmp_path: Path
) -> None:
    begin = script_of('echo "$PPID for $CODER_WORKSPACE_OWNER_NAME by $CODER_AGENT_TOKEN"')
    stop = script_of("echo bye", run_on_start=False, run_on_stop=True)
    plane.manifest = manifest_of(owner_username="prebuilds", scripts=(begin, stop))
    process = await _start(plane, tmp_path)
    await plane.until(lambda: "ready" in plane.states)
    plane.manifest = replace(plane.manifest, agent_id=uuid4(), owner_username="alice")
    await plane.tell_claim()
    await plane.until(lambda: plane.states.count("ready") == 2)
    process.send_signal(signal.SIGTERM)
    assert await process.wait() == 0
    assert plane.states == [*["starting", "ready"] * 2, "shutting_down", "off"]
    assert plane.lines() == [
        f"{process.pid} for prebuilds by {TOKEN}",
        "bye",
        f"{process.pid} for alice by {TOKEN}",
        "bye",
    ]


async def test_a_second_signal_ends_it_at_once(plane: ControlPlane, tmp_path: Path) -> None:
    stop = script_of("echo on; sleep 600", run_on_start=False, run_on_stop=True)
    plane.manifest = manifest_of(scripts=(stop,))
    process = await _start(plane, tmp_path)
    await plane.until(lambda: "ready" in plane.states)
    process.send_signal(signal.SIGINT)
    await plane.until(lambda: "on" in plane.lines())
    process.send_signal(signal.SIGINT)
    async with asyncio.timeout(10):
        assert await process.wait() == 1


def test_an_agent_starts_without_what_only_servers_and_people_need() -> None:
    heavy = ("pydantic", "structlog", "fastapi", "httpx", "typer", "asyncssh")
    probe = f"import sys, agent.cli; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
async def test_an_idle_agent_with_its_ssh_server_loaded_takes_60_mb_at_most(
    plane: ControlPlane, tmp_path: Path
) -> None:
    process = await _start(plane, tmp_path)
    async with plane.stream(22) as stream:
        assert str(await stream.recv()).startswith("b'SSH-2.0-")
    assert memory_of(process.pid) <= 60_000_000
    process.send_signal(signal.SIGTERM)
    await process.wait()


@pytest.mark.parametrize(
    ("flags", "env", "first"),
    [
        ([], {"XDG_RUNTIME_DIR": "{tmp}/xdg"}, "{tmp}/xdg/coder-agent.sock"),
        ([], {"CODER_AGENT_SOCKET_PATH": "{tmp}/env"}, "{tmp}/env"),
        (["--socket-path={tmp}/flag"], {"CODER_AGENT_SOCKET_PATH": "{tmp}/env"}, "{tmp}/flag"),
        (["--socket-path={tmp}/" + "x" * 120], {}, "{tmp}/coder-agent-{uid}/"),
        (["--socket-server-enabled=false"], {"XDG_RUNTIME_DIR": "{tmp}"}, ""),
        ([], {"CODER_AGENT_SOCKET_SERVER_ENABLED": "false", "XDG_RUNTIME_DIR": "{tmp}"}, ""),
        (["--socket-server-enabled", "--socket-path={tmp}/flag"], {}, "{tmp}/flag"),
    ],
)
async def test_the_socket_is_on_and_where_it_should_be(
    plane: ControlPlane, short: Path, flags: list[str], env: dict[str, str], first: str
) -> None:
    """Seed: the agent socket is enabled by default."""

    def here(text: str) -> str:
        return text.replace("{tmp}", str(short)).replace("{uid}", str(os.getuid()))

    plane.manifest = manifest_of(scripts=(script_of("echo $CODER_AGENT_SOCKET_PATH"),))
    variables = {name: here(value) for name, value in env.items()}
    process = await asyncio.create_subprocess_exec(
        *LINE,
        *map(here, flags),
        env=_env(short, CODER_AGENT_URL=plane.url, CODER_AGENT_TOKEN=TOKEN, **variables),
    )
    await plane.until(plane.lines)
    [path] = plane.lines()
    assert path.startswith(here(first))
    assert bool(path) == bool(first)
    if path:
        assert stat.S_IMODE(Path(path).stat().st_mode) == 0o600  # noqa: ASYNC240 - a look
    process.send_signal(signal.SIGTERM)
    assert await process.wait() == 0
    assert not path or not Path(path).exists()  # noqa: ASYNC240 - a look


def test_help_names_flags_with_their_variables(tmp_path: Path) -> None:
    done = subprocess.run(
        [*LINE, "--help"], env=_env(tmp_path), capture_output=True, text=True, check=True
    )
    for flag, variable in (
        ("--agent-token TOKEN", "CODER_AGENT_TOKEN"),
        ("--agent-token-file PATH", "CODER_AGENT_TOKEN_FILE"),
        ("--agent-url URL", "CODER_AGENT_URL"),
        ("--log-dir DIR", "CODER_AGENT_LOG_DIR"),
        ("--socket-path PATH", "CODER_AGENT_SOCKET_PATH"),
        ("--socket-server-enabled [BOOL]", "CODER_AGENT_SOCKET_SERVER_ENABLED"),
        ("--no-reap", "CODER_AGENT_NO_REAP"),
    ):
        assert flag in done.stdout
        assert f"[${variable}]" in done.stdout
