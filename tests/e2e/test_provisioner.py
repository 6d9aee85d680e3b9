"""Builds on another machine: a server that runs none, and a daemon with its own home and cache."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.support.house import House, until

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(240),
    pytest.mark.skipif(shutil.which("terraform") is None, reason="terraform is not on PATH"),
]

TEMPLATE = """
terraform {
  required_providers {
    coder = { source = "coder/coder" }
  }
}

data "coder_workspace" "me" {}

data "coder_parameter" "gate" {
  name    = "gate"
  default = "/"
  mutable = true
}

resource "coder_agent" "main" {
  os   = "linux"
  arch = "amd64"
}

resource "terraform_data" "first" {}

resource "terraform_data" "slow" {
  count = data.coder_workspace.me.start_count
  input = terraform_data.first.id

  provisioner "local-exec" {
    command = "echo working; until [ -e ${data.coder_parameter.gate.value} ]; do sleep 0.1; done"
  }
}
"""


class Far:
    """A daemon on another machine, as far as one machine can show it."""

    def __init__(self, house: House, root: Path, name: str = "far") -> None:
        self.house = house
        self.name = name
        self.home = root / "home"
        self.cache = root / "cache"
        self.home.mkdir(parents=True)
        self.log = root / "daemon.log"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, key: str, *flags: str) -> None:
        """Start the daemon; its key is not on its command line."""
        path = self.house.env["PATH"]
        env = {
            "HOME": str(self.home),
            "PATH": path,
            "CODER_URL": self.house.url,
            "CODER_CACHE_DIRECTORY": str(self.cache),
            "CODER_PROVISIONER_DAEMON_KEY": key,
        }
        words = [sys.executable, "-m", "coder_cli", "provisioner", "start", "--name", self.name]
        words += flags
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                words, env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )

    def end(self, number: signal.Signals) -> int:
        """End the daemon with a signal; return its exit code."""
        assert self.process is not None
        self.process.send_signal(number)
        code = self.process.wait(40)
        self.process = None
        return code

    def said(self) -> str:
        """Return everything the daemon printed."""
        return self.log.read_text(errors="replace")

    def close(self) -> None:
        """End it, and what a killed one left."""
        if self.process is not None and self.process.poll() is None:
            self.end(signal.SIGKILL)
        for process in psutil.process_iter(["environ"]):
            found: dict[str, str] = process.info["environ"] or {}
            if found.get("HOME") == str(self.home) and process.pid != os.getpid():
                process.kill()


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, module_dsn: str) -> Generator[House]:
    """A server that runs no jobs, somebody who is logged in, and a template's folder."""
    house = House(tmp_path_factory.mktemp("house"), module_dsn)
    try:
        house.start("--provisioner-daemons=0")
        house.coder(
            *("login", house.url, "--first-user-username", "ann"),
            *("--first-user-email", "ann@example.com"),
            *("--first-user-password", "Correct-Horse-9-Battery"),
        )
        folder = house.home / "slow"
        folder.mkdir()
        (folder / "main.tf").write_text(TEMPLATE)
        yield house
    finally:
        house.close()


@pytest.fixture(scope="module")
def key(house: House) -> str:
    """A provisioner key; it is all that the command prints."""
    return house.coder("provisioner", "keys", "create", "far-key").stdout.strip()


@pytest.fixture(scope="module")
def far(house: House, key: str, tmp_path_factory: pytest.TempPathFactory) -> Generator[Far]:
    """A daemon that is logged in with the key, and a template that it has imported."""
    far = Far(house, tmp_path_factory.mktemp("far"))
    try:
        far.start(key)
        until("the daemon", lambda: daemons(house) or failed(far))
        house.coder("templates", "push", "slow", "-d", str(house.home / "slow"), "--yes")
        yield far
    finally:
        far.close()


def failed(far: Far) -> None:
    assert far.process is not None
    assert far.process.poll() is None, far.said()


def daemons(house: House) -> list[dict[str, Any]]:
    return json.loads(house.coder("provisioner", "list", "-o", "json").stdout)


def names(house: House) -> list[str]:
    return [one["name"] for one in daemons(house)]


def jobs(house: House, status: str) -> list[dict[str, Any]]:
    shown = house.coder("provisioner", "jobs", "list", "--status", status, "-o", "json").stdout
    return json.loads(shown)


def create(house: House, name: str) -> subprocess.Popen[bytes]:
    """Begin to create a workspace whose apply goes on until ``let_go``."""
    words = [sys.executable, "-m", "coder_cli", "create", name, "--template", "slow", "--yes"]
    words += ["--parameter", f"gate={gate(house, name)}"]
    log = (house.root / f"{name}.log").open("ab")
    with log:
        return subprocess.Popen(
            words, env=house.env, stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )


def gate(house: House, name: str) -> Path:
    return house.root / f"{name}.go"


def let_go(house: House, name: str) -> None:
    gate(house, name).touch()


def interrupt(far: Far) -> None:
    """Send a first ctrl+c and wait for its effect: two signals at once are one."""
    assert far.process is not None
    before = far.said().count("no more jobs")
    far.process.send_signal(signal.SIGINT)
    until("the first signal's effect", lambda: far.said().count("no more jobs") > before)


