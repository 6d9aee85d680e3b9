"""The main job on real input: one command, a workspace, and a shell in it by every stock client."""

import fcntl
import os
import pty
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import termios
import threading
from collections.abc import Generator
from pathlib import Path

import pytest

from tests.support.house import House, free_port, until

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(240),
    pytest.mark.skipif(shutil.which("terraform") is None, reason="terraform is not on PATH"),
    pytest.mark.skipif(shutil.which("ssh") is None, reason="OpenSSH's client is not on PATH"),
]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, module_dsn: str) -> Generator[House]:
    """A deployment after `coder server --quickstart`."""
    house = House(tmp_path_factory.mktemp("house"), module_dsn)
    try:
        house.start("--quickstart")
        until("the quickstart", lambda: "is ready. In another terminal" in house.said())
        house.coder("config-ssh", "--yes")
        yield house
    finally:
        house.close()


def ssh(house: House, *words: str) -> list[str]:
    return ["-F", str(house.home / ".ssh" / "config"), *words]


def test_quickstart_says_the_password_once_and_what_to_type_next(house: House) -> None:
    said = house.said()
    assert said.count("Password: ") == 1
    for line in ("ssh dev", "config-ssh --yes && ssh coder.dev", "templates init --id local"):
        assert line in said


def test_coder_ssh_exits_with_the_status_of_the_command(house: House) -> None:
    done = house.coder("ssh", "dev", "echo out; echo err >&2; exit 42", check=False)
    assert (done.returncode, done.stdout, done.stderr) == (42, "out\n", "err\n")


def test_coder_ssh_passes_standard_input_to_its_end(house: House) -> None:
    text = "line\n" * 100_000
    assert house.coder("ssh", "dev", "wc -c", stdin=text).stdout.strip() == str(len(text))


def test_coder_ssh_sets_variables(house: House) -> None:
    assert house.coder("ssh", "-e", "A=b c", "dev", 'echo "$A"').stdout == "b c\n"
    # As the extension of VS Code has ssh call us.
    logs, net = house.root / "ssh-logs", house.root / "net"
    watched = ["--log-dir", str(logs), "--network-info-dir", str(net), "--usage-app", "vscode"]
    assert house.coder("ssh", *watched, "dev", "echo hi").stdout == "hi\n"
    assert "connected\n" in next(logs.iterdir()).read_text()


@pytest.mark.parametrize("host", ["coder.dev", "dev.coder", "main.dev.coder"])
def test_plain_ssh_reaches_the_workspace(house: House, host: str) -> None:
    done = house.run("ssh", *ssh(house, host, "echo $CODER_WORKSPACE_NAME; exit 3"), check=False)
    assert (done.returncode, done.stdout) == (3, "dev\n")


def test_an_editor_starts_its_server_by_a_script_on_standard_input(house: House) -> None:
    script = 'echo "listening on $((40 + 2))"\n'
    assert house.run("ssh", *ssh(house, "coder.dev", "bash"), stdin=script).stdout == (
        "listening on 42\n"
    )


def test_files_arrive_by_scp_sftp_and_rsync(house: House, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(bytes(range(256)) * 4000)
    house.run("scp", *ssh(house, str(source), "coder.dev:by-scp"))
    house.run("sftp", *ssh(house, "-b", "-", "coder.dev"), stdin=f"put {source} by-sftp\n")
    sent = ["by-scp", "by-sftp"]
    if shutil.which("rsync"):
        shell = f"ssh -F {house.home}/.ssh/config"
        house.run("rsync", "-e", shell, str(source), "coder.dev:by-rsync")
        sent.append("by-rsync")
    for name in sent:
        house.run("scp", *ssh(house, f"coder.dev:{name}", str(tmp_path / name)))
        assert (tmp_path / name).read_bytes() == source.read_bytes()


def test_git_clones_over_it(house: House, tmp_path: Path) -> None:
    make = (
        "rm -rf repo && git init -q repo && cd repo && echo hi > f && git add f &&"
        " git -c user.name=a -c user.email=a@b.c commit -qm one"
    )
    house.coder("ssh", "dev", make)
    shell = f"core.sshCommand=ssh -F {house.home}/.ssh/config"
    where = str(tmp_path / "clone")
    house.run("git", "-c", shell, "clone", "-q", "coder.dev:repo", where)
    assert (tmp_path / "clone" / "f").read_text() == "hi\n"


def listener(answer: bytes) -> int:
    """Answer one connection on loopback; return the port."""
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        connection, _ = server.accept()
        connection.sendall(answer)
        connection.close()
        server.close()

    threading.Thread(target=serve, daemon=True).start()
    return int(server.getsockname()[1])


def fetch(port: int) -> bytes:
    def read() -> bytes:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=5) as sock:
                return sock.recv(100)
        except OSError:
            return b""

    return until(f"an answer at port {port}", read)


