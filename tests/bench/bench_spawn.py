"""`coder create` to a ready agent, beside JupyterHub's spawn of a local server, turn by turn.

    python tests/bench/bench_spawn.py --jupyterhub /path/to/venv/bin/jupyterhub --runs 20

Needs a logged-in CLI (``CODER_CONFIG_DIR``) whose server has the template ``local``. Prints p50 and
p95 of both in seconds, and their ratio: the same machine, the same minutes.
"""

import argparse
import contextlib
import json
import os
import secrets
import socket
import statistics
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

CONFIG = """
c.JupyterHub.bind_url = "http://127.0.0.1:{port}"
c.JupyterHub.hub_port = {hub}
c.JupyterHub.spawner_class = "simple"
c.JupyterHub.authenticator_class = "dummy"
c.Authenticator.allow_all = True
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{api}"
c.ConfigurableHTTPProxy.command = {proxy!r}
c.Spawner.cmd = [{single!r}]
c.Spawner.args = ["--allow-root"]
c.Spawner.poll_interval = 1
c.Spawner.home_dir_template = "{home}/{{username}}"
c.SimpleLocalProcessSpawner.home_dir_template = "{home}/{{username}}"
c.JupyterHub.services = [{{"name": "bench", "api_token": "{token}"}}]
c.JupyterHub.load_roles = [{{
    "name": "bench", "scopes": ["admin:users", "admin:servers", "access:servers", "read:hub"],
    "services": ["bench"],
}}]
"""


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


class Hub:
    """A JupyterHub of our own on loopback."""

    def __init__(self, program: Path, proxy: str) -> None:
        self.folder = tempfile.TemporaryDirectory()
        root = Path(self.folder.name)
        self.token = secrets.token_hex(16)
        self.port = free_port()
        config = root / "config.py"
        config.write_text(
            CONFIG.format(
                port=self.port,
                hub=free_port(),
                api=free_port(),
                proxy=[proxy],
                single=str(program.parent / "jupyterhub-singleuser"),
                home=str(root),
                token=self.token,
            )
        )
        with (root / "log").open("wb") as log:
            self.process = subprocess.Popen(
                [str(program), "-f", str(config)], cwd=root, stdout=log, stderr=log
            )
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError):
                if self.call("GET", "/info"):
                    return
            time.sleep(0.3)
        raise SystemExit((root / "log").read_text()[-3000:])

    def call(self, method: str, path: str) -> Any:
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/hub/api{path}",
            method=method,
            headers={"Authorization": f"token {self.token}"},
        )
        with urllib.request.urlopen(request, timeout=60) as response:
            return json.loads(response.read() or b"null")

    def spawn(self, name: str) -> float:
        self.call("POST", f"/users/{name}")
        began = time.monotonic()
        self.call("POST", f"/users/{name}/server")
        while True:
            server = self.call("GET", f"/users/{name}")["servers"].get("", {})
            if server.get("ready"):
                return time.monotonic() - began
            if time.monotonic() - began > 60:
                raise SystemExit(f"JupyterHub did not spawn {name}")
            time.sleep(0.05)

    def remove(self, name: str) -> None:
        try:
            self.call("DELETE", f"/users/{name}/server")
            time.sleep(1)
            self.call("DELETE", f"/users/{name}")
        except urllib.error.HTTPError:
            pass

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(30)
        self.folder.cleanup()


def coder(*words: str) -> str:
    done = subprocess.run(["coder", *words], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"coder {' '.join(words)}: {done.stderr}")
    return done.stdout


def create(name: str) -> float:
    """Return seconds from typing `coder create` to an agent that is ready."""
    began = time.monotonic()
    coder("create", name, "--template", "local", "--yes")
    while True:
        workspace = json.loads(coder("list", "--search", f"name:{name}", "-o", "json"))[0]
        agents = [a for r in workspace["latest_build"]["resources"] for a in r["agents"]]
        if agents and agents[0]["lifecycle_state"] == "ready":
            return time.monotonic() - began
        if time.monotonic() - began > 60:
            raise SystemExit(f"{name} did not become ready: {agents}")


def report(name: str, times: list[float]) -> float:
    cuts = statistics.quantiles(times, n=20, method="inclusive")
    print(
        f"{name:14} p50 {statistics.median(times):6.2f} s   p95 {cuts[18]:6.2f} s   n={len(times)}"
    )
    return statistics.median(times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jupyterhub", type=Path, required=True)
    parser.add_argument("--proxy", default="configurable-http-proxy")
    parser.add_argument("--runs", type=int, default=20)
    options = parser.parse_args()
    os.environ.setdefault("CODER_NO_VERSION_WARNING", "true")
    hub = Hub(options.jupyterhub, options.proxy)
    ours: list[float] = []
    theirs: list[float] = []
    try:
        for number in range(options.runs):
            ours.append(create(f"bench-{number}"))
            coder("delete", f"bench-{number}", "--yes")
            theirs.append(hub.spawn(f"bench-{number}"))
            hub.remove(f"bench-{number}")
    finally:
        hub.stop()
    ratio = report("coder create", ours) / report("JupyterHub", theirs)
    print(f"ratio of medians: {ratio:.2f}")


if __name__ == "__main__":
    main()