def until_applying(house: House, far: Far, name: str) -> None:
    """Wait until a build is in the middle of its apply."""
    log = house.root / f"{name}.log"
    try:
        until("the apply", lambda: "working" in log.read_text(errors="replace"))
    except AssertionError:
        pytest.fail(f"{log.read_text()}\n{far.said()[-4000:]}\n{house.said()[-4000:]}")


def status(house: House, name: str) -> str:
    return str(house.workspace(name).get("latest_build", {}).get("status", ""))


def test_the_daemon_is_listed_with_its_key_and_no_secret_in_its_command(
    house: House, far: Far, key: str
) -> None:
    until("a daemon with nothing to do", lambda: daemons(house)[0]["status"] == "idle")
    found = daemons(house)
    assert [(one["name"], one["key_name"]) for one in found] == [("far", "far-key")]
    assert far.process is not None
    assert key not in " ".join(psutil.Process(far.process.pid).cmdline())
    table = house.coder("provisioner", "list", "-c", "name,key name,status,tags").stdout
    assert table.split() == ["NAME", "KEY", "NAME", "STATUS", "TAGS", "far", "far-key", "idle",
                             "untagged"]  # fmt: skip


def test_a_template_is_imported_and_a_workspace_built_far_away(house: House, far: Far) -> None:
    house.coder("create", "one", "--template", "slow", "--yes")
    assert status(house, "one") == "running"
    assert list(far.cache.iterdir())
    jobs_dirs = (far.cache / "provisioner").glob
    until("the end of the work directories", lambda: not list(jobs_dirs("*/jobs/*")))
    assert not (house.root / "cache" / "jobs").exists() or not list(
        (house.root / "cache" / "jobs").iterdir()
    )
    finished = jobs(house, "succeeded")
    assert {job["worker_name"] for job in finished} == {"far"}
    house.coder("stop", "one", "--yes")
    assert status(house, "one") == "stopped"


def test_a_running_build_is_cancelled_from_here_and_can_be_deleted(house: House, far: Far) -> None:
    creating = create(house, "cut")
    until_applying(house, far, "cut")
    (running,) = jobs(house, "running")
    assert daemons(house)[0]["status"] == "busy"
    assert house.coder("provisioner", "jobs", "cancel", running["id"]).stdout == "Job canceled\n"
    until("the end of the build", lambda: status(house, "cut") == "canceled")
    creating.wait(30)
    state = house.coder("state", "pull", "cut").stdout
    assert '"first"' in state, "what was made before is known"
    house.coder("delete", "cut", "--yes")
    assert house.workspace("cut") == {}


def test_a_daemon_that_was_killed_comes_back_and_goes_on_with_its_state(
    house: House, far: Far, key: str
) -> None:
    creating = create(house, "tough")
    until_applying(house, far, "tough")
    far.end(signal.SIGKILL)
    until("its absence", lambda: not daemons(house))
    far.start(key)
    log = house.root / "tough.log"
    until("the second run", lambda: "The job is resumed on far" in log.read_text())
    let_go(house, "tough")
    assert creating.wait(120) == 0, log.read_text()
    assert status(house, "tough") == "running"
    said = log.read_text()
    assert "The Terraform state of the run before was recovered." in said
    house.coder("delete", "tough", "--yes")


def test_a_job_survives_a_restart_of_the_server(house: House, far: Far) -> None:
    creating = create(house, "steady")
    until_applying(house, far, "steady")
    house.stop(signal.SIGKILL)
    creating.terminate()
    creating.wait(20)
    house.start("--provisioner-daemons=0")
    let_go(house, "steady")
    until("the build", lambda: status(house, "steady") == "running")
    house.coder("delete", "steady", "--yes")


def test_ctrl_c_lets_the_running_job_finish(house: House, far: Far, key: str) -> None:
    creating = create(house, "last")
    until_applying(house, far, "last")
    interrupt(far)
    let_go(house, "last")
    assert far.process is not None
    assert far.process.wait(40) == 0, far.said()
    far.process = None
    assert creating.wait(60) == 0
    assert status(house, "last") == "running"
    far.start(key)
    until("the daemon", lambda: daemons(house))


def test_a_second_ctrl_c_gives_the_job_back(house: House, far: Far, key: str) -> None:
    creating = create(house, "back")
    until_applying(house, far, "back")
    interrupt(far)
    assert far.end(signal.SIGINT) == 0, far.said()
    (waiting,) = jobs(house, "running")
    assert waiting["completed_at"] is None
    far.start(key)
    let_go(house, "back")
    assert creating.wait(120) == 0, (house.root / "back.log").read_text()
    assert status(house, "back") == "running"


def test_a_daemon_whose_key_is_deleted_is_shown_out(
    house: House, far: Far, tmp_path_factory: pytest.TempPathFactory
) -> None:
    guest = Far(house, tmp_path_factory.mktemp("guest"), "guest")
    try:
        guest.start(house.coder("provisioner", "keys", "create", "guest-key").stdout.strip())
        until("the guest", lambda: "guest" in names(house) or failed(guest))
        house.coder("provisioner", "keys", "delete", "guest-key", "--yes")
        assert guest.process is not None
        assert guest.process.wait(40) == 1
        guest.process = None
        assert "provisioner daemon key invalid" in guest.said()
        assert "guest" not in names(house)
    finally:
        guest.close()