@pytest.mark.parametrize("flag", ["-L", "-R"])
def test_ssh_forwards_ports_both_ways(house: House, flag: str) -> None:
    near, far = free_port(), listener(b"forwarded")
    words = ssh(house, "-N", flag, f"{near}:127.0.0.1:{far}", "coder.dev")
    process = subprocess.Popen(["ssh", *words], env=house.env)
    try:
        assert fetch(near) == b"forwarded"
    finally:
        process.terminate()
        process.wait(10)


def test_ssh_forwards_any_port_as_a_socks_proxy(house: House) -> None:
    near, far = free_port(), listener(b"by socks")
    words = ssh(house, "-N", "-D", str(near), "coder.dev")
    process = subprocess.Popen(["ssh", *words], env=house.env)

    def ask() -> bytes:
        try:
            with socket.create_connection(("127.0.0.1", near), timeout=5) as sock:
                sock.sendall(b"\x05\x01\x00")
                assert sock.recv(2) == b"\x05\x00"
                address = socket.inet_aton("127.0.0.1") + far.to_bytes(2, "big")
                sock.sendall(b"\x05\x01\x00\x01" + address)
                answer = sock.recv(10)
                return sock.recv(100) if answer[1:2] == b"\x00" else b""
        except OSError:
            return b""

    try:
        assert until("an answer of the proxy", ask) == b"by socks"
    finally:
        process.terminate()
        process.wait(10)


@pytest.fixture
def ssh_agent(house: House, tmp_path: Path) -> Generator[dict[str, str]]:
    """An SSH agent with one key, as the environment that reaches it."""
    sock = tmp_path / "agent.sock"
    agent = subprocess.Popen(["ssh-agent", "-D", "-a", str(sock)], stdout=subprocess.DEVNULL)
    until("the SSH agent", sock.exists)
    env = {**house.env, "SSH_AUTH_SOCK": str(sock)}
    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    subprocess.run(["ssh-add", "-q", str(key)], env=env, check=True)
    yield env
    agent.terminate()
    agent.wait(10)


