"""Stock ssh, scp and git through the relay, beside OpenSSH to the same host, turn by turn.

    python tests/bench/bench_ssh.py dev --size 500 --runs 20

Needs a logged-in CLI, a running workspace of the template ``local``, and ``sshd``. Prints medians
and ratios: the same machine, the same minutes.
"""

import argparse
import contextlib
import os
import shutil
import socket
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Generator
from pathlib import Path


def run(*words: str, cwd: Path | None = None) -> None:
    done = subprocess.run(words, capture_output=True, text=True, check=False, cwd=cwd)
    if done.returncode:
        raise SystemExit(f"{' '.join(words)}: {done.stderr}")


def timed(work: Callable[[], None]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


@contextlib.contextmanager
def openssh(root: Path) -> Generator[str]:
    """Run an sshd of our own on loopback; yield the lines that reach it as ``plain``."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port = int(sock.getsockname()[1])
    for name in ("host", "user"):
        run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(root / name))
    (root / "authorized").write_text((root / "user.pub").read_text())
    (root / "sshd_config").write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {root}/host\nPidFile none\n"
        f"AuthorizedKeysFile {root}/authorized\nStrictModes no\nPermitRootLogin yes\n"
        "UsePAM no\nSubsystem sftp internal-sftp\n"
    )
    Path("/run/sshd").mkdir(exist_ok=True)
    sshd = shutil.which("sshd") or "/usr/sbin/sshd"
    process = subprocess.Popen([sshd, "-D", "-e", "-f", str(root / "sshd_config")], stderr=-3)
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            break
        time.sleep(0.05)
    try:
        yield (
            f"Host plain\n  HostName 127.0.0.1\n  Port {port}\n  IdentityFile {root}/user\n"
            "  StrictHostKeyChecking no\n  UserKnownHostsFile /dev/null\n  LogLevel ERROR\n\n"
        )
    finally:
        process.terminate()
        process.wait(10)


def make_repository(root: Path) -> Path:
    """Return a repository with 200 files and one of 20 MB."""
    repository = root / "repository"
    repository.mkdir()
    for number in range(200):
        (repository / f"file{number}").write_text(f"{number}\n" * 200)
    (repository / "blob").write_bytes(os.urandom(20_000_000))
    run("git", "init", "-q", cwd=repository)
    run("git", "add", "-A", cwd=repository)
    who = ("-c", "user.name=bench", "-c", "user.email=bench@example.com")
    run("git", *who, "commit", "-qm", "bench", cwd=repository)
    return repository


def compare(name: str, runs: int, ours: Callable[[], None], theirs: Callable[[], None]) -> None:
    """Take turns, and print both medians and their ratio."""
    pairs = [(timed(ours), timed(theirs)) for _ in range(runs)]
    mine = statistics.median(one for one, _ in pairs)
    other = statistics.median(one for _, one in pairs)
    print(
        f"{name:16} coder {mine * 1e3:9.1f} ms   OpenSSH {other * 1e3:9.1f} ms"
        f"   ratio {mine / other:5.2f}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("workspace")
    parser.add_argument("--size", type=int, default=500, help="MB to copy")
    parser.add_argument("--runs", type=int, default=20)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, openssh(Path(folder)) as plain:
        root = Path(folder)
        config = root / "config"
        config.write_text(plain)
        run("coder", "config-ssh", "--ssh-config-file", str(config), "--yes")
        host = f"coder.{options.workspace}"
        ssh = ["ssh", "-F", str(config)]
        scp = ["scp", "-q", "-F", str(config)]
        big = root / "big"
        big.write_bytes(os.urandom(1_000_000) * options.size)
        compare(
            "ssh host true",
            options.runs,
            lambda: run(*ssh, host, "true"),
            lambda: run(*ssh, "plain", "true"),
        )
        for name, to in (("upload", True), ("download", False)):

            def copy(target: str, *, to: bool = to) -> None:
                far = f"{target}:{root}/copied" if to else f"{target}:{big}"
                run(*scp, *((str(big), far) if to else (far, str(root / "copied"))))

            compare(
                f"scp {name} {options.size} MB",
                3,
                lambda copy=copy: copy(host),
                lambda copy=copy: copy("plain"),
            )
        repository = make_repository(root)
        os.environ["GIT_SSH_COMMAND"] = " ".join(ssh)

        def clone(target: str) -> None:
            run("git", "clone", "-q", f"{target}:{repository}", str(root / "clone"))
            shutil.rmtree(root / "clone")

        compare("git clone 20 MB", 5, lambda: clone(host), lambda: clone("plain"))


if __name__ == "__main__":
    main()
