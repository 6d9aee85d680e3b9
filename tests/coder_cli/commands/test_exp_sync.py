"""``coder exp sync`` as scripts run it: words, exit codes, and an agent that may be gone."""

import asyncio
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Coroutine, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from agent.socket import Socket
from coder_cli.kit.clock import SystemClock
from tests.coder_cli.conftest import Cli, Ran

SYNC = [sys.executable, "-m", "coder_cli", "exp", "sync"]
DIAL = "connect to agent socket: connect to socket: dial unix"


class Agent:
    """The socket of an agent in a thread of its own, so that commands may block."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self._socket = Socket([str(path)], SystemClock(), self._tell)
        self.run(self._socket.open())

    def stop(self) -> None:
        if self._loop.is_running():
            self.run(self._socket.close())
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(20)
            self._loop.close()

    async def until_held(self, unit: str) -> None:
        bells = self._socket._board._bells  # pyright: ignore[reportPrivateUsage] - nothing shows it
        while unit not in bells:  # noqa: ASYNC110 - nobody rings
            await asyncio.sleep(0.01)

    def run(self, something: Coroutine[None, None, None]) -> None:
        asyncio.run_coroutine_threadsafe(something, self._loop).result(20)

    async def _tell(self, _: object) -> None: ...


@pytest.fixture
def path(short: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = short / "run" / "s"
    monkeypatch.setenv("CODER_AGENT_SOCKET_PATH", str(path))
    return path


@pytest.fixture
def agent(path: Path) -> Generator[Agent]:
    agent = Agent(path)
    yield agent
    agent.stop()


@pytest.fixture
def sync(typed: Cli, agent: Agent) -> "Sync":
    return Sync(typed)


class Sync:
    """Type ``coder exp sync ...``."""

    def __init__(self, typed: Cli) -> None:
        self._typed = typed

    def __call__(self, *words: str) -> Ran:
        return self._typed("exp", "sync", *words)

    def says(self, *words: str) -> str:
        """Return what a command prints that works."""
        ran = self(*words)
        assert (ran.code, ran.err) == (0, ""), str(ran)
        return ran.out

    def refuses(self, *words: str) -> str:
        """Return the sentence of a command that does not."""
        ran = self(*words)
        assert (ran.code, ran.out) == (1, ""), str(ran)
        first, _, rest = ran.err.partition("\n")
        assert first.startswith(f'Encountered an error running "coder exp sync {words[0]}"')
        return rest.removeprefix("error: ").rstrip()


def test_the_seeds_words(sync: Sync) -> None:
    """Seed: ping, want, start and complete say Success."""
    assert sync.says("ping") == "Success\n"
    assert sync.says("want", "claude", "git") == "Success\n"
    assert sync.says("start", "git") == "Success\n"
    assert sync.says("complete", "git") == "Success\n"
    assert sync.says("start", "claude") == "Success\n"
    assert sync.says("complete", "claude") == "Success\n"


def test_start_says_what_it_waits_for_and_what_it_has_waited_for(sync: Sync, path: Path) -> None:
    """Seed: start blocks until all dependencies have been met."""
    sync.says("want", "x", "dep", "dep-2")
    sync.says("start", "dep")
    process = subprocess.Popen([*SYNC, "start", "x"], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "Waiting for dependencies of unit 'x' to be satisfied...\n"
    assert process.stdout.readline() == "Waiting for: dep (started), dep-2 (not registered)\n"
    sync.says("complete", "dep")
    assert process.poll() is None
    sync.says("start", "dep-2")
    sync.says("complete", "dep-2")
    out, _ = process.communicate(timeout=20)
    assert (process.returncode, out) == (0, 'Unit "x" waited for: [dep, dep-2]\n')


def test_start_gives_up_and_names_what_is_missing(sync: Sync) -> None:
    sync.says("want", "x", "dep", "far away")
    sync.says("start", "dep")
    for timeout in ("50ms", "0"):
        ran = sync("start", "x", "--timeout", timeout)
        assert ran.code == 1
        assert "dep (started), far away (not registered)" in ran.out
    assert sync("start", "x", "--timeout", "10ms").err.splitlines()[-1] == (
        "error: timeout waiting for dependencies of unit 'x': dep (started), "
        "far away (not registered)"
    )


@pytest.mark.parametrize(
    ("words", "refusal"),
    [
        ("start", "exactly one unit name is required"),
        ("start a b", "exactly one unit name is required"),
        ("complete", "exactly one unit name is required"),
        ("status a b", "exactly one unit name is required"),
        ("want", "at least two arguments are required: a unit, and what it waits for"),
        ("want a", "at least two arguments are required: a unit, and what it waits for"),
        ("start a --timeout long", "--timeout: 'long' is not a duration; write it like 90s,"),
        ("start a --timeout=-5s", "--timeout cannot be negative."),
        ("start a --timeout 1y", "Start.wait is from 0 to 604800 seconds"),
        ("status a -o xml", "Argument -o/--output: invalid choice: 'xml'"),
        ("ping pong", "Unrecognized arguments: pong."),
        ("complete a", 'cannot complete unit "a": unit not found'),
        ("want a a", 'cannot add dependency: adding edge for unit "a": failed to add dependency: '),
        ("start ''", "a unit needs a name"),
    ],
)
def test_wrong_words_are_refused(sync: Sync, words: str, refusal: str) -> None:
    said = sync.refuses(*(word.strip("'") for word in words.split()))
    assert said.startswith(refusal)
    assert sync.says("list", "-o", "json") == "[]\n"


def test_unknown_commands(sync: Sync, typed: Cli) -> None:
    for words in (["exp", "snyc"], ["exp", "sync", "wnat"]):
        ran = typed(*words)
        assert ran.code == 1
        assert f'There is no command "{" ".join(words)}". Choose from: ' in ran.err


def test_what_happens_once_is_refused_twice(sync: Sync) -> None:
    sync.says("start", "a")
    assert sync.refuses("start", "a") == 'cannot start unit "a": same status already set'
    sync.says("complete", "a")
    assert sync.refuses("complete", "a") == 'cannot complete unit "a": same status already set'
    assert sync.refuses("start", "a").startswith('cannot start unit "a": it has completed')


def test_a_cycle_is_refused_with_the_way_around(sync: Sync) -> None:
    sync.says("want", "a", "b")
    sync.says("want", "b", "c")
    assert sync.refuses("want", "c", "x", "a").endswith(
        "adding edge (c -> a) would create a cycle: c -> a -> b -> c"
    )
    assert "No dependencies found" in sync.says("status", "c")


def test_status_and_list(sync: Sync) -> None:
    sync.says("want", "ide-configure", "git-clone", "日本 語")
    sync.says("start", "git-clone")
    assert sync.says("status", "ide-configure") == (
        "Unit: ide-configure\n"
        "Status: pending\n"
        "Ready: false\n"
        "\n"
        "Dependencies:\n"
        "DEPENDS ON  REQUIRED STATUS  CURRENT STATUS  SATISFIED\n"
        "git-clone   completed        started         false\n"
        "日本 語     completed        not registered  false\n"
    )
    assert sync.says("status", "nobody") == (
        "Unit: nobody\nStatus: not registered\nReady: true\n\n"
        "Dependencies:\nNo dependencies found\n"
    )
    table = (
        "UNIT           STATUS   READY\n"
        "ide-configure  pending  false\n"
        "git-clone      started  true\n"
    )
    assert sync.says("list") == sync.says("status") == table
    assert json.loads(sync.says("list", "-o", "json")) == [
        {"unit_name": "ide-configure", "status": "pending", "is_ready": False},
        {"unit_name": "git-clone", "status": "started", "is_ready": True},
    ]
    shown = json.loads(sync.says("status", "ide-configure", "--output", "json"))
    assert shown["dependencies"][0] == {
        "depends_on": "git-clone",
        "required_status": "completed",
        "current_status": "started",
        "is_satisfied": False,
    }


def test_an_empty_list(sync: Sync) -> None:
    ran = sync("list")
    assert (ran.code, ran.out, ran.err) == (0, "", "No units found\n")


@pytest.mark.parametrize(
    "name",
    [
        "it's",
        'say "hi"',
        "two words",
        "back\\slash",
        "a&b=c?d#e%20/",
        "$HOME",
        "🚀",
        "x\x1b[31m\ny",
    ],
)
def test_names_are_arbitrary(sync: Sync, name: str) -> None:
    """Seed: unit names given as input are arbitrary strings."""
    sync.says("want", f"after {name}", name)
    sync.says("start", name)
    shown = sync.says("status", f"after {name}")
    assert shown.replace("\n", "").isprintable()
    assert json.loads(sync.says("list", "-o", "json"))[1]["unit_name"] == name
    sync.says("complete", name)
    sync.says("start", f"after {name}")


def test_names_that_look_like_flags(sync: Sync) -> None:
    sync.says("want", "--", "-o", "--timeout")
    assert "Unit: -o\n" in sync.says("status", "--", "-o")
    sync.says("start", "--timeout=1s", "--", "--timeout")


def test_names_that_are_no_utf8(sync: Sync) -> None:
    name = b"\xff\xfe"
    done = subprocess.run([*SYNC, "want", name, b"\x80"], capture_output=True, check=False)
    assert (done.returncode, done.stdout) == (0, b"Success\n")
    shown = subprocess.run([*SYNC, "status", name], capture_output=True, check=True).stdout
    assert shown.startswith(b"Unit: \\udcff\\udcfe\n")
    assert b"\\udc80" in shown


def test_nobody_listens(typed: Cli, path: Path) -> None:
    """Seed: ping says whether the feature is there."""
    ran = typed("exp", "sync", "ping")
    assert ran.code == 1
    assert f"error: {DIAL} {path}: connect: no such file or directory" in ran.err
    path.parent.mkdir()
    with socket.socket(socket.AF_UNIX) as gone:
        gone.bind(str(path))
        assert f"{path}: connect: connection refused" in typed("exp", "sync", "ping").err


def test_where_it_looks(
    typed: Cli, agent: Agent, short: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flag = ("--socket-path", str(agent.path))
    monkeypatch.setenv("CODER_AGENT_SOCKET_PATH", "/nowhere")
    assert typed("exp", "sync", "ping", *flag).out == "Success\n"
    monkeypatch.delenv("CODER_AGENT_SOCKET_PATH")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(short))
    assert f"{DIAL} {short}/coder-agent.sock: " in typed("exp", "sync", "ping").err
    (short / "coder-agent.sock").symlink_to(agent.path)
    assert typed("exp", "sync", "ping").out == "Success\n"


def test_an_agent_that_ends_while_a_start_waits(sync: Sync, agent: Agent) -> None:
    sync.says("want", "x", "dep")
    process = subprocess.Popen(
        [*SYNC, "start", "x"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    agent.run(agent.until_held("x"))
    agent.stop()
    out, err = process.communicate(timeout=20)
    assert (process.returncode, "Waiting for: dep (not registered)" in out) == (1, True)
    assert err.endswith("error: the agent is shutting down; it forgets all units\n")


@contextmanager
def stub(path: Path, answers: list[bytes]) -> Generator[None]:
    """Something that answers each connection with the next of these bytes, and closes."""
    path.parent.mkdir()

    def serve() -> None:
        for answer in answers:
            connection, _ = server.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(answer)

    with socket.socket(socket.AF_UNIX) as server, ThreadPoolExecutor(1) as pool:
        server.bind(str(path))
        server.listen()
        done = pool.submit(serve)
        yield
        done.result(20)


UNREADY = (
    b'HTTP/1.1 200 \r\n\r\n{"unit_name": "x", "status": "pending", "is_ready": false, '
    b'"dependencies": [{"depends_on": "dep", "current_status": "", "is_satisfied": false}]}'
)


def test_an_agent_that_dies_while_a_start_waits(typed: Cli, path: Path) -> None:
    with stub(path, [UNREADY, b""]):
        ran = typed("exp", "sync", "start", "x")
    assert ran.code == 1
    assert ran.err.splitlines()[1:] == [
        f"error: unit 'x' has not started: the agent at {path} went away",
        "An agent that restarts forgets all units, and runs the scripts of its workspace again.",
    ]


def test_something_else_listens(typed: Cli, path: Path) -> None:
    with stub(path, [b"SSH-2.0-x\r\n", b"HTTP/1.1 200 OK\r\n\r\n<html>", b"HTTP/1.1 500 \r\n\r\n"]):
        for _ in range(2):
            ran = typed("exp", "sync", "ping")
            assert f"error: what listens at {path} is no agent of this kind" in ran.err
        assert "unexpected answer 500" in typed("exp", "sync", "ping").err


PRETEND = """
import os, socket, sys
s = socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]); os.chmod(sys.argv[1], 0o666)
os.setgid(65534); os.setuid(65534); s.listen(); print(flush=True); s.accept()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="asks Linux who the other end is")
@pytest.mark.skipif(os.getuid() != 0, reason="becomes somebody else")
def test_a_socket_of_somebody_else_is_not_trusted(typed: Cli, path: Path) -> None:
    """In a directory that is open to all, anybody may have been there first."""
    path.parent.mkdir()
    with subprocess.Popen(
        [sys.executable, "-c", PRETEND, str(path)], stdout=subprocess.PIPE
    ) as pretender:
        assert pretender.stdout is not None
        pretender.stdout.readline()
        ran = typed("exp", "sync", "ping")
        assert (ran.code, "it belongs to another user (uid 65534)" in ran.err) == (1, True)


def test_ping_loads_nothing_but_the_standard_library(agent: Agent) -> None:
    code = (
        "import sys; from coder_cli.main import run; assert run(['exp', 'sync', 'ping']) == 0;"
        "print(*sorted(m for m in sys.modules if m.partition('.')[0] not in sys.stdlib_module_names"
        " and not m.startswith('coder_cli')))"
        ";print(*sorted({'http.client', 'ssl', 'dataclasses', 'shutil'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[0] == "Success"
    loaded = [name for name in done.stdout.splitlines()[1].split() if not name.startswith("_")]
    assert [name for name in loaded if name not in ("sitecustomize", "usercustomize")] == []
    assert done.stdout.splitlines()[2] == ""