def test_the_ssh_agent_is_forwarded_when_asked(house: House, ssh_agent: dict[str, str]) -> None:
    ours = [sys.executable, "-m", "coder_cli", "ssh", "-A", "dev", "ssh-add -l"]
    plain = ["ssh", *ssh(house, "-A", "coder.dev", "ssh-add -l")]
    for words in (ours, plain):
        done = subprocess.run(
            words,
            env=ssh_agent,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert "ED25519" in done.stdout, done.stderr
    silent = house.coder("ssh", "dev", "ssh-add -l", check=False)
    assert silent.returncode != 0


def test_coder_ssh_forwards_a_remote_port(house: House) -> None:
    near, far = free_port(), listener(b"to here")
    ask = (
        f"for i in 1 2 3 4 5; do exec 3<>/dev/tcp/127.0.0.1/{near} && head -c 7 <&3 && exit;"
        " sleep 0.5; done"
    )
    done = house.coder(
        "ssh", "-R", f"{near}:127.0.0.1:{far}", "dev", f"bash -c '{ask}' 2>/dev/null"
    )
    assert done.stdout == "to here"


def test_a_terminal_is_raw_has_the_right_size_and_gives_its_status(house: House) -> None:
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 33, 101, 0, 0))
    before = termios.tcgetattr(slave)
    words = [sys.executable, "-m", "coder_cli", "ssh", "dev"]
    process = subprocess.Popen(words, env=house.env, stdin=slave, stdout=slave, stderr=slave)
    screen = bytearray()

    def shows(text: bytes) -> bool:
        ready, _, _ = select.select([master], [], [], 0.1)
        if ready:
            screen.extend(os.read(master, 65536))
        return text in screen

    os.write(master, b"stty size; echo mark-$((1+1))\n")
    until("the answer", lambda: shows(b"mark-2"))
    assert b"33 101" in screen
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 90, 0, 0))
    process.send_signal(signal.SIGWINCH)
    os.write(master, b"stty size; echo mark-$((1+2))\n")
    until("the new size", lambda: shows(b"mark-3"))
    assert b"40 90" in screen
    # Ctrl-c belongs to the far side: it ends the sleep there, and nothing here.
    os.write(master, b"sleep 100\n")
    until("the echo", lambda: shows(b"sleep 100"))
    os.write(master, b"\x03echo mark-$((1+3)); exit 5\n")
    until("life after ctrl-c", lambda: shows(b"mark-4"))
    until("the end", lambda: shows(b"nothing") or process.poll() is not None)
    assert process.returncode == 5
    assert termios.tcgetattr(slave) == before
    os.close(master)
    os.close(slave)


def test_coder_port_forward_carries_tcp(house: House) -> None:
    near, far = free_port(), listener(b"carried")
    words = [sys.executable, "-m", "coder_cli", "port-forward", "dev", "--tcp", f"{near}:{far}"]
    process = subprocess.Popen(words, env=house.env, stderr=subprocess.DEVNULL)
    try:
        assert fetch(near) == b"carried"
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 130


def test_ping_answers(house: House) -> None:
    assert "pong from dev" in house.coder("ping", "dev", "-n", "1").stdout


def test_a_stopped_workspace_starts_when_somebody_logs_in(house: House) -> None:
    house.coder("stop", "dev", "--yes")
    assert house.workspace("dev")["latest_build"]["status"] == "stopped"
    refused = house.coder("ssh", "--disable-autostart", "dev", "true", check=False)
    assert refused.returncode == 1
    assert "coder start dev" in refused.stderr
    assert house.coder("ssh", "dev", "echo back").stdout == "back\n"


def test_agents_survive_a_killed_server_with_what_runs_in_them(house: House) -> None:
    house.coder("ssh", "dev", "nohup sleep 600 >/dev/null 2>&1 & echo $! > pid")
    house.stop(signal.SIGKILL)
    house.start()
    until("the agent's return", lambda: house.agent("dev").get("status") == "connected")
    assert house.coder("ssh", "dev", "kill -0 $(cat pid) && echo alive").stdout == "alive\n"


def test_a_build_outlives_a_killed_server(house: House) -> None:
    words = [sys.executable, "-m", "coder_cli", "create", "tough", "--template", "local", "--yes"]
    creating = subprocess.Popen(words, env=house.env, stderr=subprocess.DEVNULL)
    until("the build", lambda: house.workspace("tough"))
    house.stop(signal.SIGKILL)
    creating.terminate()
    creating.wait(20)
    house.start()
    until("the resumed build", lambda: house.agent("tough").get("status") == "connected", 90)
    assert house.coder("ssh", "tough", "echo up").stdout == "up\n"
    house.coder("delete", "tough", "--yes")


def test_delete_leaves_no_process_and_no_directory(house: House) -> None:
    house.coder("create", "gone", "--template", "local", "--yes")
    workspace_id = house.workspace("gone")["id"]
    until("the agent", lambda: house.agent("gone").get("status") == "connected")
    house.coder("ssh", "gone", "setsid sleep 600 >/dev/null 2>&1 &")
    assert house.processes(workspace_id)
    assert list(house.home.rglob(workspace_id))
    house.coder("delete", "gone", "--yes")
    assert house.processes(workspace_id) == []
    assert list(house.home.rglob(workspace_id)) == []
    assert house.workspace("gone") == {}
